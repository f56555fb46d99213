"""Asks a model a benchmark's questions, grades what it says and scores the grades, into one folder a benchmark.

    out/lab-bias/completions.partial.jsonl   answers as they come (its first line says to which work they belong)
    out/lab-bias/...                         what evaluation/folder.py writes when all are there

A kill at any moment loses at most the answers of the last second; the same call goes on from there and ends in the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fairreason import __version__
from fairreason import benchmarks as known
from fairreason.benchmarks.base import Benchmark, Cut, folder_name, prompt_text, split_examples
from fairreason.errors import DataError, RunError, UsageError
from fairreason.evaluation.folder import Result, finished, read_result, write
from fairreason.evaluation.subset import subset
from fairreason.files import append_lines, read_jsonl, recover_lines, sweep, write_atomic
from fairreason.models.backends.base import Backend, Prompt, Sampling
from fairreason.records import Completion, Example, from_json, picture_hash, to_json

SAVE_SECONDS = 1.0
Progress = Callable[[str, int, int], None]


def evaluate(
    backend: Backend,
    benchmarks: Sequence[str | Benchmark],
    *,
    out: Path,
    split: str = "test",
    cut: Cut = "cluster",
    data: Path | None = None,
    samples: int = 1,
    temperature: float = 0.0,
    max_new_tokens: int = 64,
    seed: int = 0,
    thinking: str = "on",
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Result]:
    """Each benchmark's Result, by name. What `out` already holds for the same work is not done again.

    `limit` asks at most so many questions, whole bundles, spread evenly over the clusters (`subset`). `progress` is
    called with (benchmark, answered, of). Raises DataError where data is absent, UsageError for a limit below one
    bundle, RunError when nothing can be answered or `out` holds finished answers of other work.
    """
    sampling = Sampling(max_new_tokens, temperature, samples, seed, "off" if thinking == "off" else "on")
    results = {}
    chosen = [known.get(asked) if isinstance(asked, str) else asked for asked in benchmarks]
    for benchmark in chosen:
        benchmark.needs()
    for benchmark in chosen:
        examples = split_examples(benchmark, split, data, cut)
        if not examples:
            raise DataError(f"{benchmark.name}: the {split} split has no questions")
        if limit is not None:
            examples = subset(examples, limit)
        if not examples:
            raise UsageError(f"{benchmark.name}: a limit of {limit} is less than one bundle of its questions")
        results[benchmark.name] = _evaluate_one(
            backend, benchmark, examples, split, sampling, out / folder_name(benchmark.name), progress
        )
    return results


def _evaluate_one(
    backend: Backend,
    benchmark: Benchmark,
    examples: list[Example],
    split: str,
    sampling: Sampling,
    folder: Path,
    progress: Progress | None,
) -> Result:
    prompts = [Prompt(example.id, prompt_text(example), example.images) for example in examples]
    asked = [_asked(prompt) for prompt in prompts]
    work = _work(backend, benchmark, examples, asked, split, sampling)
    partial = folder / "completions.partial.jsonl"
    stored = finished(folder)
    if stored is not None:
        _check_own(folder, stored["work"], work)
    if stored is None:
        answers = _answers(backend, benchmark.name, prompts, sampling, partial, work, progress)
        write(benchmark, examples, answers, asked, split, sampling, folder, work)
    partial.unlink(missing_ok=True)
    sweep(folder)
    return read_result(folder.parent, benchmark.name)


def _asked(prompt: Prompt) -> str:
    """A question's words, shown order and pictures as a hash: two runs that differ in it were not asked the same."""
    pictures = [picture_hash(reference) for reference in prompt.images]
    return hashlib.sha256(json.dumps([prompt.text, pictures]).encode()).hexdigest()[:16]


def _work(
    backend: Backend,
    benchmark: Benchmark,
    examples: Sequence[Example],
    asked: Sequence[str],
    split: str,
    sampling: Sampling,
) -> str:
    """What the answers and grades depend on, as a hash: our version, model, settings, questions and their gold."""
    settings = [__version__, backend.fingerprint, benchmark.name, split, to_json(sampling)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for example, question in zip(examples, asked, strict=True):
        row = [example.id, question, example.answer, list(example.options), example.cluster]
        digest.update(json.dumps([*row, dict(example.metadata)], sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _answers(
    backend: Backend,
    name: str,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    partial: Path,
    work: str,
    progress: Progress | None,
) -> list[list[Completion]]:
    """All completions by prompt: those that the partial file holds, and the rest from the backend."""
    done = _resume(partial, work)
    open_indices = [index for index, prompt in enumerate(prompts) if prompt.id not in done]
    if progress:
        progress(name, len(done), len(prompts))
    stream = backend.generate([prompts[index] for index in open_indices], sampling)
    for saved in _in_batches(stream):
        rows = [{"id": prompts[open_indices[i]].id, "answers": [to_json(c) for c in answers]} for i, answers in saved]
        append_lines(partial, rows)
        done.update((prompts[open_indices[i]].id, answers) for i, answers in saved)
        if progress:
            progress(name, len(done), len(prompts))
    answers = [done[prompt.id] for prompt in prompts]
    if all(c.finish_reason == "error" for row in answers for c in row):
        partial.unlink(missing_ok=True)  # nothing in it is worth keeping, and a second try must be possible
        raise RunError(f"{name}: not one of {len(prompts)} questions could be answered ({answers[0][0].text})")
    return answers


def _resume(partial: Path, work: str) -> dict[str, list[Completion]]:
    """The answers that an earlier, unfinished call of the same work left."""
    if partial.exists():
        recover_lines(partial)
        rows = read_jsonl(partial)
        if rows:
            _check_own(partial.parent, rows[0].get("work"), work)
            return {row["id"]: [from_json(Completion, c) for c in row["answers"]] for row in rows[1:]}
    write_atomic(partial, json.dumps({"work": work}) + "\n")
    return {}


def _check_own(folder: Path, held: Any, work: str) -> None:
    if held != work:
        raise RunError(
            f"{folder}: holds the answers of another model, version, setting or set of questions. Name another folder"
        )


def _in_batches(stream: Iterator[tuple[int, list[Completion]]]) -> Iterator[list[tuple[int, list[Completion]]]]:
    """What came in about a second, so that a sync costs little beside the work it saves."""
    batch, since = [], time.monotonic()
    for item in stream:
        batch.append(item)
        if time.monotonic() - since >= SAVE_SECONDS:
            yield batch
            batch, since = [], time.monotonic()
    if batch:
        yield batch
