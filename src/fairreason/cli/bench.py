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
from fairreason.draws import SPLITS, Split
from fairreason.errors import DataError, UsageError
from fairreason.records import Example

if TYPE_CHECKING:
    from fairreason.benchmarks.base import Benchmark


def run_bench(
    name: str | None,
    split: str,
    validate: bool,
    export: Path | None,
    lm_eval: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    from fairreason import benchmarks

    if name is None and (export or lm_eval):
        raise UsageError(f"{'--export' if export else '--lm-eval'}: name the benchmark to write")
    asked = [benchmarks.get(name)] if name else list(benchmarks.BENCHMARKS.values())
    asked += [part for key, part in benchmarks.PARTS.items() if name and key.startswith(f"{name}/")]
    folder = api.data_folder(data)
    if export:
        questions = asked[0].load(split, folder)
        _export(export, questions)
        print(f"{export}: {len(questions):,} questions", file=sys.stderr)
    if lm_eval:
        from fairreason.exports import lm_eval_task

        task = lm_eval_task.write(asked[0], asked[0].load(split, folder), lm_eval)
        print(f"{task.path}: {task.questions:,} questions", file=sys.stderr)
        for id, reason in list(task.left_out.items())[:1]:
            print(f"{len(task.left_out):,} left out, the first {id}: {reason}", file=sys.stderr)
    with contextlib.nullcontext() if name else nothing_fetched():
        rows = [_validated(benchmark, folder) if validate else _at_hand(benchmark, folder) for benchmark in asked]
    console.show(rows) if as_json else console.table(rows)
    if any(row.get("status") == "failed" for row in rows) or (name and rows[0].get("status") in ("absent", "not run")):
        raise typer.Exit(1)


def _at_hand(benchmark: Benchmark, folder: Path | None) -> dict[str, Any]:
    from fairreason.benchmarks.base import by_split

    try:
        splits = by_split(benchmark, folder)
    except DataError as error:
        return _row(benchmark, {}, {"note": str(error)})
    remarks = benchmark.remarks([row for rows in splits.values() for row in rows])
    return _row(benchmark, {split: len(rows) for split, rows in splits.items()}, {"note": "; ".join(remarks)})


def _validated(benchmark: Benchmark, folder: Path | None) -> dict[str, Any]:
    from fairreason.benchmarks import validate

    progress = console.Progress(benchmark.name)
    try:
        found = validate.validate(benchmark, folder, progress)
    finally:
        progress.close()
    unchecked = f"{found.unchecked:,} of them cannot be graded as published" if found.unchecked else ""
    note = "; ".join(filter(None, [validate.summary(found.problems), unchecked]))
    return _row(benchmark, found.splits, {"status": found.status, "note": note})


def _row(benchmark: Benchmark, sizes: dict[Split, int], more: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, Any] = {split: sizes.get(split) for split in SPLITS}
    return {"benchmark": benchmark.name, "axis": benchmark.axis, **counts, **more}


def _export(path: Path, examples: Sequence[Example]) -> None:
    from fairreason.benchmarks.base import prompt_text
    from fairreason.files import write_atomic

    rows = (
        {"id": e.id, "prompt": prompt_text(e), "options": list(e.options), "images": list(e.images)} for e in examples
    )
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
