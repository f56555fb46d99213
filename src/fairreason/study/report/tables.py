"""The report's tables as plain rows, ready for the template: shares, sweet spots, hypervolume, verdicts, runs.

Nothing is computed here but sums of counts; values and intervals are those of frontier.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairreason.records import OUTCOMES
from fairreason.study.report.read import Row, Run, Study

MAIN = {
    "F": "Fairness F",
    "accuracy_ambig": "accuracy, ambiguous",
    "accuracy_disambig": "accuracy, disambiguated",
    "s_amb": "s_AMB (0 is best)",
    "s_dis": "s_DIS (0 is best)",
    "abstention_j": "abstention J",
    "R": "Reasoning R",
}
MORE = {
    "s_amb_abs": "mean of |s_AMB|",
    "unknown_ambig": "unknown, ambiguous",
    "unknown_disambig": "unknown, disambiguated",
    "R0": "R0 (against share 0)",
}
COST = {
    "prompt_tokens": "prompt tokens",
    "trained_tokens": "trained tokens",
    "sampled_tokens": "sampled tokens",
    "seconds": "seconds",
    "steps": "optimizer steps",
}
METRICS = {"accuracy": "accuracy", "accuracy_ambig": "ambiguous", "accuracy_disambig": "disambiguated"}


def number(value: Any, digits: int = 3) -> str:
    """A value as it is printed: three digits, a true minus sign; a dash where it is undefined.

    >>> number(-0.0551), number(None)
    ('−0.055', '–')
    """
    if value is None:
        return "–"
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def interval(estimate: Mapping[str, Any] | None) -> str:
    """`[low, high]`, empty where the number has none."""
    if not estimate or estimate.get("ci_low") is None or estimate.get("ci_high") is None:
        return ""
    return f"[{number(estimate['ci_low'])}, {number(estimate['ci_high'])}]"


def percent(value: Any) -> str:
    """A share as people say it.

    >>> percent(0.05), percent(0.125)
    ('5 %', '12.5 %')
    """
    return "–" if value is None else f"{100 * value:.4g} %"


def amount(value: Any) -> str:
    """A count or a cost, thousands apart.

    >>> amount(96000.0), amount(61.25)
    ('96 000', '61.2')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", " ") if value == int(value) or value >= 1000 else f"{value:.1f}"


def estimate_of(point: Mapping[str, Any], key: str) -> Row | None:
    """A point's number by the name it has on an axis or in by_benchmark."""
    if key in ("F", "R", "R0"):
        return point.get(key)
    found = (point.get("axes") or {}).get(key)
    return found if found is not None else (point.get("by_benchmark") or {}).get(key)


def overview(study: Study) -> Row:
    """What the page's head says: model, settings, how many runs came to what, the marks."""
    status = [run.status for run in study.runs]
    recipe, points = study.recipe, study.frontier.get("points", [])
    marks = list(dict.fromkeys([*study.frontier.get("marks", []), *(recipe.get("marks") or [])]))
    evaluation = recipe.get("evaluation") or {}
    return {
        "model": str(recipe.get("model") or "unknown"),
        "thinking": str(recipe.get("thinking") or "unknown"),
        "note": str(recipe.get("note") or ""),
        "version": str(study.info.get("version") or "unknown"),
        "size": (recipe.get("mixture") or {}).get("size"),
        "split": str(evaluation.get("split") or "test"),
        "samples": evaluation.get("samples", 1),
        "strategies": list(dict.fromkeys(point["label"] for point in points)),
        "seeds": sorted({seed for point in points for seed in point.get("seeds", [])}),
        "total": len(status),
        "finished": status.count("finished"),
        "failed": status.count("failed"),
        "open": len(status) - status.count("finished") - status.count("failed"),
        "collapsed": [run for run in study.runs if run.collapsed_at is not None],
        "marks": [str(mark) for mark in marks],
        "left_out": study.frontier.get("left_out") or [],
        "undefined": study.frontier.get("undefined") or [],
        "base": _headline(study.frontier.get("base")),
        "sweet": _sweet(study.frontier),
        "hypervolume": (study.frontier.get("hypervolume") or {}).get("all"),
        "number": number,
        "interval": interval,
        "percent": percent,
    }


def _headline(point: Mapping[str, Any] | None) -> Row | None:
    if not point:
        return None
    keys = ("F", "R", "accuracy_ambig", "accuracy_disambig", "s_amb", "s_dis", "abstention_j")
    found = {key: estimate_of(point, key) for key in keys}
    return {"label": point.get("label"), "share": point.get("bias_share"), **found}


def _sweet(frontier: Mapping[str, Any]) -> Row | None:
    spots = frontier.get("sweet_spot") or {}
    rho = f"{(frontier.get('constants') or {}).get('retention', 0.95):.2f}"
    spot = spots.get(rho)
    if spot is None:
        return None
    best = next((p for p in frontier.get("points", []) if p["name"] == spot.get("best")), None)
    return {"rho": rho, "best": _headline(best), "alike": max(0, len(spot.get("alike") or []) - 1)}


def share_table(study: Study) -> Row:
    """Strategies x shares, the paper's shape with everything that belongs beside a number: columns are the base and
    the shares, every strategy is a group of rows. A configuration whose runs all failed is a cell that says so."""
    points = study.frontier.get("points", [])
    base = study.frontier.get("base")
    counts = {run.folder.name: run for run in study.runs}
    wanted = [(run.label, run.share, run.folder.name) for run in study.runs if run.strategy not in ("none", "base")]
    columns = sorted({share for _, share, _ in wanted if share is not None})
    columns += list(dict.fromkeys(p["name"] for p in points if p.get("bias_share") is None))
    groups = []
    for label, places in _groups(points, wanted).items():
        cells = [places.get(column) for column in columns]
        holes = [_hole(study.runs, label, column) for column in columns]
        groups.append({"label": label, "rows": _rows(study, base, cells, holes, counts), "cells": cells})
    names = [percent(column) if isinstance(column, float | int) else str(column) for column in columns]
    return {"columns": names, "groups": groups, "base": base is not None}


def _groups(points: Sequence[Row], wanted: Sequence[tuple[str, Any, str]]) -> dict[str, dict[Any, Row]]:
    """Label -> column -> point. Points of one label and share that differ in other settings get a group of their own."""
    groups: dict[str, dict[Any, Row]] = {label: {} for label, _, _ in wanted}
    for point in points:
        column = point["name"] if point.get("bias_share") is None else point["bias_share"]
        label = point["label"]
        if column in groups.setdefault(label, {}):
            label = point["name"]
        groups.setdefault(label, {})[column] = point
    return groups


def _hole(runs: Sequence[Run], label: str, column: Any) -> str:
    states = [run.status for run in runs if run.label == label and run.share == column]
    if not states:
        return ""
    return "failed" if "failed" in states else "not finished"


def _rows(
    study: Study, base: Row | None, cells: Sequence[Row | None], holes: Sequence[str], runs: Mapping[str, Run]
) -> list[Row]:
    benchmarks = study.frontier.get("benchmarks") or {}
    rows = [_row(title, key, base, cells, holes) for key, title in MAIN.items()]
    rows += [_row(name, f"accuracy/{name}", base, cells, holes) for name in benchmarks.get("reasoning", [])]
    rows += [_row(title, key, base, cells, holes, more=True) for key, title in MORE.items()]
    for name in benchmarks.get("bias", []):
        for key, title in {"F": "F", **METRICS}.items():
            rows.append(_row(f"{name}: {title}", f"{key}/{name}", base, cells, holes, more=True))
    rows = [row for row in rows if row["known"]]
    everyone = [base, *cells]
    rows.append(_plain("on the frontier, probability", [_probability(p) for p in everyone], holes))
    rows.append(_plain("answers, n", [_counts(p, runs) for p in everyone], holes))
    for key, title in COST.items():
        rows.append(_plain(title, [amount(((p or {}).get("cost") or {}).get(key)) for p in everyone], holes))
    return rows


def _row(
    title: str, key: str, base: Row | None, cells: Sequence[Row | None], holes: Sequence[str], more: bool = False
) -> Row:
    found = [estimate_of(point, key) if point else None for point in (base, *cells)]
    shown = [{"value": number((e or {}).get("value")) if e else "–", "interval": interval(e)} for e in found]
    for cell, point, hole in zip(shown[1:], cells, holes, strict=True):
        cell["hole"] = hole if point is None else ""
    return {"title": title, "key": key, "more": more, "cells": shown, "known": any(e for e in found)}


def _plain(title: str, texts: Sequence[str], holes: Sequence[str]) -> Row:
    cells = [{"value": text, "interval": "", "hole": ""} for text in texts]
    return {"title": title, "key": "", "more": True, "cells": cells, "known": True}


def _probability(point: Row | None) -> str:
    if not point or point.get("frontier_probability") is None:
        return "–"
    return ("yes, " if point.get("on_frontier") else "no, ") + number(point["frontier_probability"], 2)


def _counts(point: Row | None, runs: Mapping[str, Run]) -> str:
    """n = correct + wrong + unparsed + truncated + error over all runs and benchmarks of the point."""
    found = [counts for name in (point or {}).get("runs", []) if name in runs for counts in runs[name].counts.values()]
    if not found:
        return "–"
    total = {key: sum(counts[key] for counts in found) for key in ("n", *OUTCOMES)}
    return f"{amount(total['n'])} = " + " + ".join(amount(total[outcome]) for outcome in OUTCOMES)
