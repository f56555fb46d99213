"""What a teacher answered: one record an answer, as it was paid for, before any filter looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fairreason.records import Completion, Example


@dataclass(frozen=True, slots=True)
class Answer:
    """`sample` counts the answers to one question from 0; the completion's text holds the thinking part in `<think>`
    tags; `model` is the version that answered, as the server reported it; `cost` in US dollars, None where no price is
    known; `prompt_hash` the `question_hash` of the question as it was put."""

    id: str
    sample: int
    completion: Completion
    model: str = ""
    cost: float | None = None
    prompt_hash: str = ""


class Candidate(NamedTuple):
    """A question of a benchmark's training split and one answer to it."""

    example: Example
    answer: Answer
