"""The rows of the page's tables, in the order of the study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from fairreason.study.report.charts import COSTS, holes, series
from fairreason.study.report.read import Row, Study

COLUMNS = {
    "F": "F",
    "R": "R",
    "R0": "R₀",
    "accuracy_ambig": "Accuracy, ambiguous",
    "accuracy_disambig": "Accuracy, disambiguated",
    "s_amb": "s_AMB",
    "s_amb_abs": "|s_AMB| by category",
    "s_dis": "s_DIS",
    "nonalignment_cost": "Non-alignment cost",
    "abstention_j": "J",
    "unknown_ambig": "Unknown rate, ambiguous",
    "unknown_disambig": "Unknown rate, disambiguated",
}
KINDS = {
    "share": "A share against the lowest share of the same strategy",
    "strategy": "Two strategies at the same share",
    "base": "Every point against the base",
}
CATEGORY_METRICS = {
    ("fairness", None): "F",
    ("accuracy", "ambig"): "accuracy, ambiguous",
    ("accuracy", "disambig"): "accuracy, disambiguated",
    ("accuracy", None): "accuracy",
    ("s_amb", "ambig"): "s_AMB",
    ("s_dis", "disambig"): "s_DIS",
    ("nonalignment_cost", "disambig"): "non-alignment cost",
    ("abstention_j", None): "J",
}


def points(study: Study) -> list[Row]:
    """Base, then strategies x shares; a configuration whose runs all failed is a hole with its reason."""
    known = study.frontier.get("points", [])
    asked = Counter(run.point for run in study.runs)
    of_run = {run.folder.name: run.point for run in study.runs}
    rows = []
    for point in known:
        name = series(point["label"], str(point.get("model") or ""), study.models, point["name"])
        runs = point.get("runs") or []
        rows.append(_row(point, name) | {"asked": asked[of_run.get(runs[0], "")] if runs else len(runs)})
    rows += [
        {"series": hole["series"], "share": hole["share"], "hole": hole["reason"] or "failed"} for hole in holes(study)
    ]
    order = {name: index for index, name in enumerate(dict.fromkeys(row["series"] for row in rows))}
    rows.sort(key=lambda row: (order[row["series"]], row["share"] is None, row["share"] or 0))
    base = study.frontier.get("base")
    return [*([_row(base, "base")] if base else []), *rows]


def _row(point: Mapping[str, Any], name: str) -> Row:
    values = {key: point.get(key) for key in ("F", "R", "R0")} | dict(point.get("axes") or {})
    return {
        "series": name,
        "share": point.get("bias_share"),
        "hole": None,
        "name": point["name"],
        "hollow": bool(point.get("hollow")),
        "collapsed": point.get("collapsed") or [],
        "on_frontier": bool(point.get("on_frontier")),
        "probability": point.get("frontier_probability"),
        "seeds": len(point.get("seeds") or []),
        "values": [values.get(key) for key in COLUMNS],
        "cost": [(point.get("cost") or {}).get(key) for key in COSTS],
    }


OF_BIAS = {"F": "F", "accuracy_ambig": "accuracy, ambiguous", "accuracy_disambig": "accuracy, disambiguated"}


def over_shares(study: Study) -> Row:
    """The paper's shape: a row a strategy and benchmark number, a column a share, the base's first."""
    known, benchmarks = study.frontier.get("points", []), study.frontier.get("benchmarks", {})
    shares = sorted({point["bias_share"] for point in known if point.get("bias_share") is not None})
    numbers = [(f"{key}/{name}", name, text) for name in benchmarks.get("bias", []) for key, text in OF_BIAS.items()]
    numbers += [(f"accuracy/{name}", name, "accuracy") for name in benchmarks.get("reasoning", [])]
    cells: dict[str, dict[float, Row]] = {}
    for point in known:
        if point.get("bias_share") is not None:
            name = series(point["label"], str(point.get("model") or ""), study.models, point["name"])
            cells.setdefault(name, {}).setdefault(point["bias_share"], point)
    base = (study.frontier.get("base") or {}).get("by_benchmark") or {}
    rows = [
        {
            "series": name,
            "benchmark": benchmark,
            "number": text,
            "base": base.get(key),
            "cells": [(by_share.get(share, {}).get("by_benchmark") or {}).get(key) for share in shares],
        }
        for name, by_share in cells.items()
        for key, benchmark, text in numbers
    ]
    return {"shares": shares, "rows": rows}


def hypervolumes(study: Study) -> list[tuple[str, Row]]:
    """The area of all points, then of each strategy's own."""
    return list((study.frontier.get("hypervolume") or {}).items())


def settings(study: Study) -> list[str]:
    """How every number of the study was asked for, in words."""
    recipe = study.recipe
    asked = recipe.get("evaluation") or {}
    samples, limit = asked.get("samples", 1), asked.get("limit")
    heat = asked.get("temperature") or 0
    said = [
        f"thinking {recipe.get('thinking', 'on')}",
        f"{asked.get('split', 'test')} split",
        f"{samples} answer{'s' if samples != 1 else ''} a question, {f'temperature {heat:g}' if heat else 'greedy'}",
    ]
    return [*said, f"at most {limit} questions a benchmark"] if limit else said


def contrasts(study: Study) -> list[tuple[str, list[Row]]]:
    """The contrasts by kind, each kind with its title."""
    rows = sorted(study.frontier.get("contrasts", []), key=lambda row: list(KINDS).index(row.get("kind", "share")))
    return [(KINDS[kind], list(some)) for kind, some in groupby(rows, key=lambda row: row.get("kind", "share"))]


def area_contrasts(study: Study) -> list[Row]:
    """Pairs of strategies by the hypervolume of the points that both made under the same conditions."""
    return list(study.frontier.get("hypervolume_contrasts") or [])


def sweet_spots(study: Study) -> list[Row]:
    """For each share of reasoning to keep: the best point, those alike, and how often draws choose which share."""
    rows = []
    for rho, spot in study.frontier.get("sweet_spot", {}).items():
        often = sorted((spot.get("by_share") or {}).items(), key=lambda pair: -pair[1])
        alike = [name for name in spot.get("alike") or [] if name != spot.get("best")]
        rows.append({"rho": rho, "best": spot.get("best"), "alike": alike, "often": often[:4]})
    return rows


def categories(study: Study) -> list[Row]:
    """One table a benchmark and metric: runs x categories."""
    tables: dict[tuple[str, str, str | None], Row] = {}
    for run in study.runs:
        for score in run.scores:
            key = (str(score["benchmark"]), score["metric"], score["condition"])
            if score["category"] is None or key[1:] not in CATEGORY_METRICS:
                continue
            title = CATEGORY_METRICS[key[1:]]
            table = tables.setdefault(key, {"benchmark": key[0], "title": title, "names": {}, "rows": {}})
            table["names"][score["category"]] = None
            table["rows"].setdefault(run.folder.name, (run.name, {}))[1][score["category"]] = score
    return sorted(tables.values(), key=lambda table: table["benchmark"])


def status(study: Study) -> dict[str, int]:
    """How many runs are finished, failed, running, waiting."""
    states = [run.status for run in study.runs]
    return {state: states.count(state) for state in dict.fromkeys(states)}
