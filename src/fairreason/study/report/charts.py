"""What the page's scripts draw, as one JSON value: points, base, holes, the axes to choose from, training curves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fairreason.study.report.read import Row, Run, Study

AXES = {
    "F": "F (fairness)",
    "s_amb": "s_AMB (0 is fair)",
    "s_amb_abs": "|s_AMB| by category (lower is fairer)",
    "s_dis": "s_DIS (0 is fair)",
    "nonalignment_cost": "non-alignment cost (accuracy against the stereotype − with it; 0 is fair)",
    "accuracy_ambig": "ambiguous accuracy",
    "accuracy_disambig": "disambiguated accuracy",
    "abstention_j": "J (unknown where right − where wrong)",
    "unknown_ambig": "unknown rate, ambiguous",
    "unknown_disambig": "unknown rate, disambiguated",
}
COSTS = {
    "trained_tokens": "trained tokens",
    "sampled_tokens": "sampled tokens",
    "prompt_tokens": "prompt tokens",
    "seconds": "training seconds",
    "steps": "optimizer steps",
}
HEIGHTS = {"R": "R (reasoning kept, base = 1)", "R0": "R₀ (reasoning against share 0)"}
STEPS = 400
"""Logged steps of a run that are drawn; of more, every k-th."""
OVERALL = ("loss", "share_examples", "share_tokens", "unknown_disambig", "learning_rate")


def charts(study: Study) -> Row:
    """The data block of the page."""
    frontier = study.frontier
    points = [_point(row) for row in frontier.get("points", [])]
    for point in points:
        point["series"] = series(point["label"], point["model"], study.models, point["name"])
    base = _point(frontier["base"]) if frontier.get("base") else None
    accuracies = sorted({key for point in points for key in point["values"] if key.startswith("accuracy/")})
    return {
        "points": points,
        "base": base,
        "holes": holes(study),
        "axes": [[key, text] for key, text in AXES.items()],
        "costs": [[key, text] for key, text in COSTS.items()],
        "heights": [*([key, text] for key, text in HEIGHTS.items()), *([key, key] for key in accuracies)],
        "names": {run.folder.name: run.name for run in study.runs},
        "curves": [_curves(run, study.models) for run in study.runs if run.metrics],
    }


def series(label: str, model: str, models: set[str], point: str) -> str:
    """What shares one colour: the strategy, with the model where the study has several, and with the settings that
    stand in the point's name because other points of that strategy and share have others."""
    settings = re.sub(r"[\w.]+\.(\w+)=", r"\1=", re.sub(r"\bmodel=\S+ ?", "", point.partition(" ")[2])).strip()
    return " · ".join(part for part in (label, model if len(models) > 1 else "", settings) if part)


def holes(study: Study) -> list[Row]:
    """Configurations without a single finished run, though one failed."""
    shown = {run for point in study.frontier.get("points", []) for run in point.get("runs", [])}
    done = {run.point for run in study.runs if run.folder.name in shown}
    found: dict[str, Row] = {}
    for run in study.runs:
        if run.status == "failed" and run.point not in done:
            name = series(run.label, run.model, study.models, run.point)
            place = {"series": name, "share": run.share, "trained": run.strategy != "none"}
            row = found.setdefault(run.point, {**place, "runs": [], "reason": run.reason})
            row["runs"].append(run.name)
    return list(found.values())


def _point(row: Mapping[str, Any]) -> Row:
    values = {key: row.get(key) for key in ("F", "R", "R0")} | dict(row.get("axes") or {})
    values |= dict(row.get("by_benchmark") or {})
    return {
        "name": row["name"],
        "label": row.get("label") or row.get("strategy"),
        "model": row.get("model") or "",
        "share": row.get("bias_share"),
        "trained": row.get("strategy") != "none",
        "seeds": row.get("seeds") or [],
        "values": {key: _ends(value) for key, value in values.items() if value is not None},
        "cost": row.get("cost") or {},
        "hollow": bool(row.get("hollow")),
        "collapsed": row.get("collapsed") or [],
        "frontier": {"F": bool(row.get("on_frontier")), "s_amb_abs": bool(row.get("on_frontier_s_amb_abs"))},
        "probability": {
            "F": row.get("frontier_probability"),
            "s_amb_abs": row.get("frontier_probability_s_amb_abs"),
        },
        "singles": [_single(one) for one in row.get("single_runs") or []],
    }


def _single(one: Mapping[str, Any]) -> Row:
    values = {key: one.get(key) for key in ("F", "R", "R0")} | dict(one.get("axes") or {})
    return {"run": one.get("run"), "seed": one.get("seed"), "values": values, "cost": one.get("cost") or {}}


def _ends(value: Mapping[str, Any]) -> list[float | None]:
    return [value.get("value"), value.get("ci_low"), value.get("ci_high")]


def _curves(run: Run, models: set[str]) -> Row:
    rows = run.metrics[:: -(-len(run.metrics) // STEPS)]
    sources = sorted({name for row in rows for name in row.get("sources") or {}})
    measured = {
        name: _columns([(row.get("sources") or {}).get(name) or {} for row in rows], ("n", "tokens"))
        for name in sources
    }
    overall = _columns([{key: row.get(key) for key in OVERALL} for row in rows], ())
    name = series(run.label, run.model, models, run.point)
    place = {"run": run.name, "series": name, "share": run.share, "seed": run.seed}
    return {**place, "steps": [row.get("step") for row in rows], "sources": {**measured, "all": overall}}


def _columns(rows: Sequence[Mapping[str, Any]], left_out: Sequence[str]) -> dict[str, list[Any]]:
    """Rows as columns, those alone that hold a number somewhere."""
    keys = sorted({key for row in rows for key, value in row.items() if value is not None} - set(left_out))
    return {key: [row.get(key) for row in rows] for key in keys}
