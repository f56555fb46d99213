"""Runs a stranger's Python program against tests where it can neither see, keep nor break anything of ours.

Bubblewrap gives every run user, process, network, IPC, host-name and cgroup namespaces of its own, no capabilities, a
read-only system of the interpreter and its libraries, an empty environment, and a /tmp of limited size that is gone
with the run; there is no home, no data folder, no checkout and no /proc. seccomp.py closes what namespaces leave open,
judge.py limits the program's resources and finds the verdict from outside of its process. Started as root, the run goes
on as nobody, whom the kernel's limit of processes counts.

What remains possible: a fault in the kernel, bubblewrap or CPython; up to `processes` x `memory` bytes for the seconds
a run lasts, and as many empty files in /tmp as it can make in them; to see the arguments that its own functions get.

Nothing runs before the user said so (`allow`); a recipe cannot. Where the sandbox cannot be built nothing runs at all.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fairreason.errors import RunError, UsageError
from fairreason.grading.seccomp import MACHINES, filter_for

ALLOWED = "FAIRREASON_ALLOW_CODE_EXECUTION"
"""The switch, "1" where it is on: an environment variable, so a study's workers have it too."""

OLDEST = (0, 8)
"""The first bubblewrap that limits a tmpfs and closes user namespaces."""
NOBODY = 65534
GRACE_SECONDS = 10.0
"""Given to the start of a run, and to a judge that must stop by itself; then it is killed from outside."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a program may use: seconds of CPU (each process) and in all, bytes of memory (each process), of a file and
    of /tmp, processes or threads, open files."""

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory: int = 512 << 20
    processes: int = 8
    file_size: int = 16 << 20
    scratch: int = 64 << 20
    open_files: int = 64


LIMITS = Limits()


class Verdict(NamedTuple):
    """Whether the tests passed, and if not, why: `failed assert`, `raised TypeError: ...`, `time limit`, ..."""

    passed: bool
    reason: str


def allow() -> None:
    """Let models' programs run, in this process and those that it starts from now on."""
    os.environ[ALLOWED] = "1"


def allowed() -> bool:
    """Whether the user let models' programs run."""
    return os.environ.get(ALLOWED) == "1"


def check(what: str) -> None:
    """Raises UsageError when the user has not allowed programs to run, RunError when no sandbox can be built here.
    `what` wants to run them, a benchmark by name."""
    if not allowed():
        raise UsageError(
            f"{what}: grading runs programs that a model wrote; pass --allow-code-execution to let them run in a "
            "sandbox (from Python: fairreason.grading.sandbox.allow())"
        )
    _interpreter(_bubblewrap())


def run(program: Sequence[str], tests: str, given: Sequence[str] = (), limits: Limits = LIMITS) -> Verdict:
    """The program's parts are run one after the other in one module, then the tests, which call what it defines.

    A name in the tests that neither they nor Python define is the program's; so are the names in `given`. The program's
    output is thrown away. Safe to call from many threads. Raises UsageError without permission, RunError when there is
    no sandbox or it fails.
    """
    check("sandbox")
    launcher = _bubblewrap()
    return _run(launcher, _interpreter(launcher), program, tests, given, limits)


def _run(
    launcher: Sequence[str], python: Path, program: Sequence[str], tests: str, given: Sequence[str], limits: Limits
) -> Verdict:
    first = json.dumps({"program": list(program), "limits": dataclasses.asdict(limits)}).encode()
    rest = json.dumps({"tests": tests, "given": list(given)}).encode()
    filter_in, filter_out = os.pipe()
    try:
        with os.fdopen(filter_out, "wb") as pipe:
            pipe.write(filter_for(platform.machine()))
        done = subprocess.run(
            [*launcher, *_walls(python, limits), "--seccomp", str(filter_in), str(python), "-S", "-s", "-c", _judge()],
            input=struct.pack("Q", len(first)) + first + rest,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
            pass_fds=(filter_in,),
            timeout=limits.wall_seconds + GRACE_SECONDS,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return Verdict(False, "time limit")
    except OSError as error:
        raise RunError(f"sandbox: {error}") from None
    finally:
        os.close(filter_in)
    try:
        verdict = json.loads(done.stdout)
        return Verdict(bool(verdict["passed"]), str(verdict["reason"]))
    except ValueError:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RunError(
            f"sandbox: no verdict (exit code {done.returncode}); {said[-1] if said else 'no word'}"
        ) from None


def _walls(python: Path, limits: Limits) -> list[str]:
    """Bubblewrap's options: what is there, what is not."""
    home = python.parents[1]  # bin/python3.11 -> the prefix, whose lib/ holds the standard library
    library = home / "lib" / python.name
    walls = "--unshare-user --unshare-all --disable-userns --cap-drop ALL --die-with-parent --new-session --as-pid-1"
    walls += f" --hostname sandbox --size {limits.scratch} --tmpfs /tmp --ro-bind /usr/lib /usr/lib"
    options = walls.split()
    for folder in ("/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"):
        options += ["--ro-bind-try", folder, folder]
    if home != Path("/usr"):
        options += ["--ro-bind", str(home / "lib"), str(home / "lib")]
    options += ["--ro-bind", str(python), str(python)]
    for packages in (library / "site-packages", Path("/usr/lib/python3/dist-packages")):
        if packages.is_dir():
            options += ["--tmpfs", str(packages), "--remount-ro", str(packages)]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        options += ["--dev-bind", device, device]
    return [*options, "--remount-ro", "/", "--chdir", "/tmp"]


@lru_cache(maxsize=1)
def _judge() -> str:
    return (Path(__file__).parent / "judge.py").read_text(encoding="utf-8")


def _bubblewrap() -> tuple[str, ...]:
    """What starts bubblewrap, as nobody where we are root: by setpriv and not by subprocess's `user`, which forks: a
    third of a second in a process of 4 GB."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise RunError(f"programs run only where there is bubblewrap: Linux on {' or '.join(MACHINES)}")
    found = shutil.which("bwrap")
    if found is None:
        raise RunError(
            "no bubblewrap (bwrap) on the PATH, and programs run in it alone; install bubblewrap 0.8 or later"
        )
    if os.geteuid() != 0:
        return (found,)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RunError("no setpriv on the PATH, by which root's programs run as nobody; install util-linux")
    return (setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", found)


@lru_cache(maxsize=4)
def _interpreter(launcher: tuple[str, ...]) -> Path:
    """The Python that runs inside: ours, or the system's where nobody may enter ours. Raises RunError when neither
    works in bubblewrap."""
    told = subprocess.run([*launcher, "--version"], capture_output=True, text=True).stdout
    version = tuple(map(int, re.findall(r"\d+", told)[:2]))
    if version < OLDEST:
        raise RunError(f"{launcher[-1]}: {told.strip() or 'no version'} is too old; install bubblewrap 0.8 or later")
    reasons = []
    for name in (getattr(sys, "_base_executable", sys.executable), "/usr/local/bin/python3", "/usr/bin/python3"):
        python = Path(name).resolve()
        if not python.is_file():
            continue
        try:
            if _run(launcher, python, ["def one(): return 1"], "assert one() == 1", (), LIMITS).passed:
                return python
        except RunError as error:
            reasons.append(str(error))
    raise RunError(
        f"bubblewrap does not work here ({reasons[-1] if reasons else 'no Python for it'}); let it make user "
        "namespaces (sysctl kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0) and "
        "have a Python that all may read, such as /usr/bin/python3"
    )
