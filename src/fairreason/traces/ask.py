"""Asks a teacher over a server for every answer that the journal does not hold yet.

Requests run beside each other as the server allows (models/backends/limit.py). A slot takes the next question when its
answer is on disk. Nothing depends on order, concurrency or where a run was broken off: an answer belongs to (question,
sample), and the same command asks for exactly those that are missing.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from fairreason.benchmarks.base import prompt_text, question_hash
from fairreason.models.backends import background
from fairreason.models.backends.base import Prompt, Sampling
from fairreason.models.backends.openai_messages import BadReplyError
from fairreason.models.backends.openai_server import shown
from fairreason.models.backends.openai_session import Session
from fairreason.records import Completion, Example
from fairreason.traces.answers import Answer
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Teacher


class Job(NamedTuple):
    """One answer to ask for."""

    prompt: Prompt
    sample: int
    hash: str


@dataclass
class Asked:
    """What became of the answers that were wanted: `before` were kept from an earlier run, `answered` came in this one,
    `failed` did not (`reasons` says why and how often) and are asked again by the same command. Tokens and `cost` (US
    dollars, None without a price) are this run's. `stopped` says why not all were asked."""

    wanted: int = 0
    before: int = 0
    answered: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    reasons: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    def count(self, made: Completion, cost: float | None, kept: bool) -> None:
        self.cost = (self.cost or 0.0) + cost if cost is not None else self.cost
        if not kept:
            self.failed += 1
            self.reasons[made.text] += 1
            return
        self.answered += 1
        self.prompt_tokens += made.prompt_tokens
        self.completion_tokens += made.completion_tokens


def questions(examples: Sequence[Example]) -> list[Prompt]:
    """The examples as a teacher reads them."""
    return [Prompt(example.id, prompt_text(example), example.images) for example in examples]


def hashes(prompts: Sequence[Prompt]) -> dict[str, str]:
    """Every question as it is put, by id."""
    return {prompt.id: question_hash(prompt.text, prompt.images) for prompt in prompts}


def missing(prompts: Sequence[Prompt], asked: Mapping[str, str], samples: int, journal: Journal) -> list[Job]:
    """The answers that are wanted and not there, the first sample of every question first. Where some are there, those
    that were passed over before (they failed, it may be for good) stand last, and every other one of the rest is drawn
    by chance, so that questions that always fail do not stand in a row and stop each run."""
    jobs: list[Job] = []
    reached = 0
    for sample in range(samples):
        for prompt in prompts:
            if journal.holds(prompt.id, sample, asked[prompt.id]):
                reached = len(jobs)
            else:
                jobs.append(Job(prompt, sample, asked[prompt.id]))
    if not journal.held:
        return jobs
    rest = jobs[reached:]
    mixed = chain.from_iterable(zip(rest, random.sample(rest, len(rest)), strict=True))
    return [*dict.fromkeys(mixed), *jobs[:reached]]


def ask(
    teacher: Teacher,
    jobs: Sequence[Job],
    sampling: Sampling,
    journal: Journal,
    budget: Budget,
    *,
    concurrency: int = 32,
    time_limit: float = 600.0,
    progress: Callable[[Asked], None] = lambda asked: None,
) -> Asked:
    """Asks the jobs, `concurrency` at a time at most, each within `time_limit` seconds. Raises ModelError when asking
    on is of no use, RunError when an answer cannot be written; what has come before is in the journal. On a first
    Ctrl-C what is under way is waited for and kept too."""
    asked, ending = Asked(wanted=len(jobs)), asyncio.Event()

    async def work(deliver: Callable[[tuple[Completion, float | None, bool]], None]) -> None:
        session = Session(
            teacher.model,
            teacher.base_url,
            shown(teacher.base_url),
            concurrency,
            time_limit,
            teacher.key,
            teacher.dialect,
            ending,
        )
        session.answered = len(journal.held)  # a server that answered before is not gone when it refuses a question

        async def one(job: Job) -> bool:
            most = teacher.most(job.prompt, sampling)
            own: float | None = None
            lost = 0.0
            if not await budget.reserve(most):
                return False

            def again(bad: BadReplyError) -> bool:
                nonlocal lost
                lost += teacher.lost(bad)
                return budget.charge(teacher.lost(bad))

            try:
                reply = await session.answer(job.prompt, sampling, job.sample, again)
                if reply is None:
                    return False
                made, cost = reply.completion, lost or None
                if reply.paid:
                    own = teacher.cost(made, most)
                    cost = None if own is None else own + lost
                    await journal.keep(answer_of(job, made, reply.model, cost))
                deliver((made, cost, reply.paid))
            finally:
                budget.settle(most, own or 0.0)
            return True

        await session.work(jobs, one)

    answers = background.stream(work, ending)
    try:
        for made, cost, kept in answers:
            asked.count(made, cost, kept)
            progress(asked)
    except KeyboardInterrupt as stop:  # it may have come while counting; the journal takes what is under way
        answers.throw(stop)
        for _ in answers:
            pass
    if budget.exhausted:
        asked.stopped = f"--max-cost {budget.ceiling:g} leaves no room for another answer"
    return asked


def answer_of(job: Job, made: Completion, model: str, cost: float | None) -> Answer:
    """The record of one answer. A text that only closes its thinking part was opened by the prompt's template."""
    if "</think>" in made.text and "<think>" not in made.text.partition("</think>")[0]:
        made = Completion(f"<think>\n{made.text}", made.finish_reason, made.prompt_tokens, made.completion_tokens)
    return Answer(job.prompt.id, job.sample, made, model, cost, job.hash)
