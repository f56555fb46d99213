"""Hypervolumes of sets of points, and which strategy's set covers more.

Two sets are compared with equally many points each, made under the same conditions (model, mixture, evaluation, all but
strategy and seed), in the same joint draws. On the axis of |s_AMB| the height is 1 − |s_AMB|, from 0 to 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from fairreason.evaluation.statistics import verdict
from fairreason.study import frontier
from fairreason.study.numbers import grounds
from fairreason.study.points import Point


def fairness_of(point: Point, axis: str) -> np.ndarray:
    """The point's draws on the frontier's bias axis, higher is better: F, or 1 − |s_AMB|."""
    return 1 - point.values[axis] if axis == "s_amb_abs" else point.values[axis]


def area(points: Sequence[Point], axis: str = "F") -> dict[str, Any]:
    """The hypervolume of these points with its interval, and what it rests on: a run's answers on both axes."""
    return {**_estimate(_draws(points, axis)), **_rests_on(points[0], axis)}


def areas(points: Sequence[Point], axis: str = "F") -> dict[str, Any]:
    """Of all points and of each strategy's; `points` says how many, since only sets of equal size can be compared."""
    sets = {"all": list(points)}
    for point in points:
        sets.setdefault(point.label, []).append(point)
    return {name: {**area(members, axis), "points": len(members)} for name, members in sets.items() if members}


def comparisons(points: Sequence[Point], margin: float) -> list[dict[str, Any]]:
    """Each pair of strategies on the conditions that both have equally often: `to` minus `from`, joint draws. Where a
    point has a single seed the spread over seeds is unknown and the verdict `undefined`."""
    labels = list(dict.fromkeys(point.label for point in points if point.label != "none"))
    rows = []
    for a, b in combinations(labels, 2):
        of_a, of_b = [p for p in points if p.label == a], [p for p in points if p.label == b]
        count_a, count_b = Counter(p.conditions for p in of_a), Counter(p.conditions for p in of_b)
        shared = {one for one, count in count_a.items() if count_b[one] == count}
        of_a, of_b = [p for p in of_a if p.conditions in shared], [p for p in of_b if p.conditions in shared]
        if not of_a:
            continue
        found = _estimate(_draws(of_b, "F") - _draws(of_a, "F"))
        several = all(len(point.seeds) > 1 for point in [*of_a, *of_b])
        rows.append(
            {
                "from": a,
                "to": b,
                "from_points": [point.name for point in of_a],
                "to_points": [point.name for point in of_b],
                "points": len(of_a),
                "difference": found.pop("value"),
                **found,
                **_rests_on(of_a[0], "F"),
                "verdict": verdict(found["ci_low"], found["ci_high"], margin) if several else "undefined",
            }
        )
    return rows


def _draws(points: Sequence[Point], axis: str) -> np.ndarray:
    heights, kept = [fairness_of(point, axis) for point in points], [point.values["R"] for point in points]
    return frontier.hypervolume(np.stack(heights), np.stack(kept))


def _estimate(values_D: np.ndarray) -> dict[str, Any]:
    """Value, error and interval; where no draw differs (a set that covers nothing in any) there is no interval."""
    low, high = frontier.interval(values_D)
    known = low < high
    spread = {"stderr": float(np.std(values_D[1:])), "ci_low": low, "ci_high": high}
    return {"value": float(values_D[0]), **(spread if known else dict.fromkeys(spread))}


def _rests_on(point: Point, axis: str) -> dict[str, int]:
    both = [grounds(point.runs[0].measures, point.axes, key) for key in (axis, "R")]
    return {"n": sum(one.n for one in both), "clusters": sum(one.clusters for one in both)}
