"""A judge's verdicts, kept as they come: they cost money too, so no reasoning is judged twice by the same judge.

    {"judge": {"model": "gpt-x", "fingerprint": "openai-5f0c...", "instruction": "91ab...", "temperature": 0.0, ...}}
    {"key": "5f0c...", "labels": [0, 0, 1], "failure": ""}

The first line says who judged and how (judge.settings); another judge's verdicts follow in the same file behind a line
of its own. The key is a hash of those settings, the question and the steps. Every verdict is on the disk before the
next one is taken. A request that failed for good is not kept, so the same command asks it again. One process at a time
writes the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fairreason.benchmarks.base import prompt_text
from fairreason.errors import DataError, RunError
from fairreason.files import LineLog, iter_jsonl, write_atomic
from fairreason.grading.reasoning import reasoning_of
from fairreason.locks import locked_file
from fairreason.models.backends.base import Backend
from fairreason.records import Example
from fairreason.traces import judge
from fairreason.traces.answers import Candidate
from fairreason.traces.filters import AskJudge
from fairreason.traces.judge import Verdict

FAILED = "failed"
Steps = tuple[Example, Sequence[str]]
"""A question and the steps of one reasoning on it."""


@contextlib.contextmanager
def judged_by(backend: Backend | None, path: Path) -> Iterator[AskJudge | None]:
    """What asks this judge about candidates, with its verdicts in the file `path`; None without a judge."""
    if backend is None:
        yield None
        return
    with verdicts_in(path, backend) as ask:
        yield lambda candidates: ask([_steps(one) for one in candidates])


@contextlib.contextmanager
def verdicts_in(path: Path, backend: Backend) -> Iterator[Callable[[Sequence[Steps]], list[Verdict]]]:
    """The judge's verdicts on reasoning, in order: those in the file, and for the others the judge is asked. Raises
    RunError where another process has the file or the disk does not take a verdict, DataError where it is another kind
    of file, what the backend raises where it is of no use to ask on."""
    settings = judge.settings(backend)
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked_file(path))
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror})") from None
        _begin(path, settings)  # before anything is cut off
        log = stack.enter_context(contextlib.closing(LineLog(path, sync_seconds=0)))
        judges, held = _read(path)
        if settings not in judges:
            log.add({"judge": settings})
        settled = json.dumps(settings, sort_keys=True)

        def ask(asked: Sequence[Steps]) -> list[Verdict]:
            keys = [_key(settled, *one) for one in asked]
            new = list({key: place for place, key in enumerate(keys) if key not in held}.values())
            for index, verdict in judge.ask(backend, [asked[place] for place in new]):
                key = keys[new[index]]
                held[key] = verdict
                if verdict.failure != FAILED:
                    log.add({"key": key, "labels": verdict.labels, "failure": verdict.failure})
            return [held[key] for key in keys]

        yield ask


def _begin(path: Path, settings: Mapping[str, Any]) -> None:
    """The first line, whole or not at all. Raises DataError where it is there and no judge's."""
    if not path.exists() or not path.stat().st_size:
        write_atomic(path, json.dumps({"judge": settings}, ensure_ascii=False) + "\n")
    elif not isinstance(next(iter_jsonl(path), {}).get("judge"), dict):
        raise DataError(f"{path}:1: not a judge's verdicts; such a file begins with the judge")


def _read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Verdict]]:
    """The judges and the verdicts in the file, by key."""
    judges, held = [], {}
    for number, row in enumerate(iter_jsonl(path), 1):
        try:
            if "judge" in row:
                judges.append(row["judge"])
            else:
                held[row["key"]] = Verdict(None if row["labels"] is None else tuple(row["labels"]), row["failure"])
        except (KeyError, TypeError):
            raise DataError(f"{path}:{number}: not a judge's verdict") from None
    return judges, held


def _steps(candidate: Candidate) -> Steps:
    return candidate.example, judge.steps_of(reasoning_of(candidate.answer.completion.text))


def _key(settings: str, example: Example, steps: Sequence[str]) -> str:
    asked = json.dumps([settings, prompt_text(example), steps])
    return hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()
