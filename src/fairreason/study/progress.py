"""How far a study is and how long it still takes: one line on stderr."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

QUIET_SECONDS = 15.0  # between lines where stderr is no terminal
TRAINING_PART = 0.7  # of a run's time, until runs of its kind have finished


@dataclass
class _Open:
    kind: str
    began: float
    part: float = 0.0
    what: str = "starting"


class Progress:
    """`names` are the runs that are left to do, `kinds` how each is timed: runs of one kind take about equally long."""

    def __init__(self, names: Sequence[str], kinds: Sequence[str], workers: int, stream: TextIO | None = None) -> None:
        self.kinds = dict(zip(names, kinds, strict=True))
        self.workers, self.stream = workers, stream or sys.stderr
        self.open: dict[str, _Open] = {}
        self.ended = 0
        self.seconds: dict[str, list[float]] = {}
        self.terminal = self.stream.isatty()
        self.shown = 0.0
        self.failed = 0

    def begin(self, name: str) -> None:
        self.open[name] = _Open(self.kinds[name], time.monotonic())
        self.show()

    def report(self, name: str, what: str, done: int, of: int) -> None:
        run, part = self.open[name], done / max(of, 1)
        trains = not run.kind.startswith("none")
        run.what = f"{what} {done}/{of}" if what == "training" else f"{what} {part:.0%}"
        start, length = (0.0, TRAINING_PART) if what == "training" else (TRAINING_PART, 1 - TRAINING_PART)
        run.part = start + length * part if trains else part

    def end(self, name: str, reason: str | None) -> None:
        run = self.open.pop(name)
        self.ended += 1
        seconds = time.monotonic() - run.began
        if reason is None:
            self.seconds.setdefault(run.kind, []).append(seconds)
        else:
            self.failed += 1
        self.line(f"{name}: " + (f"done in {duration(seconds)}" if reason is None else f"failed: {reason}"))
        self.show()

    def left(self) -> float | None:
        """Seconds, from the runs that have finished and how far the open ones are; None while nothing is known."""
        now = time.monotonic()
        known = {kind: sum(each) / len(each) for kind, each in self.seconds.items()}
        guesses = [(now - run.began) / run.part for run in self.open.values() if run.part > 0.02]
        trained = [value for kind, value in known.items() if not kind.startswith("none")] + guesses
        if not trained and not known:
            return None
        usual = sum(trained) / len(trained) if trained else sum(known.values()) / len(known)
        waiting = len(self.kinds) - self.ended - len(self.open)
        kinds = list(self.kinds.values())[len(self.kinds) - waiting :]
        total = sum(known.get(kind, usual) for kind in kinds)
        rest = [max(0.0, known.get(run.kind, usual) - (now - run.began)) for run in self.open.values()]
        return max((total + sum(rest)) / self.workers, max(rest, default=0.0))

    def show(self) -> None:
        """The line again, if it is time."""
        now = time.monotonic()
        if not self.open or now - self.shown < (0.2 if self.terminal else QUIET_SECONDS):
            return
        self.shown = now
        left = self.left()
        doing = "; ".join(f"{name} {run.what}" for name, run in self.open.items())
        failed = f", {self.failed} failed" if self.failed else ""
        time_left = "" if left is None or not self.open else f", {duration(left)} left"
        text = f"{self.ended} of {len(self.kinds)} runs{failed}{time_left}" + (f": {doing}" if doing else "")
        if self.terminal:
            rewrite(text, self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def line(self, text: str) -> None:
        """A line that stays."""
        print(f"\r\x1b[K{text}" if self.terminal else text, file=self.stream, flush=True)

    def close(self) -> None:
        if self.terminal:
            rewrite("", self.stream)


def rewrite(text: str, terminal: TextIO) -> None:
    """The text in place of the terminal's last line, cut to its width: a line that wraps cannot be cleared again."""
    try:
        width = os.get_terminal_size(terminal.fileno()).columns
    except OSError:  # no terminal of its own
        width = shutil.get_terminal_size().columns
    print(f"\r\x1b[K{text[: width - 1]}", end="", file=terminal, flush=True)


def duration(seconds: float) -> str:
    """
    >>> duration(42.4), duration(90), duration(3700)
    ('42 s', '2 min', '1 h 02 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
