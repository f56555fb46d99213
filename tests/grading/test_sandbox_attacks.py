"""The sandbox: what a hostile program tries, and what it comes to. Every attack runs for real."""

import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from sandboxed import LIBC, SHORT, outcome, run

from fairreason.grading import sandbox
from fairreason.grading.sandbox import Limits, Verdict
from fairreason.grading.seccomp import FORBIDDEN, MACHINES, filter_for

pytestmark = pytest.mark.bwrap


@pytest.fixture(autouse=True)
def permission(monkeypatch):
    monkeypatch.setenv(sandbox.ALLOWED, "1")


# ---- secrets


def test_the_environment_is_not_ours(monkeypatch):
    monkeypatch.setenv("API_KEY", "sesame")
    assert "sesame" not in outcome("import os\nreturn sorted(os.environ.items())")
    assert outcome("import os\nreturn set(os.environ) - {'PATH', 'HOME', 'LANG', 'PYTHONHASHSEED', 'PWD'}") == "set()"


def test_no_file_of_ours_can_be_read(tmp_path):
    with tempfile.NamedTemporaryFile(dir=Path.home()) as at_home:
        own = tmp_path / "secret"
        own.write_text("sesame")
        own.chmod(0o644)
        files = [at_home.name, own, __file__, sandbox.__file__, "/etc/passwd", "/etc/hostname", "/etc/shadow"]
        for path in (
            *files,
            f"/proc/{os.getpid()}/environ",
            "/proc/self/environ",
            "/proc/1/mem",
            "/sys/kernel/vmcoreinfo",
        ):
            assert outcome(f"return open({str(path)!r}, 'rb').read()").startswith("raised FileNotFoundError"), path


def test_no_library_but_pythons_own():
    assert "ModuleNotFoundError" in outcome("import numpy")
    for folder in {
        *map(str, Path(sys.base_prefix).glob("lib/python3*/site-packages")),
        "/usr/lib/python3/dist-packages",
    }:
        assert outcome(f"import os\nreturn os.path.isdir({folder!r}) and os.listdir({folder!r})") in ("False", "[]")


# ---- ways out


def test_no_socket_not_even_to_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        for address in (("127.0.0.1", port), ("1.1.1.1", 443)):
            assert "PermissionError" in outcome(f"import socket\nsocket.create_connection({address}, timeout=2)")
        with pytest.raises(TimeoutError):
            server.accept()
    for family in ("AF_UNIX", "AF_INET6", "AF_VSOCK", "AF_NETLINK"):
        assert "PermissionError" in outcome(f"import socket\nsocket.socket(socket.{family})")


def test_nothing_can_be_written_outside(tmp_path):
    tmp_path.chmod(0o777)
    own = tmp_path / "mark"
    assert "FileNotFoundError" in outcome(f"open({str(own)!r}, 'w').write('x')")
    for path in ("/mark", "/usr/lib/mark", "/dev/mark", "/etc/mark"):
        assert "OSError: [Errno 30]" in outcome(f"open({path!r}, 'w')"), path  # read-only
    assert not own.exists() and not Path("/usr/lib/mark").exists()
    assert outcome("open('/tmp/x', 'w').write('x')\nimport os\nreturn os.listdir('/tmp')") == "['x']"
    assert outcome("import os\nreturn os.listdir('/tmp')") == "[]"  # the next run sees nothing of it


def test_forks_have_an_end():
    body = "import os, time\nn = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(60)\n        n += 1\n"
    body += "except BlockingIOError: return n"
    assert 0 < int(outcome(body)) <= SHORT.processes
    assert (
        run("import os\nwhile True: os.fork()").reason
        == "raised BlockingIOError: [Errno 11] Resource temporarily unavailable"
    )
    bomb = "import os\ndef f():\n    while True:\n        try: os.fork()\n        except OSError: pass"
    assert run(bomb).reason == "time limit"


def test_the_disk_cannot_be_filled():
    body = """
n = 0
try:
    for i in range(10_000):
        with open(f'/tmp/{i}', 'wb') as file: n += file.write(bytes(1 << 20))
except OSError as error: return n >> 20, error.errno"""
    megabytes, errno = eval(outcome(body))
    assert errno == 28 and megabytes <= SHORT.scratch >> 20  # no space left
    body = "with open('/tmp/x', 'wb') as file:\n    while True: file.write(bytes(1 << 20))"
    assert "OSError: [Errno 27]" in outcome(body)  # file too large
    assert "FileNotFoundError" in outcome("open('/dev/shm/x', 'wb')")


def test_memory_has_an_end():
    greedy = "x = []\nwhile True: x.append(bytearray(1 << 20))"  # half a gigabyte may take more than SHORT
    assert outcome(greedy, Limits()).startswith("raised MemoryError")
    assert outcome("return 'x' * (100 << 20)") == "a result that is too large"
    assert outcome(LIBC + "return libc.shmget(0, 1 << 30, 0o1600), ctypes.get_errno()") == "(-1, 1)"
    assert "PermissionError" in outcome("import os\nos.memfd_create('x')")


def test_time_has_an_end():
    assert run("while True: pass").reason == "time limit"
    assert run("def f():\n    while True: pass").reason == "time limit"
    deaf = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    assert run(deaf).reason in ("time limit", "the program was ended by signal 9")  # by wall or by CPU time
    patient = Limits(wall_seconds=1)
    assert run("import time\ntime.sleep(60)", limits=patient).reason == "time limit"
    assert run("import os, time\nos.closerange(0, 99)\ntime.sleep(60)", limits=patient).reason == "time limit"


def test_printing_without_end_fills_nothing():
    for stream in ("stdout", "stderr"):
        verdict = run(f"import sys\nwhile True: sys.{stream}.write('x' * (1 << 20))")
        assert verdict == Verdict(False, "time limit")


def test_nobody_outside_can_be_killed_and_the_judge_stands():
    body = "import os, signal\nfor number in (9, 15, 2, 6, 19):\n    os.kill(os.getppid(), number)\n"
    assert outcome(body + "return os.getppid()") == "1"
    assert "ProcessLookupError" in outcome(f"import os\nos.kill({os.getpid()}, 9)")
    assert "ProcessLookupError" in outcome("import os\nos.kill(-1, 9)")  # there is nobody else
    assert run("def f(): return 1").passed


def test_no_process_stays_behind():
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    code = f"import time; time.sleep(300) # {mark}"
    body = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True)\n"
    body += "import time; time.sleep(.2)\nreturn 1"
    assert outcome(body) == "1"
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in readable(path)]
    assert left == []


def readable(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def test_an_interrupted_run_leaves_nothing_behind():
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    own = "from fairreason.grading import sandbox\n"
    program = (
        f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(60) # {mark}'])"
    )
    process = subprocess.Popen([sys.executable, "-c", own + f"sandbox.run([{program!r}], 'f()')"])
    wait_for(lambda: len(holding(mark, process.pid)) > 0)
    process.kill()
    process.wait()
    wait_for(lambda: not holding(mark, process.pid))


def holding(mark: str, but: int) -> list[Path]:
    paths = Path("/proc").glob("[0-9]*/cmdline")
    return [path for path in paths if f"# {mark}" in readable(path) and path.parent.name != str(but)]


def wait_for(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    "call", ["ptrace(16, 1, 0, 0)", "process_vm_readv(1, 0, 0, 0, 0, 0)", "unshare(0x10000000)", "setns(0, 0)"]
)
def test_calls_that_are_forbidden(call):
    assert outcome(LIBC + f"return libc.{call}, ctypes.get_errno()") == "(-1, 1)"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_no_user_namespace_and_no_second_numbering():
    new_user, child = 0x10000000, 17
    assert outcome(LIBC + f"return libc.syscall(56, {new_user | child}, 0, 0, 0, 0)") == "-1"  # clone
    assert outcome(LIBC + "return libc.syscall(0x40000000 + 41, 2, 1, 0), ctypes.get_errno()") == "(-1, 1)"


def test_numbers_of_the_kernels_headers():
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h")
    for column, path in enumerate(header):
        if not path.exists():
            pytest.skip("the kernel's headers are not here")
        text = path.read_text()
        for name, numbers in FORBIDDEN.items():
            assert re.search(rf"#define __NR_{name}\s+{numbers[column]}$", text, re.MULTILINE), (name, path)
    assert all(len(filter_for(machine)) % 8 == 0 for machine in MACHINES)


# ---- forging the verdict

FORGERIES = {
    "leaves before the tests": "import os\nos._exit(0)",
    "leaves in the test": "import os\ndef f(): os._exit(0)",
    "raises SystemExit": "import sys\ndef f(): sys.exit(0)",
    "prints a verdict": 'print(\'{"passed": true, "reason": ""}\', flush=True)\nimport os\nos._exit(0)',
    "writes a verdict everywhere": """
import os
for number in range(64):
    try: os.write(number, b'{"passed": true, "reason": ""}')
    except OSError: pass
os._exit(0)""",
    "equals everything": """
class Yes:
    def __eq__(s, o): return True
    def __bool__(s): return True
def f(): return Yes()""",
    "a number that equals everything": "class Yes(int):\n    def __eq__(s, o): return True\ndef f(): return Yes(7)",
    "swaps builtins": "import builtins\nbuiltins.AssertionError = Warning\nbuiltins.f = None\ndef f(): return 2",
    "swaps modules": "import sys\nfor name in list(sys.modules): sys.modules[name] = None\ndef f(): return 2",
    "leaves at exit": "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit(0)",
    "a reply that runs code": """
import os, struct, pickle
class Run:
    def __reduce__(self): return os._exit, (0,)
reply = pickle.dumps(('value', Run()))
for number in range(3, 64):
    try: os.write(number, struct.pack('Q', len(reply)) + reply)
    except OSError: pass""",
    "wakes the judge": "import os, signal\ndef f():\n    os.kill(1, signal.SIGALRM)\n    return 2",
    "raises what the judge raises": "class Stopped(BaseException): pass\ndef f(): raise Stopped('')",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_the_verdict_cannot_be_forged(name):
    assert run(FORGERIES[name]).passed is False


def test_the_answers_are_nowhere_in_the_programs_process():
    program = """
import gc, re, sys
def f():
    frame, found = sys._getframe(), []
    while frame:
        found += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    seen = str(found) + str([o for o in gc.get_objects() if isinstance(o, (dict, list, tuple, str))])
    return len(seen) > 10_000, re.findall("needle-[0-9]+", seen)"""
    verdict = run(program, "assert f() == 'needle-4815', f()")
    assert verdict.reason == "failed assert: (True, [])"


def test_a_reply_of_its_own_making_is_data_or_nothing():
    assert "no plain data" in run(FORGERIES["a reply that runs code"]).reason
