"""`fairreason traces`: a benchmark's training questions become a file of traces: asked, sifted, written, with a card.

    out/bbq.jsonl             the traces that are kept, in the field's `messages` form (benchmarks/traced.py)
    out/bbq.dropped.jsonl     every answer that is not kept, with its reason
    out/bbq.answers.jsonl     the journal: all that was paid for (journal.py)
    out/bbq.verdicts.jsonl    what a judge model said, where one was asked (verdicts.py)
    out/bbq.md                the dataset card

Traces, dropped answers and card are made anew from the journal each time, so other filters ask nobody again. A line of
the dropped:

    {"id": "bbq/Age/12", "sample": 1, "reason": "wrong", "detail": "The grandson (boxed)", "reply": "<think>\\n..."}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks import traced
from fairreason.files import write_atomic
from fairreason.models.backends.base import Backend
from fairreason.records import Example
from fairreason.traces import balance, card
from fairreason.traces.answers import Candidate
from fairreason.traces.balance import Share
from fairreason.traces.filters import REASONS, Dropped, Keep, Kept, sift
from fairreason.traces.gather import Gathered, Progress, Request, gather
from fairreason.traces.overlap import Withheld
from fairreason.traces.published import published
from fairreason.traces.teachers import SOURCE
from fairreason.traces.verdicts import judged_by
from fairreason.traces.withheld import read_withheld

UNBALANCED = "left out for balance"
SAMPLING = ("temperature", "seed", "max_new_tokens", "thinking")
"""The settings of a journal that a trace carries."""


@dataclass(frozen=True)
class Choice:
    """What of the answers is kept. `keep`: of a question's good samples the first, the shortest or all; `balanced`:
    whole bundles are left out until conditions and polarities stand as they were asked; `judge` labels the steps of
    bias rows."""

    keep: Keep = "first"
    balanced: bool = False
    judge: Backend | None = None


class Collected(NamedTuple):
    """`dropped` counts answers by reason; `balance` is of the questions with an answer; `absent` names test splits that
    are not here, `broken` those that cannot be read, with the reason: nothing was compared with them."""

    gathered: Gathered
    kept: int
    dropped: Mapping[str, int]
    balance: list[Share]
    absent: Mapping[str, str]
    broken: Mapping[str, str]
    file: Path
    card: Path


def collect(
    request: Request,
    choice: Choice = Choice(),
    data: Path | None = None,
    progress: Progress = lambda done, of, cost: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Collected:
    """Asks what is missing, sifts all that is there and writes the files; the teacher `source` is not asked
    (published.py). Raises FairReasonError; what was answered by then stays in the journal, and where it was the teacher
    that broke off the files are written first."""
    gathered = (
        published(request, data, progress) if request.teacher == SOURCE else gather(request, data, progress, tell)
    )
    asked = gathered.source.examples
    there = {answer.id for answer in gathered.answers}
    answered = [example for example in asked if example.id in there]
    by_id = {example.id: example for example in asked}
    candidates = [Candidate(by_id[answer.id], answer) for answer in gathered.answers]
    withheld = read_withheld(data=data)
    with judged_by(choice.judge, _beside(request.out, "verdicts")) as verdicts:
        sifted = sift(candidates, gathered.source.benchmark, choice.keep, withheld, verdicts)
    kept, dropped = sifted.kept, sifted.dropped
    if choice.balanced:
        kept, more = _balanced(asked, kept, request.seed)
        dropped = dropped + more
    traces = [_trace(one, gathered.settings) for one in kept]
    traced.write(request.out, traces)
    write_atomic(_beside(request.out, "dropped"), (_line(one) for one in dropped))
    counts = _counts(dropped)
    written = card.write(request.out, _collection(gathered, answered, traces, counts, withheld, choice.judge))
    if gathered.error is not None:
        raise gathered.error
    shares = balance.imbalance(answered, (one.candidate.example for one in kept))
    return Collected(gathered, len(kept), counts, shares, withheld.absent, withheld.broken, request.out, written)


def _beside(out: Path, what: str) -> Path:
    return out.with_name(f"{out.stem}.{what}.jsonl")


def _balanced(asked: Sequence[Example], kept: Sequence[Kept], seed: int) -> tuple[list[Kept], list[Dropped]]:
    stays = set(balance.repair(asked, [one.candidate.example for one in kept], seed))
    gone = [one for place, one in enumerate(kept) if place not in stays]
    return (
        [one for place, one in enumerate(kept) if place in stays],
        [Dropped(one.candidate, UNBALANCED, f"of bundle {one.candidate.example.bundle}") for one in gone],
    )


def _counts(dropped: Sequence[Dropped]) -> dict[str, int]:
    """By reason, those that dropped nothing too."""
    reasons = [one.reason for one in dropped]
    return {reason: reasons.count(reason) for reason in (*REASONS, UNBALANCED)}


def _trace(one: Kept, settings: Mapping[str, Any]) -> traced.Trace:
    example, answer = one.candidate
    return traced.trace_of(
        example,
        answer.completion,
        one.grade,
        teacher=card.model_name(settings["teacher"]),
        model=card.model_name(answer.model),
        sample=answer.sample,
        sampling=_sampling(settings),
        cost=answer.cost,
    )


def _sampling(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: settings[key] for key in SAMPLING if settings[key] is not None}


def _line(one: Dropped) -> bytes:
    answer = one.candidate.answer
    row = {"id": answer.id, "sample": answer.sample, "reason": one.reason, "detail": one.detail}
    row |= {"reply": answer.completion.text, "completion_tokens": answer.completion.completion_tokens}
    return (json.dumps(row | {"model": answer.model, "cost": answer.cost}, ensure_ascii=False) + "\n").encode()


def _collection(
    gathered: Gathered,
    answered: Sequence[Example],
    traces: Sequence[traced.Trace],
    dropped: Mapping[str, int],
    withheld: Withheld,
    judge: Backend | None,
) -> card.Collection:
    answers = gathered.answers
    costs = [answer.cost for answer in answers if answer.cost is not None]
    return card.Collection(
        asked=answered,
        traces=traces,
        dropped={reason: count for reason, count in dropped.items() if count},
        teacher=card.model_name(gathered.settings["teacher"]),
        absent=list(withheld.absent),
        broken=withheld.broken,
        failed=gathered.asked.failed,
        left_out=gathered.source.left_out,
        model=gathered.settings["model"] or "",
        judge=getattr(judge, "model", judge.name) if judge else "",
        models=sorted({card.model_name(answer.model) for answer in answers if answer.model}),
        sampling=_sampling(gathered.settings),
        prompt_tokens=sum(answer.completion.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion.completion_tokens for answer in answers),
        cost=sum(costs) if costs else None,
        source=gathered.source.benchmark.name,
        unpriced=len(answers) - len(costs),
    )
