"""What an evaluation's folder holds of one benchmark, written once it is whole and read by everybody.

    out/lab-bias/completions.jsonl           all answers in the benchmark's order, one row a sample
    out/lab-bias/grades.jsonl                what became of each: id, cluster, outcome, choice, answer, rule, `asked` (a
                                             hash of the question as it was put), `gold` (one of what it was graded by)
    out/lab-bias/scores.json                 settings, our version, counts by outcome, scores; written last, so it means
                                             finished

Every answer is counted once: n = correct + wrong + unparsed + truncated + error (law 1).
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fairreason import __version__
from fairreason.benchmarks.base import Benchmark, folder_name, gold_hash, grade_one
from fairreason.errors import DataError
from fairreason.evaluation import statistics
from fairreason.files import read_jsonl, write_atomic, write_json
from fairreason.models.backends.base import Sampling
from fairreason.records import OUTCOMES, Completion, Example, Grade, Measure, Score, from_json, to_json


class Result(NamedTuple):
    """A benchmark's scores, how many answers came to each outcome, and what the scores cannot show (`remarks`)."""

    scores: list[Score]
    counts: dict[str, int]
    remarks: tuple[str, ...] = ()


def write(
    benchmark: Benchmark,
    examples: Sequence[Example],
    answers: Sequence[Sequence[Completion]],
    asked: Sequence[str],
    split: str,
    sampling: Sampling,
    folder: Path,
    work: str,
) -> None:
    """Grades and scores all answers and writes the three files; `asked` is a hash of each question as it was put."""
    flat = [(e, s, c) for e, row in zip(examples, answers, strict=True) for s, c in enumerate(row)]
    grades = [grade_one(benchmark, example, completion) for example, _, completion in flat]
    put = dict(zip((example.id for example in examples), asked, strict=True))
    hashes = {e.id: {"asked": put[e.id], "gold": gold_hash(e)} for e in examples}
    read = ({**grade_row(e, s, g), **hashes[e.id]} for (e, s, _), g in zip(flat, grades, strict=True))
    scores = scores_of(benchmark, [example for example, _, _ in flat], grades)
    _write_jsonl(folder / "completions.jsonl", ({"id": e.id, "sample": s, **to_json(c)} for e, s, c in flat))
    _write_jsonl(folder / "grades.jsonl", read)
    settings = {"benchmark": benchmark.name, "split": split, **dataclasses.asdict(sampling)}
    counts = count(grades)
    rows = [to_json(score) for score in scores]
    said = {"n": len(flat), "counts": counts, "scores": rows, "remarks": benchmark.remarks(examples)}
    write_json(folder / "scores.json", {"work": work, "version": __version__, **settings, **said})


def scores_of(benchmark: Benchmark, examples: Sequence[Example], grades: Sequence[Grade]) -> list[Score]:
    """The benchmark's measures with their errors, as flat rows."""
    measures = benchmark.summarize(examples, grades)
    return [
        Score(benchmark.name, m.metric, m.category, m.condition, **to_json(statistics.estimate(m))) for m in measures
    ]


def count(grades: Sequence[Grade]) -> dict[str, int]:
    """How many answers came to each outcome."""
    counted = Counter(grade.outcome for grade in grades)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def grade_row(example: Example, sample: int, grade: Grade) -> dict[str, Any]:
    """A row of grades.jsonl."""
    place = {"category": example.metadata.get("category"), "condition": example.metadata.get("condition")}
    return {"id": example.id, "sample": sample, "cluster": example.cluster, **to_json(grade), **place}


def _write_jsonl(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def read_result(folder: Path, benchmark: str) -> Result:
    """A finished benchmark's Result from its evaluation folder. Raises DataError when it is not there."""
    own = folder / folder_name(benchmark)
    stored = finished(own)
    if stored is None:
        raise DataError(f"{own}: no finished evaluation (scores.json)")
    return Result(
        [from_json(Score, row) for row in stored["scores"]], stored["counts"], tuple(stored.get("remarks", ()))
    )


def read_grades(folder: Path, benchmark: str) -> list[dict[str, Any]]:
    """The rows of a benchmark's grades.jsonl, in the benchmark's order. Raises DataError when it is not there, and when
    it does not hold each of the answers that scores.json counts once."""
    own = folder / folder_name(benchmark)
    rows = read_jsonl(own / "grades.jsonl")
    doubled = len(rows) - len({(row.get("id"), row.get("sample")) for row in rows})
    stored = finished(own) or {}
    counted = stored.get("n", len(rows))
    if doubled or len(rows) != counted:
        more = f", {doubled:,} of them doubled," if doubled else ""
        raise DataError(
            f"{own / 'grades.jsonl'}: holds {len(rows):,} rows{more} for the {counted:,} answers that scores.json "
            "counts. Evaluate again into another folder"
        )
    outcomes = Counter(row.get("outcome") for row in rows)
    if outcomes != Counter(stored.get("counts", outcomes)):
        raise DataError(
            f"{own / 'grades.jsonl'}: its outcomes are not those that scores.json counts. Evaluate again into another "
            "folder"
        )
    return rows


def read_measures(folder: Path, benchmark: Benchmark, examples: Sequence[Example]) -> list[Measure]:
    """The measures behind a finished benchmark's scores, for draws and pairs over runs. Raises DataError when an id of
    the folder is not among `examples`."""
    asked, grades, _ = read_graded(folder, benchmark, examples)
    return benchmark.summarize(asked, grades)


def read_graded(
    folder: Path, benchmark: Benchmark, examples: Sequence[Example]
) -> tuple[list[Example], list[Grade], list[dict[str, Any]]]:
    """A finished benchmark's examples, grades and rows of grades.jsonl, in parallel. Raises DataError when an id of the
    folder is not among `examples`."""
    by_id = {example.id: example for example in examples}
    rows = read_grades(folder, benchmark.name)
    missing = [row["id"] for row in rows if row["id"] not in by_id]
    if missing:
        where = folder / benchmark.name
        raise DataError(f"{where}: {missing[0]} is not among the questions of {benchmark.name}; is it the same data?")
    grades = [Grade(row["outcome"], row["choice"], row["answer"], row["rule"]) for row in rows]
    return [by_id[row["id"]] for row in rows], grades, rows


def finished(folder: Path) -> dict[str, Any] | None:
    """The content of scores.json, None where there is none that can be read."""
    try:
        return json.loads((folder / "scores.json").read_text())
    except (OSError, ValueError):
        return None
