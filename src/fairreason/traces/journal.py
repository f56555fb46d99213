"""Every answer that was paid for, on disk before its slot asks for the next: the file `X.answers.jsonl` beside X.jsonl.

    {"format": 1, "benchmark": "bbq", "split": "train", "teacher": "deepseek-reasoner", "temperature": null, ...}
    {"id": "bbq/Age/0", "sample": 0, "completion": {"text": "<think>\\n...", ...}, "model": "...", "cost": 0.0021, ...}

The first line says under which settings was asked; other settings are refused. Samples and limit are no part of it:
more of either only adds answers. A thread writes what has come as one group, syncs once, and only then says of each row
that it is kept. A kill can tear only the last line, which is cut off. Truncated and filtered answers are kept, they
were paid for; what failed (time-outs, 5xx, refusals) is not, so that starting again asks it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO

from fairreason.errors import DataError, RunError, UsageError
from fairreason.files import iter_jsonl, recover_lines, write_atomic
from fairreason.locks import locked_file
from fairreason.records import Completion, from_json, to_json
from fairreason.traces.answers import Answer

FORMAT = 1
Waiting = tuple[Answer, "Future[None]"]


def journal_path(out: Path) -> Path:
    """The journal of a trace file.

    >>> journal_path(Path("traces/bbq.jsonl")).name
    'bbq.answers.jsonl'
    """
    return out.with_name(f"{out.stem}.answers.jsonl")


class Journal:
    """Used as a context, by one process at a time. `spent` is what its answers cost, in US dollars,
    as far as it is known. Raises UsageError
    where the file holds answers under other settings, RunError where it is locked or cannot be written."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path, self.settings = path, {"format": FORMAT, **settings}
        self.held: set[tuple[str, int, str]] = set()
        self.spent = 0.0
        self.error: RunError | None = None
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Journal:
        with contextlib.ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked_file(self.path))
                self._read()
                file = stack.enter_context(self.path.open("ab", buffering=0))
            except OSError as error:
                raise self._unwritable(error) from None
            self._thread = threading.Thread(
                target=self._write_all, args=(file,), daemon=True, name="fairreason-journal"
            )
            self._thread.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Writes what is still waiting and closes the file."""
        self._waiting.put(None)
        self._thread.join()
        self._stack.close()

    def holds(self, id: str, sample: int, prompt_hash: str) -> bool:
        """Whether this question, put in these words, has this answer already."""
        return (id, sample, prompt_hash) in self.held

    def add(self, answer: Answer) -> Future[None]:
        """Hands the answer to the writing thread; the future is done when the disk has it, or raises RunError."""
        kept: Future[None] = Future()
        self.held.add((answer.id, answer.sample, answer.prompt_hash))
        self.spent += answer.cost or 0.0
        self._waiting.put((answer, kept))
        return kept

    async def keep(self, answer: Answer) -> None:
        """Returns when the disk has the answer. Raises RunError where it does not take it."""
        await asyncio.wrap_future(self.add(answer))

    def answers(self, asked: Mapping[str, str], samples: int) -> list[Answer]:
        """The first `samples` answers to each of these questions (prompt hash by id), in the questions' order."""
        place = {id: number for number, id in enumerate(asked)}
        found = {
            (place[one.id], one.sample): one
            for one in self._rows()
            if one.sample < samples and asked.get(one.id) == one.prompt_hash
        }
        return [found[key] for key in sorted(found)]

    def unpriced(self) -> Iterator[Answer]:
        """The answers of which nobody said what they cost."""
        return (one for one in self._rows() if one.cost is None)

    def _read(self) -> None:
        first = self._first()  # before anything is cut off
        recover_lines(self.path)
        if not self.path.exists() or not self.path.stat().st_size:
            return self._begin()
        others = [key for key in {**first, **self.settings} if first.get(key) != self.settings.get(key)]
        if others and next(self._rows(), None) is None:  # nothing was answered under them
            self._begin()
        elif others:
            said = ", ".join(f"{key} {_shown(first.get(key))}, not {_shown(self.settings.get(key))}" for key in others)
            raise UsageError(
                f"{self.path}: holds answers under other settings ({said}). Ask as before, or give --out another name"
            )
        for answer in self._rows():
            self.held.add((answer.id, answer.sample, answer.prompt_hash))
            self.spent += answer.cost or 0.0

    def _first(self) -> dict[str, Any]:
        """The first line; {} of a file that is not there or empty. Raises DataError where it is not ours."""
        if not self.path.exists() or not self.path.stat().st_size:
            return {}
        first = next(iter_jsonl(self.path), {})
        if first.get("format") != FORMAT:
            raise DataError(f"{self.path}: not a journal of answers in format {FORMAT}. Give --out another name")
        return first

    def _begin(self) -> None:
        write_atomic(self.path, json.dumps(self.settings, ensure_ascii=False) + "\n")

    def _rows(self) -> Iterator[Answer]:
        for number, row in enumerate(iter_jsonl(self.path), 1):
            if number > 1:
                try:
                    yield from_json(Answer, {**row, "completion": from_json(Completion, row.get("completion") or {})})
                except (DataError, AttributeError) as error:
                    raise DataError(f"{self.path}:{number}: {error}") from None

    def _write_all(self, file: BinaryIO) -> None:
        """The thread: what waits is one group, written and synced at once."""
        ended = False
        while not ended:
            group = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while True:
                    group.append(self._waiting.get_nowait())
            ended = None in group
            self._write([one for one in group if one is not None], file)

    def _write(self, group: list[Waiting], file: BinaryIO) -> None:
        if group and self.error is None:
            try:
                lines = (json.dumps(to_json(one), ensure_ascii=False, allow_nan=False) for one, _ in group)
                rest = memoryview(b"".join(line.encode() + b"\n" for line in lines))
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except Exception as error:  # whatever it was, nobody may wait for good
                self.error = self._unwritable(error)
        for _, kept in group:
            if kept.set_running_or_notify_cancel():
                kept.set_result(None) if self.error is None else kept.set_exception(self.error)

    def _unwritable(self, error: Exception) -> RunError:
        why = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        return RunError(
            f"{self.path}: cannot be written ({why}). What it holds stays; the same command goes on from there"
        )


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
