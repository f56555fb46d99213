"""Which differences between points are real: paired by seed, Student's t with S-1 degrees on the per-seed differences.

Three kinds: a share against the lowest share of the same strategy, a strategy against another on the same model and
mixture, and every point against the base. The interval speaks of the seeds, on these questions; `joint_ci_low` and
`joint_ci_high` are those of the joint draws, which speak of other questions as well. p is adjusted (Holm) over all
contrasts of one kind and metric. With one seed nothing is known about the spread: the verdict is `undefined`. Seeds
that agree to the last bit have no interval of their own: the verdict is then that of the joint one. A verdict goes by
the contrast's own interval; p_holm says what survives among many. `n` and `clusters` are what each run was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from fairreason.evaluation.statistics import holm, over_seeds, verdict
from fairreason.study import frontier
from fairreason.study.numbers import grounds
from fairreason.study.points import Point

BETTER = {"F": 1, "R": 1, "accuracy_ambig": 1, "accuracy_disambig": 1, "s_amb_abs": -1}
"""Metrics that are compared, and which way is better."""


def contrasts(points: Sequence[Point], base: Point, margin: float) -> list[dict[str, Any]]:
    """All contrasts as frontier.json lists them; `difference` is `to` minus `from`."""
    pairs = [("share", low, point) for low, point in _along_shares(points)]
    trained = [point for point in points if point.label != "none"]
    pairs += [
        ("strategy", a, b) for a, b in combinations(trained, 2) if a.label != b.label and a.conditions == b.conditions
    ]
    pairs += [("base", base, point) for point in points]
    rows = [row for kind, a, b in pairs for metric in BETTER if (row := _contrast(kind, a, b, metric, margin))]
    groups = {(row["kind"], row["metric"]) for row in rows}
    for group in groups:
        members = [row for row in rows if (row["kind"], row["metric"]) == group and row["p"] is not None]
        for row, adjusted in zip(members, holm([row["p"] for row in members]), strict=True):
            row["p_holm"] = adjusted
    return rows


def _along_shares(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    pairs = []
    for point in points:
        family = [p for p in points if p.share is not None and p.family == point.family]
        lowest = min(family, key=lambda p: p.share or 0.0, default=None)
        if lowest is not None and point.share is not None and lowest is not point:
            pairs.append((lowest, point))
    return pairs


def _contrast(kind: str, a: Point, b: Point, metric: str, margin: float) -> dict[str, Any] | None:
    if metric not in b.values or (metric not in a.values and not (kind == "base" and metric == "R")):
        return None
    seeds = b.seeds if kind == "base" else [seed for seed in b.seeds if seed in a.seeds]
    if not seeds:
        return None
    of_b = [float(b.runs_SD[metric][b.seeds.index(seed), 0]) for seed in seeds]
    if kind == "base":
        of_a, draws = [float(a.values[metric][0])] * len(seeds), b.values[metric] - a.values[metric]
    else:
        of_a = [float(a.runs_SD[metric][a.seeds.index(seed), 0]) for seed in seeds]
        draws = b.values[metric] - a.values[metric]
    found = over_seeds([y - x for x, y in zip(of_a, of_b, strict=True)])
    low, high = found.estimate.ci_low, found.estimate.ci_high
    sign, ground = BETTER[metric], grounds(b.runs[0].measures, b.axes, metric)
    joint = frontier.interval(draws)
    ends = joint if low is None or high is None else (low, high)
    ends = ends if sign > 0 else (-ends[1], -ends[0])
    return {
        "kind": kind,
        "strategy": b.label,
        "from": _end(kind, a),
        "to": _end(kind, b),
        "from_point": a.name,
        "to_point": b.name,
        "metric": metric,
        "difference": found.estimate.value,
        "stderr": found.estimate.stderr,
        "ci_low": low,
        "ci_high": high,
        "joint_ci_low": joint[0],
        "joint_ci_high": joint[1],
        "p": found.p,
        "p_holm": None,
        "seeds": len(seeds),
        "n": ground.n,
        "clusters": ground.clusters,
        "verdict": verdict(*ends, margin) if len(seeds) > 1 else "undefined",
    }


def _end(kind: str, point: Point) -> Any:
    """How an end of the contrast is named: its share, its strategy, or base."""
    if kind == "strategy":
        return point.label
    return "base" if point.name == "base" and kind == "base" else point.share if point.share is not None else point.name
