"""Asks a model a benchmark's questions, grades what it says and scores the grades, into one folder a benchmark.

    out/lab-bias/completions.partial.jsonl   answers as they come (its first line says to which work they belong)
    out/lab-bias/...                         what evaluation/folder.py writes when all are there

A kill at any moment loses no answer that has come (a power cut at most those of the last second); the same call goes on
from there, asks again what failed, and ends in the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fairreason import __version__
from fairreason import benchmarks as known
from fairreason.benchmarks.base import Benchmark, Cut, folder_name, letters, prompt_text, split_examples
from fairreason.errors import DataError, RunError, UsageError
from fairreason.evaluation.cache import Cache
from fairreason.evaluation.folder import Result, finished, read_result, write
from fairreason.evaluation.subset import subset
from fairreason.files import LineLog, read_jsonl, recover_lines, sweep, write_atomic
from fairreason.models.backends.base import Backend, Mode, Prompt, Sampling, prompt_hash
from fairreason.records import Completion, Example, from_json, to_json

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
    mode: str = "generate",
    limit: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Result]:
    """Each benchmark's Result, by name. What `out` already holds for the same work is not done again.

    `mode` "letters" reads the answer off the position behind the prompt instead of letting the model write: thinking
    off, nothing drawn, benchmarks with options only. `limit` asks at most so many questions, whole bundles, spread
    evenly over the clusters (`subset`). `cache` is a folder of answers that outlives `out` (evaluation/cache.py), None
    for none. `progress` is called with (benchmark, answered, of). Raises DataError where data is absent, UsageError for
    a limit below one bundle and a mode that does not fit, RunError when nothing can be answered or `out` holds finished
    answers of other work.
    """
    if mode == "letters":
        sampling = _letters(backend, samples, temperature, seed)
    else:
        sampling = Sampling(max_new_tokens, temperature, samples, seed, "off" if thinking == "off" else "on")
    kept = Cache(cache, backend, sampling) if cache else None
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
            backend, benchmark, examples, split, sampling, out / folder_name(benchmark.name), kept, progress
        )
    return results


def _evaluate_one(
    backend: Backend,
    benchmark: Benchmark,
    examples: list[Example],
    split: str,
    sampling: Sampling,
    folder: Path,
    cache: Cache | None,
    progress: Progress | None,
) -> Result:
    prompts = [_prompt(example, sampling.mode) for example in examples]
    asked = [prompt_hash(prompt)[:16] for prompt in prompts]
    work = _work(backend, benchmark, examples, asked, split, sampling)
    partial = folder / "completions.partial.jsonl"
    stored = finished(folder)
    if stored is not None:
        _check_own(folder, stored["work"], work)
    if stored is None:
        answers = _answers(backend, benchmark.name, prompts, sampling, partial, work, cache, progress)
        write(benchmark, examples, answers, asked, split, sampling, folder, work)
    partial.unlink(missing_ok=True)
    sweep(folder)
    return read_result(folder.parent, benchmark.name)


def _letters(backend: Backend, samples: int, temperature: float, seed: int) -> Sampling:
    """The settings of mode `letters`. Raises UsageError for a backend without it, and where samples are asked for."""
    if "letters" not in getattr(backend, "modes", ()):
        raise UsageError(f"backend {backend.name} gives no probabilities of letters; use huggingface, or mode generate")
    if samples > 1 or temperature > 0:
        raise UsageError("mode letters reads one probability and draws nothing: samples 1 and temperature 0 only")
    return Sampling(1, 0.0, 1, seed, "off", "letters")


def _prompt(example: Example, mode: Mode) -> Prompt:
    if mode == "letters" and not example.options:
        raise UsageError(f"{example.id}: no options, so no letters to choose from; use mode generate")
    return Prompt(example.id, prompt_text(example), example.images, letters(example) if mode == "letters" else "")


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
    cache: Cache | None,
    progress: Progress | None,
) -> list[list[Completion]]:
    """All completions by prompt: those that the partial file and the cache hold, and the rest from the backend."""
    done = _resume(partial, work)
    with _Kept(partial, cache) as kept:
        left = [prompt for prompt in prompts if prompt.id not in done]
        for index, found in (cache.find(left) if cache else {}).items():
            kept.add(left[index], found, fresh=False)
            done[left[index].id] = found
        left = [prompt for prompt in left if prompt.id not in done]
        shown = time.monotonic()
        if progress:
            progress(name, len(done), len(prompts))
        stream = backend.generate(left, sampling)
        try:
            for index, made in stream:
                kept.add(left[index], made, fresh=True)
                done[left[index].id] = made
                if progress and (time.monotonic() - shown >= SAVE_SECONDS or len(done) == len(prompts)):
                    shown = time.monotonic()
                    progress(name, len(done), len(prompts))
        finally:
            if close := getattr(stream, "close", None):
                close()  # what is still under way at a server is given up now, not when the memory is tidied
    answers = [done[prompt.id] for prompt in prompts]
    if all(c.finish_reason == "error" for row in answers for c in row):
        partial.unlink(missing_ok=True)  # nothing in it is worth keeping, and a second try must be possible
        raise RunError(f"{name}: not one of {len(prompts)} questions could be answered ({answers[0][0].text})")
    return answers


def _resume(partial: Path, work: str) -> dict[str, list[Completion]]:
    """The answers that an earlier, unfinished call of the same work left; what failed then is asked again."""
    if partial.exists():
        recover_lines(partial)
        rows = read_jsonl(partial)
        if rows:
            _check_own(partial.parent, rows[0].get("work"), work)
            held = {row["id"]: [from_json(Completion, c) for c in row["answers"]] for row in rows[1:]}
            return {name: row for name, row in held.items() if all(c.finish_reason != "error" for c in row)}
    write_atomic(partial, json.dumps({"work": work}) + "\n")
    return {}


def _check_own(folder: Path, held: Any, work: str) -> None:
    if held != work:
        raise RunError(
            f"{folder}: holds the answers of another model, version, setting or set of questions. Name another folder"
        )


class _Kept:
    """Where answers are put as they come: each into the partial file at once, about every second into the cache."""

    def __init__(self, partial: Path, cache: Cache | None) -> None:
        self.log = LineLog(partial, SAVE_SECONDS)
        self.cache = cache
        self.waiting: list[tuple[Prompt, list[Completion]]] = []
        self.since = time.monotonic()

    def add(self, prompt: Prompt, answers: list[Completion], fresh: bool) -> None:
        self.log.add({"id": prompt.id, "answers": [to_json(one) for one in answers]})
        if fresh and self.cache:
            self.waiting.append((prompt, answers))
            if time.monotonic() - self.since >= SAVE_SECONDS:
                self._flush()

    def _flush(self) -> None:
        if self.cache:
            self.cache.add(self.waiting)
        self.waiting, self.since = [], time.monotonic()

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._flush()
        finally:
            self.log.close()
