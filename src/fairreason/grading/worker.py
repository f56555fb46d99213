r"""A function that may never come back, called in a process of its own with a limit on time and on memory.

The process starts with the first call, serves one call after another (about 0.1 ms on top of the work) and is started
anew after a limit has ended it. Time is processor time, so a busy machine changes no verdict; a wall clock eight times
as long stands behind it. Only JSON crosses the border: nothing that the function returns or raises is executed here.

    worker = Worker("fairreason.grading.equivalence:same_value", seconds=5, megabytes=1024)
    worker.call(r"\frac{1}{2}", "0.5")        # Reply(value=True, failure="")
    worker.call("9^{9^{9^9}}", "1")           # Reply(value=None, failure="over 5 s")

Threads may share a worker (their calls queue); a forked process gets a process of its own. It ends with its parent:
at exit, and when its input closes because the parent was killed.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.errors import RunError

WALL = 8
"""Wall-clock seconds for each second of processor time, before a process that does not even compute is given up."""
STARTING = 120
"""Wall-clock seconds that importing the function may take."""

_CODE = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from fairreason.grading.worker import serve; serve()"
_WORKERS: weakref.WeakSet[Worker] = weakref.WeakSet()


class Reply(NamedTuple):
    """What the function returned, or in a few words why it did not."""

    value: Any
    failure: str


class Worker:
    """`target` is `module:function`, `seconds` of processor time and `megabytes` of memory are the limits of a call.

    A limit, a crash and an exception are a `Reply` with a failure; RunError only where the target cannot be imported
    in a process of its own."""

    def __init__(self, target: str, seconds: float, megabytes: int) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.target, self.seconds, self.megabytes = target, seconds, megabytes
        self._lock = threading.Lock()
        _WORKERS.add(self)

    def call(self, *arguments: Any) -> Reply:
        """The function's reply to these arguments, all of them JSON."""
        with self._lock:
            process = self._process if self._process and self._process.poll() is None else self._start()
            answer = _ask(process, arguments, self.seconds * WALL)
            if answer is None:
                self.close()
                return Reply(None, self._why(process.returncode))
            if answer.get("spent"):
                self.close()
            return Reply(answer.get("value"), answer.get("failure", ""))

    def close(self) -> None:
        """Ends the process; the next call starts another."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            _close_pipes(process)

    def __del__(self) -> None:
        self.close()

    def forget(self) -> None:
        """After a fork: the process belongs to the parent, and the lock may be held by a thread that is not here."""
        process, self._process = self._process, None
        self._lock = threading.Lock()
        if process:
            _close_pipes(process)
            process.returncode = 0  # not this process's child: nothing to wait for

    def _start(self) -> subprocess.Popen[bytes]:
        self.close()
        command = [
            sys.executable,
            "-c",
            _CODE,
            json.dumps(sys.path),
            self.target,
            str(self.seconds),
            str(self.megabytes),
        ]
        self._process = subprocess.Popen(
            command,
            bufsize=0,  # nothing of a call may be left in a buffer that a fork copies
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        ready = _receive(self._process, STARTING)
        if ready is None or ready.get("failure"):
            self.close()
            reason = ready["failure"] if ready else "it ended at once"
            raise RunError(f"{self.target} cannot be run in a process of its own: {reason}")
        return self._process

    def _why(self, returncode: int | None) -> str:
        if returncode == -signal.SIGPROF:
            return f"over {self.seconds:g} s"
        return f"ended by signal {-returncode}" if returncode and returncode < 0 else f"ended with {returncode}"


def serve() -> None:
    """The process's side: import the function under its limits, then a JSON line in, a JSON line out."""
    target, seconds, megabytes = sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the function prints is no reply
    module, _, name = target.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        _limit_memory(megabytes)
        _say(out, {})
    except Exception as error:  # told to the parent, which raises
        _say(out, {"failure": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # the kernel ends the process by SIGPROF
        answer = _run(function, json.loads(line), megabytes)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _say(out, answer)


def _run(function: Any, arguments: list[Any], megabytes: int) -> dict[str, Any]:
    answer: dict[str, Any]
    try:
        answer = {"value": function(*arguments)}
        json.dumps(answer)
    except MemoryError:
        return {"failure": f"over {megabytes} MB", "spent": True}
    except BaseException as error:  # reported on the call it belongs to; some libraries derive from BaseException
        answer = {"failure": f"{type(error).__name__}: {error}"[:300]}
    if _peak() > megabytes / 2:  # a library may have swallowed the MemoryError
        return {"failure": f"over {megabytes} MB", "spent": True}
    return answer


def _limit_memory(megabytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit; there the peak alone is looked at
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def _peak() -> float:
    """The largest memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held before this process had a program of its own
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def _say(out: Any, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


def _ask(process: subprocess.Popen[bytes], arguments: Any, wall: float) -> dict[str, Any] | None:
    assert process.stdin
    call = memoryview(json.dumps(arguments).encode() + b"\n")
    try:
        while call:
            call = call[process.stdin.write(call) :]
    except OSError:
        process.kill()
        process.wait()
        return None
    return _receive(process, wall)


def _receive(process: subprocess.Popen[bytes], wall: float) -> dict[str, Any] | None:
    """The next line, None where the process ended or the wall clock did."""
    assert process.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(wall):
            return {"failure": f"no reply in {wall:g} s", "spent": True}
    line = process.stdout.readline()
    if line.endswith(b"\n"):
        found: dict[str, Any] = json.loads(line)
        return found
    process.wait()
    return None


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _end_all() -> None:
    for worker in list(_WORKERS):
        worker.close()


def _forget_all() -> None:
    for worker in list(_WORKERS):
        worker.forget()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
