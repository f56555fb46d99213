"""The lab's own worked thinking as if a teacher had written it: traces that are right, of every lab benchmark."""

from __future__ import annotations

from typing import Any

from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, grade_one
from fairreason.benchmarks.traced import Trace, trace_of
from fairreason.records import Completion, Example


def told(example: Example, thinking: str | None = None, **more: Any) -> Trace:
    """The trace of one answer: the world's thinking (or this one), then the right answer."""
    reply = f"<think>\n{example.trace if thinking is None else thinking}\n</think>\n\n{answer_text(example)}"
    completion = Completion(reply, prompt_tokens=40, completion_tokens=len(reply) // 4)
    grade = grade_one(benchmarks.get(example.source), example, completion)
    assert grade.outcome == "correct"
    return trace_of(example, completion, grade, **{"teacher": "world", "model": "world-1", "cost": 0.001, **more})


def questions(name: str, split: str = "train") -> list[Example]:
    return benchmarks.get(name).load(split, None)
