"""A worker of the local executor: imports the heavy libraries once, then gives every run a process of its own, by fork.

It reads tasks from stdin, one JSON line each ({"folder", "fingerprint", "data"}), and writes events to stdout, one JSON
line each: {"ready"}, {"progress": [what, done, of]}, {"end": exit code, negative for a signal}. A run's own output goes
to log.txt in its folder. When stdin ends, because the study was killed, the run is killed too; when the worker itself
dies, the kernel kills the run. Nothing here starts a thread or touches a GPU before the fork.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Work until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the study decides
    channel = os.dup(1)
    os.dup2(2, 1)
    _preload()
    _send(channel, {"ready": True})
    while line := _line():
        task = json.loads(line)
        _warm(Path(task["folder"]))
        child = os.fork()
        if child == 0:
            os._exit(_run(task, channel))
        _send(channel, {"end": _wait(child)})


def _preload() -> None:
    import fairreason.evaluation.evaluate
    import fairreason.models.backends.huggingface
    import fairreason.models.load
    import fairreason.training.train  # noqa: F401


def _warm(folder: Path) -> None:
    """Makes the lab's questions, which are remembered, here and not in every run anew; what exists before the fork is
    no business of the run's garbage collector."""
    from fairreason import benchmarks
    from fairreason.study.run import read_recipe

    try:
        recipe = read_recipe(folder)
        for name in {*recipe.mixture.bias, *recipe.mixture.reasoning, *recipe.evaluation.benchmarks}:
            for split in ("train", recipe.evaluation.split) if name.startswith("lab-") else ():
                benchmarks.get(name).load(split, None)
    except Exception:  # the run meets the same and writes it down
        traceback.print_exc()
    gc.collect()
    gc.freeze()


def _line() -> str:
    """The next task, read byte by byte so that nothing is read ahead: `_wait` looks for the end of stdin."""
    read = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        read += byte
    return read.decode()


def _run(task: dict[str, Any], channel: int) -> int:
    """In the child: the run, its output into its log, its failure into its state. Returns the exit code."""
    from fairreason.study.run import execute

    _die_with_parent()
    folder = Path(task["folder"])
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        data = None if task["data"] is None else Path(task["data"])
        execute(folder, task["fingerprint"], data, lambda *now: _send(channel, {"progress": now}))
        return 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _wait(child: int) -> int:
    """The child's exit code; kills it, and ends this worker, when stdin ends first."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if select.select([0], [], [], POLL_SECONDS)[0]:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os._exit(0)


def _die_with_parent() -> None:
    """Linux: SIGKILL for this process when the worker is gone. Elsewhere the run's lock keeps a second one out."""
    parent = os.getppid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _send(channel: int, event: dict[str, Any]) -> None:
    try:
        os.write(channel, (json.dumps(event) + "\n").encode())
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    main()
