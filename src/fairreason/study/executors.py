"""Who carries out a study's runs. An executor takes tasks and reports what happens; it knows nothing of recipes.

`local` keeps N workers (study/worker.py), each with one run at a time in a process of its own. An executor on several
machines is one more class with the same `run`.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fairreason.errors import RunError

QUIET = {
    "OMP_NUM_THREADS": "1",  # a run sets its own number of threads
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # looking for a GPU must not touch it before the fork
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True)
class Task:
    """A prepared run folder to be carried out."""

    folder: Path
    fingerprint: str
    data: Path | None


@dataclass(frozen=True)
class Event:
    """What a task reports: `begin`, `progress` (what, done, of) or `end` (code: 0 done, negative: a signal)."""

    kind: str
    what: str = ""
    done: int = 0
    of: int = 0
    code: int = 0


Report = Callable[[Task, Event], None]


class Executor(Protocol):
    """`run` carries out all tasks and reports on each; it returns when all have ended. A task that fails is no error
    here. `tick` is called about once a second. `close` ends what is still open."""

    def run(self, tasks: Sequence[Task], report: Report, tick: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


class Local:
    """N workers on this machine. `log` takes what the workers themselves complain about."""

    def __init__(self, workers: int, log: Path) -> None:
        self.workers, self.log = workers, log
        self.selector = selectors.DefaultSelector()
        self.open: list[_Worker] = []

    def run(self, tasks: Sequence[Task], report: Report, tick: Callable[[], None]) -> None:
        waiting = deque(tasks)
        while len(self.open) < self.workers:
            self.open.append(_Worker(self.log, len(self.open), self.selector))
        while waiting or any(worker.task for worker in self.open):
            for place, worker in enumerate(self.open):
                if worker.dead and waiting:
                    self.open[place] = worker = _Worker(self.log, worker.number, self.selector)
                if worker.ready and worker.task is None and waiting:
                    worker.begin(waiting.popleft(), report)
            for key, _ in self.selector.select(timeout=1.0):
                key.data.listen(report)
            tick()

    def close(self) -> None:
        for worker in self.open:
            worker.close()
        self.open.clear()
        self.selector.close()


class _Worker:
    """One worker process and the run it is at."""

    def __init__(self, log: Path, number: int, selector: selectors.BaseSelector) -> None:
        self.number, self.log, self.selector = number, log, selector
        self.task: Task | None = None
        self.ready = self.dead = False
        self.buffer = b""
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fairreason.study.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env={**os.environ, **QUIET, **_device(number)},
            )
        selector.register(self._out, selectors.EVENT_READ, self)

    @property
    def _out(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def begin(self, task: Task, report: Report) -> None:
        assert self.process.stdin is not None
        data = None if task.data is None else str(task.data)
        line = json.dumps({"folder": str(task.folder), "fingerprint": task.fingerprint, "data": data})
        self.task = task
        report(task, Event("begin"))
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its end is read from stdout next

    def listen(self, report: Report) -> None:
        """What the worker has said since; its own end is the end of its run."""
        data = os.read(self._out, 65_536)
        if not data:
            return self._gone(report)
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "ready" in event:
                self.ready = True
            elif self.task is not None and "progress" in event:
                report(self.task, Event("progress", *event["progress"]))
            elif self.task is not None and "end" in event:
                task, self.task = self.task, None
                report(task, Event("end", code=event["end"]))

    def _gone(self, report: Report) -> None:
        self.selector.unregister(self._out)
        code = self.process.wait()
        self.dead, started = True, self.ready
        self.ready = False
        if not started:
            raise RunError(f"a worker could not start (exit code {code}); {self.log} says why")
        if self.task is not None:
            task, self.task = self.task, None
            report(task, Event("end", code=code if code < 0 else 1))

    def close(self) -> None:
        """End the worker; the run it is at, if any, is killed with it."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _device(number: int) -> dict[str, str]:
    """One GPU a worker, in turn, where there are several."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = [str(i) for i in range(len(list(Path("/proc/driver/nvidia/gpus").glob("*"))))]
    devices = found if visible is None else [name for name in visible.split(",") if name]
    return {"CUDA_VISIBLE_DEVICES": devices[number % len(devices)]} if len(devices) > 1 else {}
