"""Which answers of a teacher are taught: those that are right, fair and new. Every other is dropped for one reason.

The order, and why:

| reason | dropped when |
|---|---|
| `failed` | a content filter stopped it, or a published row's picture cannot be read; a failed request left no answer |
| `truncated`, `unparsed`, `wrong`, `not graded` | the benchmark's own grade says so, which evaluates and rewards too |
| `answer in the prompt` | the question gives its answer away (leak.py) |
| `empty reasoning`, `repeated reasoning` | there is nothing to learn from (reasoning.py) |
| `stereotype` | on the bias axis: right, but by an appeal to a stereotype (stereotypes.py) |
| `overlap with a test` | question or reasoning share 13 words with a test question (overlap.py) |
| `stereotype, says the judge`, `no readable verdict` | on the bias axis, where a judge model is asked (judge.py) |
| `another sample chosen` | of several good samples of a question one is kept (`keep`) |
| `near-copy` | it is a near-copy of another that is kept (duplicates.py) |

What comes first names the reason, so the plain facts of an answer stand before opinions about it, and what costs money
stands behind all that is free. The choice among samples comes after every filter of quality: a question whose first
right answer is biased keeps its second. It comes before near-copies: a sample that is not kept makes nobody a copy.

Every candidate ends in one place: n = kept + Σ counts. Pure but for the judge: the same candidates in the same order
give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from fairreason.benchmarks.base import Benchmark, grade_one
from fairreason.grading.reasoning import reasoning_of
from fairreason.records import Grade
from fairreason.traces.answers import Candidate
from fairreason.traces.duplicates import Text, near_copies
from fairreason.traces.judge import Verdict
from fairreason.traces.leak import leak
from fairreason.traces.overlap import Withheld
from fairreason.traces.reasoning import is_empty, repetition
from fairreason.traces.stereotypes import appeals

Keep = Literal["first", "shortest", "all"]
REASONS = (
    "failed",
    "truncated",
    "unparsed",
    "wrong",
    "not graded",
    "answer in the prompt",
    "empty reasoning",
    "repeated reasoning",
    "stereotype",
    "overlap with a test",
    "stereotype, says the judge",
    "no readable verdict",
    "another sample chosen",
    "near-copy",
)
"""Why a candidate is dropped, in the order in which it is asked."""
LONGEST_DETAIL = 300

AskJudge = Callable[[Sequence[Candidate]], Sequence[Verdict]]
"""Verdicts over the steps of these candidates' reasoning, in their order."""


class Kept(NamedTuple):
    """A candidate that is taught, and its grade (`correct`)."""

    candidate: Candidate
    grade: Grade


class Dropped(NamedTuple):
    """A candidate that is not: one of REASONS, and what exactly, in at most 300 characters."""

    candidate: Candidate
    reason: str
    detail: str


class Sifted(NamedTuple):
    """`kept` and `dropped` in the order of the candidates; `counts` by reason, all REASONS, zeros too."""

    kept: list[Kept]
    dropped: list[Dropped]
    counts: dict[str, int]


def sift(
    candidates: Sequence[Candidate],
    benchmark: Benchmark,
    keep: Keep = "first",
    tests: Withheld | None = None,
    judge: AskJudge | None = None,
) -> Sifted:
    """The candidates of one benchmark, each kept or dropped for one reason.

    `keep`: of the good samples of a question the first by number, the one of fewest characters, or all. `tests`: the
    test questions to compare with (None: not compared, and the caller says so). Raises what `judge` raises.
    """
    grades = [grade_one(benchmark, example, answer.completion) for example, answer in candidates]
    fate: dict[int, tuple[str, str]] = {}
    for place, (candidate, grade) in enumerate(zip(candidates, grades, strict=True)):
        reason = _of_the_answer(candidate, grade) or _of_the_reasoning(candidate, benchmark, tests)
        if reason:
            fate[place] = reason

    def left() -> list[int]:
        return [place for place in range(len(candidates)) if place not in fate]

    if judge:
        asked = [place for place in left() if candidates[place].example.axis == "bias"]
        verdicts = judge([candidates[place] for place in asked])
        found = {place: _of_the_judge(verdict) for place, verdict in zip(asked, verdicts, strict=True)}
        fate.update({place: reason for place, reason in found.items() if reason})
    fate.update(_not_chosen(candidates, left(), keep))
    fate.update(_copies(candidates, left()))
    kept = [Kept(candidates[place], grades[place]) for place in left()]
    dropped = [Dropped(candidates[place], reason, _short(detail)) for place, (reason, detail) in sorted(fate.items())]
    reasons = [one.reason for one in dropped]
    return Sifted(kept, dropped, {reason: reasons.count(reason) for reason in REASONS})


def _of_the_answer(candidate: Candidate, grade: Grade) -> tuple[str, str] | None:
    """Why a graded answer is not right."""
    if candidate.answer.completion.finish_reason == "error":
        return "failed", grade.rule
    if grade.outcome == "correct":
        return None
    said = grade.answer if grade.choice is None else candidate.example.options[grade.choice]
    return {
        "truncated": ("truncated", f"after {candidate.answer.completion.completion_tokens} tokens"),
        "unparsed": ("unparsed", grade.rule),
        "wrong": ("wrong", f"{said} ({grade.rule})"),
        "error": ("not graded", grade.rule),
    }[grade.outcome]


def _of_the_reasoning(candidate: Candidate, benchmark: Benchmark, tests: Withheld | None) -> tuple[str, str] | None:
    """Why a right answer is not taught."""
    example = candidate.example
    given_away = leak(benchmark, example)
    if given_away:
        return "answer in the prompt", given_away
    reasoning = reasoning_of(candidate.answer.completion.text)
    if is_empty(reasoning):
        return "empty reasoning", reasoning
    repeated = repetition(reasoning)
    if repeated:
        return "repeated reasoning", f"{repeated.rule}: {repeated.detail}"
    appeal = appeals(reasoning, example) if example.axis == "bias" else ()
    if appeal:
        return "stereotype", f"{appeal[0].rule}: {appeal[0].sentence}"
    hit = tests.find(example, reasoning) if tests else None
    return ("overlap with a test", f"{hit.rule}, {hit.test}: {hit.words}") if hit else None


def _of_the_judge(verdict: Verdict) -> tuple[str, str] | None:
    """A reasoning without a verdict is not taught: nobody has said that it is fair."""
    if verdict.labels is None:
        return "no readable verdict", verdict.failure
    steps = [str(number) for number, label in enumerate(verdict.labels, 1) if label]
    return ("stereotype, says the judge", f"steps {', '.join(steps)} of {len(verdict.labels)}") if steps else None


def _not_chosen(candidates: Sequence[Candidate], left: Sequence[int], keep: Keep) -> dict[int, tuple[str, str]]:
    if keep == "all":
        return {}
    chosen: dict[str, int] = {}
    for place in sorted(left, key=lambda place: _order(candidates[place], keep)):
        chosen.setdefault(candidates[place].example.id, place)
    return {
        place: ("another sample chosen", f"sample {candidates[best].answer.sample} is the {keep}")
        for place in left
        if (best := chosen[candidates[place].example.id]) != place
    }


def _order(candidate: Candidate, keep: Keep) -> tuple[int, int]:
    """Characters, not tokens: the same whatever tokenizer counted, or where nobody did."""
    length = len(candidate.answer.completion.text) if keep == "shortest" else 0
    return length, candidate.answer.sample


def _copies(candidates: Sequence[Candidate], left: Sequence[int]) -> dict[int, tuple[str, str]]:
    texts = []
    for place in left:
        example, answer = candidates[place]
        reasoning = reasoning_of(answer.completion.text)
        texts.append(Text(example.id, example.bundle or example.id, f"{example.prompt}\n{reasoning}"))
    return {
        left[place]: ("near-copy", f"{copy.similarity:.2f} like {_name(candidates[left[copy.of]])}")
        for place, copy in near_copies(texts).items()
    }


def _name(candidate: Candidate) -> str:
    return f"{candidate.example.id}, sample {candidate.answer.sample}"


def _short(detail: str) -> str:
    plain = " ".join(detail.split())
    return plain if len(plain) <= LONGEST_DETAIL else plain[: LONGEST_DETAIL - 1] + "…"
