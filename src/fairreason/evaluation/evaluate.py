"""Asks a model a benchmark's questions, grades what it says and scores the grades, into one folder a benchmark.

    out/lab-bias/completions.partial.jsonl   answers as they come (its first line says to which work they belong)
    out/lab-bias/completions.jsonl           all answers in the benchmark's order, one row a sample
    out/lab-bias/grades.jsonl                what became of each: id, sample, cluster, outcome, choice, answer, rule
    out/lab-bias/scores.json                 settings, counts by outcome, scores; written last, so it means finished

A kill at any moment loses at most the answers of the last second; the same call goes on from there and ends in the same
bytes. Every answer is counted once: n = correct + wrong + unparsed + truncated + error (law 1).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fairreason import __version__
from fairreason import benchmarks as known
from fairreason.benchmarks.base import Benchmark, Cut, folder_name, prompt_text, split_examples
from fairreason.draws import unit_hash
from fairreason.errors import DataError, RunError, UsageError
from fairreason.evaluation import statistics
from fairreason.files import append_lines, read_jsonl, recover_lines, sweep, write_atomic, write_json
from fairreason.models.backends.base import Backend, Prompt, Sampling
from fairreason.records import (
    OUTCOMES,
    Completion,
    Example,
    Grade,
    Measure,
    Score,
    from_json,
    picture_hash,
    to_json,
)

SAVE_SECONDS = 1.0
Progress = Callable[[str, int, int], None]


class Result(NamedTuple):
    """A benchmark's scores, and how many answers came to each outcome."""

    scores: list[Score]
    counts: dict[str, int]


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
    for asked in benchmarks:
        benchmark = known.get(asked) if isinstance(asked, str) else asked
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


def read_result(folder: Path, benchmark: str) -> Result:
    """A finished benchmark's Result from its evaluation folder. Raises DataError when it is not there."""
    own = folder / folder_name(benchmark)
    stored = _finished(own)
    if stored is None:
        raise DataError(f"{own}: no finished evaluation (scores.json)")
    return Result([from_json(Score, row) for row in stored["scores"]], stored["counts"])


def read_grades(folder: Path, benchmark: str) -> list[dict[str, Any]]:
    """The rows of a benchmark's grades.jsonl, in the benchmark's order. Raises DataError when it is not there."""
    return read_jsonl(folder / folder_name(benchmark) / "grades.jsonl")


def read_measures(folder: Path, benchmark: Benchmark, examples: Sequence[Example]) -> list[Measure]:
    """The measures behind a finished benchmark's scores, for draws and pairs over runs. Raises DataError when an id of
    the folder is not among `examples`."""
    by_id = {example.id: example for example in examples}
    rows = read_grades(folder, benchmark.name)
    missing = [row["id"] for row in rows if row["id"] not in by_id]
    if missing:
        raise DataError(f"{folder / benchmark.name}: {missing[0]} is not among the questions of {benchmark.name}")
    grades = [Grade(row["outcome"], row["choice"], row["answer"], row["rule"]) for row in rows]
    return benchmark.summarize([by_id[row["id"]] for row in rows], grades)


def subset(examples: Sequence[Example], limit: int) -> list[Example]:
    """At most `limit` examples in whole bundles, in their order: from every cluster its first bundle by hash, then from
    every cluster its second, and so on."""
    bundles: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, example in enumerate(examples):
        bundles[example.cluster][example.bundle or example.id].append(index)
    queue = []
    for cluster, members in bundles.items():
        ranked = sorted(members, key=lambda name: (unit_hash("limit/" + name), name))
        queue += [(turn, unit_hash("limit/" + cluster), cluster, members[name]) for turn, name in enumerate(ranked)]
    kept: list[int] = []
    for _, _, _, rows in sorted(queue, key=lambda entry: entry[:3]):
        if len(kept) + len(rows) <= limit:
            kept += rows
    return [examples[index] for index in sorted(kept)]


def grade_one(benchmark: Benchmark, example: Example, completion: Completion) -> Grade:
    """The completion's grade; a failed completion, and one on which grading fails, is an `error` with its reason."""
    if completion.finish_reason == "error":
        return Grade("error", rule=completion.text[:300])
    try:
        return benchmark.grade(example, completion)
    except Exception as error:  # one example's trouble is recorded on it and counted
        return Grade("error", rule=f"{type(error).__name__}: {error}"[:300])


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
    work = _work(backend, benchmark, examples, prompts, split, sampling)
    partial = folder / "completions.partial.jsonl"
    stored = _finished(folder)
    if stored is not None:
        _check_own(folder, stored["work"], work)
    if stored is None:
        answers = _answers(backend, benchmark.name, prompts, sampling, partial, work, progress)
        _write(benchmark, examples, answers, split, sampling, folder, work)
    partial.unlink(missing_ok=True)
    sweep(folder)
    return read_result(folder.parent, benchmark.name)


def _work(
    backend: Backend,
    benchmark: Benchmark,
    examples: Sequence[Example],
    prompts: Sequence[Prompt],
    split: str,
    sampling: Sampling,
) -> str:
    """What the answers and grades depend on, as a hash: our version, model, settings, questions and their gold."""
    settings = [__version__, backend.fingerprint, benchmark.name, split, to_json(sampling)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for example, prompt in zip(examples, prompts, strict=True):
        pictures = [picture_hash(reference) for reference in prompt.images]
        row = [prompt.id, prompt.text, pictures, example.answer, list(example.options), example.cluster]
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


def _write(
    benchmark: Benchmark,
    examples: Sequence[Example],
    answers: Sequence[Sequence[Completion]],
    split: str,
    sampling: Sampling,
    folder: Path,
    work: str,
) -> None:
    flat = [(e, s, c) for e, row in zip(examples, answers, strict=True) for s, c in enumerate(row)]
    grades = [grade_one(benchmark, example, completion) for example, _, completion in flat]
    scores = scores_of(benchmark, [example for example, _, _ in flat], grades)
    counted = Counter(grade.outcome for grade in grades)
    _write_jsonl(folder / "completions.jsonl", ({"id": e.id, "sample": s, **to_json(c)} for e, s, c in flat))
    _write_jsonl(folder / "grades.jsonl", (_grade_row(e, s, g) for (e, s, _), g in zip(flat, grades, strict=True)))
    settings = {"benchmark": benchmark.name, "split": split, **dataclasses.asdict(sampling)}
    counts = {outcome: counted[outcome] for outcome in OUTCOMES}
    rows = [to_json(score) for score in scores]
    write_json(folder / "scores.json", {"work": work, **settings, "n": len(flat), "counts": counts, "scores": rows})


def scores_of(benchmark: Benchmark, examples: Sequence[Example], grades: Sequence[Grade]) -> list[Score]:
    """The benchmark's measures with their errors, as flat rows."""
    measures = benchmark.summarize(examples, grades)
    return [
        Score(benchmark.name, m.metric, m.category, m.condition, **to_json(statistics.estimate(m))) for m in measures
    ]


def _grade_row(example: Example, sample: int, grade: Grade) -> dict[str, Any]:
    place = {"category": example.metadata.get("category"), "condition": example.metadata.get("condition")}
    return {"id": example.id, "sample": sample, "cluster": example.cluster, **to_json(grade), **place}


def _write_jsonl(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def _finished(folder: Path) -> dict[str, Any] | None:
    """The content of scores.json, None where there is none that can be read."""
    try:
        return json.loads((folder / "scores.json").read_text())
    except (OSError, ValueError):
        return None
