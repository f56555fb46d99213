"""A judge's verdicts, kept as they come: they cost money too, so no reasoning is judged twice by the same judge.

    {"key": "5f0c...", "labels": [0, 0, 1], "failure": ""}

The key is a hash of the judge's settings (model, instruction, sampling: judge.settings), the question and the steps. A
request that failed for good is not kept, so the same command asks it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairreason.benchmarks.base import prompt_text
from fairreason.files import LineLog, iter_jsonl
from fairreason.grading.reasoning import reasoning_of
from fairreason.models.backends.base import Backend
from fairreason.traces import judge
from fairreason.traces.answers import Candidate
from fairreason.traces.filters import AskJudge
from fairreason.traces.judge import Verdict

SYNC_SECONDS = 1.0
FAILED = "failed"


@contextlib.contextmanager
def judged_by(backend: Backend | None, path: Path) -> Iterator[AskJudge | None]:
    """What asks this judge, with its verdicts in the file `path`; None without a judge."""
    if backend is None:
        yield None
        return
    log = LineLog(path, SYNC_SECONDS)
    held = {row["key"]: Verdict(_labels(row["labels"]), row["failure"]) for row in iter_jsonl(path)}
    settings = json.dumps(judge.settings(backend), sort_keys=True)

    def ask(candidates: Sequence[Candidate]) -> list[Verdict]:
        steps = [judge.steps_of(reasoning_of(answer.completion.text)) for _, answer in candidates]
        keys = [_key(settings, one, own) for one, own in zip(candidates, steps, strict=True)]
        new = list({key: place for place, key in enumerate(keys) if key not in held}.values())
        for index, verdict in judge.ask(backend, [(candidates[place].example, steps[place]) for place in new]):
            key = keys[new[index]]
            held[key] = verdict
            if verdict.failure != FAILED:
                log.add({"key": key, "labels": verdict.labels, "failure": verdict.failure})
        return [held[key] for key in keys]

    with contextlib.closing(log):
        yield ask


def _labels(labels: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if labels is None else tuple(labels)


def _key(settings: str, candidate: Candidate, steps: Sequence[str]) -> str:
    asked = json.dumps([settings, prompt_text(candidate.example), steps])
    return hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()
