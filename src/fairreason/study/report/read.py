"""What a study folder holds, read for the report: the study, its frontier, and of every run state, curves and scores.

Tolerant where a study is still running (a run without scores, a metrics log whose last line is torn), strict where a
finished file is broken: then DataError names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fairreason.errors import DataError
from fairreason.files import iter_jsonl, read_jsonl
from fairreason.records import OUTCOMES

Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run of the study. `point` names its configuration, `label` is the strategy as the frontier names it ("kd
    on_policy"); `counts` maps each benchmark to n and its five outcomes; `scores` are the flat rows of every
    scores.json."""

    name: str
    folder: Path
    point: str
    strategy: str
    label: str
    share: float | None
    seed: int | None
    status: str
    reason: str
    model: str
    collapsed_at: int | None
    cost: Row
    metrics: list[Row]
    scores: list[Row]
    counts: dict[str, Row]


@dataclass(frozen=True)
class Study:
    """A study folder. `frontier` is frontier.json as it stands, {} while the study has none yet; `questions` are the
    rows of questions.jsonl by (benchmark, id)."""

    folder: Path
    info: Row
    frontier: Row
    runs: list[Run]
    questions: dict[tuple[str, str], Row]

    @property
    def recipe(self) -> Row:
        return dict(self.info.get("recipe") or {})

    @cached_property
    def models(self) -> set[str]:
        """The models that its runs start from."""
        return {run.model for run in self.runs}


def read_study(folder: Path) -> Study:
    """The study in this folder. Raises DataError when there is none or it has nothing to show yet."""
    if not (folder / "study.json").is_file():
        raise DataError(f"{folder}: no study.json in it. Name the folder that `fairreason study --out` wrote")
    info = _object(folder / "study.json")
    frontier = _object(folder / "frontier.json") if (folder / "frontier.json").is_file() else {}
    shown = [*frontier.get("points", []), *([frontier["base"]] if frontier.get("base") else [])]
    labels = {run: point for point in shown for run in point.get("runs", [])}
    runs = [_run(folder, row, labels) for row in info.get("runs", [])]
    if not any(run.scores for run in runs):
        raise DataError(f"{folder}: no run has scores yet, so there is nothing to report. Run `fairreason study` on it")
    questions = {(str(q.get("benchmark")), str(q.get("id"))): q for q in torn_rows(folder / "questions.jsonl")}
    return Study(folder, info, frontier, runs, questions)


def benchmark_folders(run: Run) -> list[Path]:
    """The run's evaluation folders, by name."""
    root = run.folder / "evaluation"
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def torn_rows(path: Path) -> list[Row]:
    """The rows of a JSONL log that may still be written: a last line without its line end is left out."""
    if not path.is_file():
        return []
    rows = []
    try:
        for row in iter_jsonl(path):
            rows.append(row)
    except DataError:
        if path.read_bytes().endswith(b"\n"):
            raise
    return rows


def _run(study: Path, row: Mapping[str, Any], points: Mapping[str, Row]) -> Run:
    folder = _run_folder(study, row)
    state_file = folder / "state.json"
    state = _object(state_file) if state_file.is_file() else {}
    point = points.get(folder.name) or points.get(str(row.get("name"))) or {}
    strategy = str(row.get("strategy") or "none")
    scores: list[Row] = []
    counts: dict[str, Row] = {}
    root = folder / "evaluation"
    for bench in sorted(root.iterdir()) if root.is_dir() else []:
        if (bench / "scores.json").is_file():
            name, found, outcome = _scores(bench)
            scores += found
            counts[name] = outcome
    return Run(
        name=str(row.get("name") or folder.name),
        folder=folder,
        point=str(row.get("point") or row.get("name") or folder.name),
        strategy=strategy,
        label=str(point.get("label") or row.get("label") or strategy),
        share=row.get("bias_share"),
        seed=row.get("seed"),
        status=str(row.get("status") or state.get("status") or "waiting"),
        reason=str(row.get("reason") or state.get("reason") or ""),
        model=str(row.get("model") or ""),
        collapsed_at=state.get("collapsed_at"),
        cost=dict(state.get("cost") or {}),
        metrics=torn_rows(folder / "metrics.jsonl"),
        scores=scores,
        counts=counts,
    )


def _run_folder(study: Path, row: Mapping[str, Any]) -> Path:
    """The run's folder, always a direct child of runs/: study.json is text like any other, never a way out."""
    name = Path(str(row.get("folder") or row.get("name") or "")).name
    return study / "runs" / (name if name not in {"", ".", ".."} else "_")


def benchmark_name(folder: Path) -> str:
    """The benchmark of an evaluation folder, whose own name is flat ("items:a/b" cannot be a folder)."""
    file = folder / "scores.json"
    return str(_object(file).get("benchmark") or folder.name) if file.is_file() else folder.name


def _scores(folder: Path) -> tuple[str, list[Row], Row]:
    """The benchmark, its flat score rows and {n, outcome: count}; counted from the grades where none are written."""
    value = _object(folder / "scores.json")
    counts = value.get("counts")
    if counts is None:
        grades = read_jsonl(folder / "grades.jsonl") if (folder / "grades.jsonl").is_file() else []
        counts = {outcome: sum(row.get("outcome") == outcome for row in grades) for outcome in OUTCOMES}
    counts = {outcome: int(counts.get(outcome, 0)) for outcome in OUTCOMES}
    return benchmark_name(folder), value.get("scores", []), {"n": sum(counts.values()), **counts}


def _object(path: Path) -> Row:
    value = _json(path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: not a JSON object")
    return value


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not JSON ({error})") from None
