"""`fairreason bench`: the benchmarks there are, whether their data is at hand and sound; their questions as a file."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fairreason import api
from fairreason.benchmarks.hub import nothing_fetched
from fairreason.cli import console
from fairreason.errors import DataError, FairReasonError, UsageError
from fairreason.records import Completion, Example

if TYPE_CHECKING:
    from fairreason.benchmarks.base import Benchmark


def run_bench(
    name: str | None, split: str, validate: bool, export: Path | None, data: Path | None, as_json: bool
) -> None:
    from fairreason import benchmarks

    if name is None and export:
        raise UsageError("--export: name the benchmark to write")
    asked = [benchmarks.get(name)] if name else list(benchmarks.BENCHMARKS.values())
    asked += [part for key, part in benchmarks.PARTS.items() if name and key.startswith(f"{name}/")]
    folder = api.data_folder(data)
    with contextlib.nullcontext() if name else nothing_fetched():
        rows = [_bench_row(benchmark, folder, validate) for benchmark in asked]
    if export:
        questions = asked[0].load(split, folder)
        _export(export, questions)
        print(f"{export}: {len(questions):,} questions", file=sys.stderr)
    console.show(rows) if as_json else console.table(rows)
    broken = [row for row in rows if row.get("valid") is False]
    if broken:
        raise typer.Exit(1)


def _bench_row(benchmark: Benchmark, folder: Path | None, validate: bool) -> dict[str, Any]:
    from fairreason.benchmarks.base import answer_text

    row: dict[str, Any] = {"benchmark": benchmark.name, "axis": benchmark.axis}
    try:
        splits = {split: benchmark.load(split, folder) for split in benchmark.splits}
    except DataError as error:
        return {
            **row,
            "train": None,
            "dev": None,
            "test": None,
            "note": str(error),
            **({"valid": False} if validate else {}),
        }
    row |= {split: len(splits.get(split, ())) for split in ("train", "dev", "test")}
    row["note"] = ""
    if validate:
        try:
            benchmark.needs()
        except FairReasonError as error:
            return {**row, "valid": None, "note": str(error)}
        examples = [example for rows in splits.values() for example in rows]
        whole = [example for example in examples if "incomplete" not in example.metadata]
        wrong = [e.id for e in whole if benchmark.grade(e, Completion(answer_text(e))).outcome != "correct"]
        row |= {"valid": not wrong, "note": f"gold not graded correct: {', '.join(wrong[:3])}" if wrong else ""}
    return row


def _export(path: Path, examples: Sequence[Example]) -> None:
    from fairreason.benchmarks.base import prompt_text
    from fairreason.files import write_atomic

    rows = (
        {"id": e.id, "prompt": prompt_text(e), "options": list(e.options), "images": list(e.images)} for e in examples
    )
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
