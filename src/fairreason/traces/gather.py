"""All answers of a teacher to a benchmark's training questions: the part of `fairreason traces` that asks.

What cannot give a usable trace is refused before anything is paid for: questions kept for reports, a source whose
answers no rule can check, settings that the teacher does not take, a journal of other settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from fairreason import benchmarks
from fairreason.benchmarks import traced_source
from fairreason.benchmarks.base import Benchmark
from fairreason.errors import DataError, ModelError, RunError, UsageError
from fairreason.evaluation.subset import subset
from fairreason.models.backends import BACKENDS
from fairreason.models.backends.base import Backend, Prompt, Sampling
from fairreason.models.backends.openai_server import shown
from fairreason.records import Example
from fairreason.traces import ask, batch, outputs, own, teachers, under_way
from fairreason.traces.answers import Answer
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal, journal_path
from fairreason.traces.teachers import Price, Teacher

SPLIT = "train"
"""Nothing trains on another, so no other is asked."""
UNCHECKABLE = "no rule can check their answer"
Progress = Callable[[int, int, float | None], None]
"""Called with (answers there, of, US dollars that this run has cost or None)."""


@dataclass(frozen=True)
class Request:
    """What is asked for. `temperature` None: 1, where the teacher takes one. `model` is the model's name or folder for
    the teacher `self` (which `backend` loads), for others the server's name where that is another."""

    bench: str
    teacher: str
    out: Path
    base_url: str | None = None
    model: str | None = None
    backend: str = "huggingface"
    limit: int | None = None
    samples: int = 1
    temperature: float | None = None
    max_new_tokens: int = 8192
    thinking: Literal["on", "off"] = "on"
    seed: int = 0
    concurrency: int = 32
    time_limit: float = 600.0
    max_cost: float | None = None
    price: Price | None = None
    batch: bool = False
    threads: int = 1


class Source(NamedTuple):
    """A benchmark's questions, and how many rows of its split are none, by reason: those that its own loader leaves
    out, and those that no rule can check."""

    benchmark: Benchmark
    examples: list[Example]
    left_out: Mapping[str, int]


class Gathered(NamedTuple):
    """The answers, sorted by (question, sample), what became of all that were wanted, and how was asked. `error`: what
    ended the asking before all was asked (the account is empty, say); raise it when the answers are used."""

    source: Source
    answers: list[Answer]
    asked: ask.Asked
    settings: dict[str, Any]
    journal: Path
    error: ModelError | None = None


def gather(
    request: Request,
    data: Path | None = None,
    progress: Progress = lambda done, of, cost: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Gathered:
    """Asks for what the journal beside `out` does not hold yet. Raises FairReasonError; what was answered stays. A
    teacher that goes away when these questions have answers is no exception, but the result's `error`."""
    outputs.check(request.out, request.bench)
    if not request.batch:
        under_way.refuse(journal_path(request.out))
    teacher = None if request.teacher == teachers.SELF else _teacher(request)
    sampled = teacher is None or teacher.dialect.sampled
    temperature = (1.0 if request.temperature is None else request.temperature) if sampled else 0.0
    if sampled and temperature == 0 and request.samples > 1:
        raise UsageError("--samples above 1 need a temperature above 0: greedy answers are all alike")
    if teacher is None:
        _refuse_remote(request)
    found = source(request.bench, request.limit, data)
    backend = None if teacher else _backend(request)
    sampling = Sampling(request.max_new_tokens, temperature, request.samples, request.seed, request.thinking)
    settings = {
        "benchmark": found.benchmark.name,
        "split": SPLIT,
        "teacher": request.teacher,
        "model": teacher.model if teacher else request.model,
        "address": shown(teacher.base_url) if teacher else None,
        "version": backend.fingerprint if backend else None,
        "temperature": temperature if sampled else None,
        "seed": request.seed if sampled else None,
        "max_new_tokens": request.max_new_tokens,
        "thinking": request.thinking,
    }
    prompts = ask.questions(found.examples)
    hashes = ask.hashes(prompts)
    with Journal(journal_path(request.out), settings) as journal:
        jobs = ask.missing(prompts, hashes, request.samples, journal)
        before = len(prompts) * request.samples - len(jobs)
        progress(before, before + len(jobs), None)

        asked, error = ask.Asked(), None

        def seen(now: ask.Asked) -> None:
            nonlocal asked
            asked = now
            progress(before + now.answered + now.failed, before + len(jobs), now.cost)

        try:
            asked = _ask(request, teacher, backend, prompts, jobs, sampling, journal, seen, tell)
        except ModelError as trouble:
            error = _kept(trouble, journal, teacher)
        asked.wanted, asked.before = before + len(jobs), before
    answers = journal.answers(hashes, request.samples)
    if error is not None and not answers:
        raise error
    if jobs and not (asked.answered or before or asked.stopped):
        reason = next(iter(asked.reasons), "no reason given")
        raise RunError(f"{found.benchmark.name}: not one of {len(jobs):,} answers came ({reason})")
    return Gathered(found, answers, asked, settings, journal.path, error)


def source(name: str, limit: int | None, data: Path | None) -> Source:
    """The questions that a teacher may be asked. Raises UsageError or DataError where it may not."""
    if traced_source.path_of(name) is not None:
        raise UsageError(f"{name}: these questions have traces already; name the benchmark that they are of")
    benchmark = benchmarks.get(name)
    if not benchmark.trains:
        raise UsageError(f"{name}: is for evaluation alone, nothing trains on it, so it needs no traces")
    if SPLIT not in benchmark.splits:
        raise UsageError(
            f"{name}: has no {SPLIT} split ({', '.join(benchmark.splits)} alone); test questions are for reports"
        )
    benchmark.needs()
    everything = benchmark.load(SPLIT, data)
    examples = [example for example in everything if example.metadata.get("checkable") is not False]
    left_out = +Counter({**benchmark.left_out(SPLIT, data), UNCHECKABLE: len(everything) - len(examples)})
    if not examples:
        why = "; ".join(f"{rows:,} left out: {reason}" for reason, rows in left_out.items()) or "it is empty"
        raise DataError(f"{name}: its {SPLIT} split has no questions to ask ({why}), so no trace of it could be kept")
    chosen = subset(examples, limit) if limit is not None else examples
    if not chosen:
        raise UsageError(f"{name}: a limit of {limit} is less than one bundle of its questions")
    return Source(benchmark, chosen, left_out)


def _teacher(request: Request) -> Teacher:
    refuse(request, ("backend", "threads"), f"is for the teacher {teachers.SELF}; this one is asked over a server")
    teacher = teachers.find(request.teacher, request.base_url, request.model, request.price)
    shown(teacher.base_url)  # what is no address is an error now
    teachers.check_sampling(teacher, request.temperature, request.thinking)
    if not journal_path(request.out).exists():  # one that is whole needs no key
        teachers.check_key(teacher)
    if request.batch and teacher.price and not request.price:
        price = teacher.price
        half = Price(price.input * batch.DISCOUNT, price.output * batch.DISCOUNT, price.date)
        teacher = replace(teacher, price=half)
    Budget(request.max_cost, teacher.price)  # a ceiling without a price is an error now
    return teacher


def _refuse_remote(request: Request) -> None:
    served = ("base_url", "concurrency", "time_limit", "max_cost", "price", "batch")
    refuse(request, served, "is for a teacher over a server; the teacher self runs here")
    if request.model is None:
        raise UsageError("--teacher self: name the model under training with --model")
    if request.backend not in BACKENDS:
        raise UsageError(f"--backend: unknown backend {request.backend}; there are {', '.join(BACKENDS)}")
    if request.backend != "huggingface":
        refuse(request, ("threads",), "is for --backend huggingface")


def refuse(request: Request, options: Collection[str], why: str) -> None:
    """Raises UsageError for the first of these options that is not at its default."""
    for option in fields(Request):
        if option.name in options and getattr(request, option.name) != option.default:
            raise UsageError(f"--{option.name.replace('_', '-')}: {why}")


def _backend(request: Request) -> Backend:
    options = {"threads": request.threads} if request.backend == "huggingface" else {}
    return BACKENDS[request.backend](request.model or "", **options)


def _ask(
    request: Request,
    teacher: Teacher | None,
    backend: Backend | None,
    prompts: list[Prompt],
    jobs: list[ask.Job],
    sampling: Sampling,
    journal: Journal,
    seen: Callable[[ask.Asked], None],
    tell: Callable[[str], None],
) -> ask.Asked:
    if backend is not None:
        return own.write_own(backend, jobs, sampling, journal, seen)
    assert teacher is not None
    budget = Budget(request.max_cost, teacher.price, _spent(teacher, prompts, sampling, journal))
    if not jobs and not under_way.batch_path(journal.path).exists():
        return ask.Asked()
    teachers.check_key(teacher)
    if request.batch:
        return batch.ask_batch(
            teacher, jobs, sampling, journal, budget, time_limit=request.time_limit, progress=seen, tell=tell
        )
    return ask.ask(
        teacher, jobs, sampling, journal, budget,
        concurrency=request.concurrency, time_limit=request.time_limit, progress=seen,
    )  # fmt: skip


def _spent(teacher: Teacher, prompts: list[Prompt], sampling: Sampling, journal: Journal) -> float:
    """What the journal's answers cost; those that were asked for without a price, at the teacher's."""
    if teacher.price is None:
        return journal.spent
    put = {prompt.id: prompt for prompt in prompts}
    return journal.spent + sum(
        teacher.cost(one.completion, teacher.most(put.get(one.id, Prompt(one.id, "")), sampling)) or 0.0
        for one in journal.unpriced()
    )


def _kept(error: ModelError, journal: Journal, teacher: Teacher | None) -> ModelError:
    """The error with what to do next."""
    if journal.held:
        goes_on = "" if isinstance(error, batch.BatchError) else "; the same command goes on"  # it says so itself
        return ModelError(f"{error}. The {len(journal.held):,} answers in {journal.path} stay{goes_on}")
    if teacher and teacher.retired:
        return ModelError(
            f"{error}. {teacher.name} was switched off there on {teacher.retired}: name the same model's host with "
            "--base-url, or a successor with --model"
        )
    return error
