"""`--teacher self`: the model under training writes k answers to each question; the filters keep the right ones.

Rejection sampling: the traces are on the model's own policy, and cost time instead of money. Any backend of models/
answers; with `huggingface` an answer depends on (seed, question, sample) alone, so a broken-off run goes on to the same
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from fairreason.models.backends.base import Backend, Sampling
from fairreason.traces.ask import Asked, Job, answer_of
from fairreason.traces.journal import Journal


def write_own(
    backend: Backend,
    jobs: Sequence[Job],
    sampling: Sampling,
    journal: Journal,
    progress: Callable[[Asked], None] = lambda asked: None,
) -> Asked:
    """Lets the backend write the jobs' answers into the journal as they come. Raises RunError when one cannot be
    written; a question that cannot be answered counts as failed."""
    asked = Asked(wanted=len(jobs))
    by_id = {job.prompt.id: job.prompt for job in jobs}
    wanted = {(job.prompt.id, job.sample): job for job in jobs}
    last: Future[None] | None = None
    for samples, ids in _alike(jobs).items():
        prompts = [by_id[id] for id in ids]
        for index, answers in backend.generate(prompts, replace(sampling, samples=len(samples)), samples.start):
            for sample, made in zip(samples, answers, strict=True):
                job = wanted.get((prompts[index].id, sample))
                if job is None:  # between two that failed
                    continue
                kept = made.finish_reason != "error"
                if kept:
                    last = journal.add(answer_of(job, made, backend.fingerprint, None))
                asked.count(made, None, kept)
            if journal.error is not None:
                raise journal.error
            progress(asked)
    if last is not None:
        last.result()  # rows are written in their order
    return asked


def _alike(jobs: Sequence[Job]) -> dict[range, list[str]]:
    """The questions by the samples that they lack, from the first to the last."""
    lacking: dict[str, list[int]] = {}
    for job in jobs:
        lacking.setdefault(job.prompt.id, []).append(job.sample)
    groups: dict[range, list[str]] = {}
    for id, samples in lacking.items():
        groups.setdefault(range(min(samples), max(samples) + 1), []).append(id)
    return groups
