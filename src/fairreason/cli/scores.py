"""`eval`, `score`, `compare`, `export` and `check`: call the public functions and print what comes back."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from fairreason import api
from fairreason.cli import console
from fairreason.cli import junit as reports
from fairreason.cli.console import Progress
from fairreason.errors import RunError, UsageError
from fairreason.evaluation import compare as comparison
from fairreason.evaluation import gate
from fairreason.evaluation.folder import grade_row
from fairreason.files import write_atomic
from fairreason.records import OUTCOMES, to_json

EXIT = {gate.WORSE: 3, gate.CANNOT_TELL: 4}
COMPARED = ("benchmark", "metric", "category", "condition", "a", "b", "difference", "ci_low", "ci_high", "p_holm", "n",
            "clusters", "verdict")  # fmt: skip


def run_eval(
    model: str,
    bench: str,
    items: Path | None,
    settings: dict[str, Any],
    data: Path | None,
    out: Path | None,
    grades: Path | None,
    as_json: bool,
) -> None:
    names = [name.strip() for name in bench.split(",") if name.strip()]
    if not names:
        raise UsageError("--bench: name at least one benchmark; `fairreason bench` lists them")
    from fairreason.benchmarks.items import named
    from fairreason.evaluation.scratch import answers_folder

    names = named(names, items)
    paid = settings["backend"] == "openai"
    with console.resumable() if out or paid else contextlib.nullcontext(), answers_folder(out, paid) as kept:
        progresses: dict[str, Progress] = {}

        def progress(name: str, done: int, total: int) -> None:
            progresses.setdefault(name, Progress(name))(done, total)
            if done == total:
                progresses[name].close()

        results = api.evaluate(model, names, data=data, out=kept, progress=progress, **settings)
        if grades:
            _write_grades(grades, kept, list(results))
        try:
            _show_results(results, as_json)
            console.flush()
        except OSError as error:  # must not cost the answers
            raise RunError(f"the scores cannot be printed ({error.strerror})") from None


def _show_results(results: Mapping[str, Any], as_json: bool) -> None:
    for name, result in results.items():
        for remark in result.remarks:
            print(f"{name}: {remark}", file=sys.stderr)
    scores = [to_json(score) for result in results.values() for score in result.scores]
    counts = {name: result.counts for name, result in results.items()}
    if as_json:
        console.show({"scores": scores, "counts": _sum(counts)})
    else:
        console.table(
            scores,
            ["benchmark", "metric", "category", "condition", "value", "stderr", "ci_low", "ci_high", "n", "clusters"],
        )
        print()
        console.table([{"benchmark": name, "n": sum(count.values()), **count} for name, count in counts.items()])


def run_score(
    bench: str,
    predictions: Path,
    items: Path | None,
    split: str | None,
    official: bool,
    grades: Path | None,
    data: Path | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    from fairreason.benchmarks.items import named

    if as_csv and as_json:
        raise UsageError("--csv and --json: choose one")
    (bench,) = named([bench], items)
    found = api.score(bench, predictions, split=split, official=official, data=data)
    for remark in found.remarks:
        print(f"{predictions}: {remark}", file=sys.stderr)
    graded = found.graded
    if grades:
        rows = (grade_row(*one) for one in zip(graded.examples, graded.samples, graded.grades, strict=True))
        write_atomic(grades, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    scores = [to_json(score) for score in found.scores]
    if as_json:
        more = {"ids": found.ids._asdict(), "excluded": found.excluded, "remarks": found.remarks}
        return console.show({"scores": scores, "counts": found.counts, **more})
    if as_csv:
        return console.csv_rows(scores)
    console.table(scores)
    print()
    console.table([{"benchmark": bench, "n": len(graded.grades), **found.counts}])


def run_compare(
    a: Path, b: Path, bench: str | None, margin: float, by_category: bool, data: Path | None, as_json: bool
) -> None:
    rows = api.compare(a, b, _names(bench), margin=margin, by_category=by_category, data=data, remark=_remark)
    console.show(rows) if as_json else console.table(rows, COMPARED)
    if open_rows := comparison.chancy(rows):
        _remark(
            f"{len(open_rows)} of {len(rows)} verdicts may be chance among so many (p_holm above {comparison.SURE:g}): "
            + ", ".join(" ".join(filter(None, (row["metric"], row["category"], row["condition"]))) for row in open_rows)
        )


def run_check(
    new: Path,
    base: Path,
    margins: Sequence[str],
    bench: str | None,
    junit: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    found = api.check(new, base, _margins(margins) or None, _names(bench), data=data, remark=_remark)
    for name, reason in found.left_out.items():
        print(f"{name} is left out of R: {reason}", file=sys.stderr)
    if junit:
        reports.write(junit, found.rows)
    if as_json:
        console.show({"verdict": found.verdict, "axes": found.rows, "left_out": found.left_out})
    else:
        console.table(found.rows)
        for row in found.rows:
            print(reports.sentence(row), file=sys.stderr)
    if found.verdict != gate.NOT_WORSE:
        raise typer.Exit(EXIT[found.verdict])


def run_export(run: Path, out: Path, bench: str | None, data: Path | None) -> None:
    from fairreason.evaluation import sides
    from fairreason.exports import inspect_log

    if not run.is_dir():
        raise UsageError(f"{run}: no such folder")
    for side in sides.evaluated(run, _names(bench), api.data_folder(data)).values():
        print(inspect_log.write(side, run, out))


def _remark(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _margins(texts: Sequence[str]) -> dict[str, float]:
    """The sizes by axis. Raises UsageError; on an axis that stands twice too, since only one could count."""
    found: dict[str, float] = {}
    for axis, size in map(_margin, texts):
        if axis in found:
            raise UsageError(f"--margin {axis}: stands twice; give one size for an axis")
        found[axis] = size
    return found


def _margin(text: str) -> tuple[str, float]:
    """`F=.02` as axis and size. Raises UsageError."""
    axis, _, size = text.partition("=")
    try:
        value = float(size)
    except ValueError:
        value = math.nan
    if not axis or not 0 <= value <= 1:
        raise UsageError(f"--margin {text}: must be AXIS=SIZE with a size from 0 to 1, e.g. F=.02")
    return axis, value


def _names(bench: str | None) -> list[str]:
    return [name.strip() for name in (bench or "").split(",") if name.strip()]


def _write_grades(path: Path, folder: Path, names: Sequence[str]) -> None:
    from fairreason.evaluation.folder import read_grades
    from fairreason.files import write_atomic

    rows = [{"benchmark": name, **row} for name in names for row in read_grades(folder, name)]
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _sum(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    return {outcome: sum(count.get(outcome, 0) for count in counts.values()) for outcome in OUTCOMES}
