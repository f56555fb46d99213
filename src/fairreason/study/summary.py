"""frontier.json: the study's numbers, put together from its finished runs (definitions in study/frontier.py).

The base's row stands apart: it is no point of the frontier. The base's R is 1 by definition and has no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairreason.evaluation.axes import BESIDE
from fairreason.records import Axis
from fairreason.study import frontier
from fairreason.study.areas import area, areas, comparisons, fairness_of
from fairreason.study.contrasts import contrasts
from fairreason.study.numbers import DRAWS, Weights, numbers, usable
from fairreason.study.points import Evaluated, Point, base_point, bias_axes, gather
from fairreason.study.resolution import resolution

COSTS = ("prompt_tokens", "trained_tokens", "sampled_tokens", "seconds", "steps")
HOLLOW_MARGIN = 0.02
RULE = (
    "A point is a configuration, its value the mean over its seeds. It is on the frontier when no other point has F "
    "and R at least as high with one of them higher; frontier_probability is the share of joint draws (clusters x "
    "seeds) in which that holds. Sweet spot for rho: among the points whose one-sided 95 % lower bound of R is at "
    "least rho the one with the highest F, with every such point whose F is not significantly lower (paired, Holm)."
)


def summary(
    base: Evaluated,
    runs: Sequence[Evaluated],
    axes: Mapping[str, Axis],
    chance: Mapping[str, float],
    *,
    margin: float = 0.02,
    retention: float = 0.95,
    failed: Sequence[Mapping[str, Any]] = (),
    marks: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """The content of frontier.json. `axes` gives each benchmark's axis, `chance` a reasoning benchmark's accuracy of
    guessing; `failed` are rows {"run", "reason"}; `names` are `point_names` of all planned runs."""
    weights, noise = Weights(draws), frontier.SeedNoise(draws)
    reasoning, left_out = usable(base.measures, axes, chance)
    base_numbers = numbers(base.measures, axes, weights)
    if reasoning:
        base_numbers["R"] = np.ones(draws + 1)
    used = {name: axis for name, axis in axes.items() if axis == "bias" or name in reasoning}
    whole = base_point(base, base_numbers, used)
    found = [numbers(run.measures, axes, weights) for run in runs]
    points = gather(runs, found, base_numbers, reasoning, used, noise, names)
    placed = [point for point in points if {"F", "R"} <= point.values.keys()]
    rows = {id(point): _row(point, whole) for point in points}
    for point in placed:
        rows[id(point)]["hypervolume"] = area([point])
    _place(placed, rows, "F", "")
    with_target = [p for p in placed if "s_amb_abs" in p.values and not rows[id(p)]["hollow"]]
    _place(with_target, rows, "s_amb_abs", "_s_amb_abs")
    return {
        "benchmarks": {axis: [name for name in axes if axes[name] == axis] for axis in ("bias", "reasoning")},
        "reasoning_used": reasoning,
        "left_out": left_out,
        "constants": {
            "reference": {"F": frontier.REFERENCE_F, "R": frontier.REFERENCE_R},
            "cut": {"F": frontier.CUT_F, "R": frontier.CUT_R},
            "reference_s_amb_abs": 1.0,
            "cut_s_amb_abs": 0.0,
            "margin": margin,
            "retention": retention,
            "hollow_margin": HOLLOW_MARGIN,
            "draws": draws,
            "level": 0.95,
        },
        "resolution": resolution(base_numbers, found, reasoning),
        "base": _base_row(whole),
        "points": [rows[id(point)] for point in points],
        "contrasts": contrasts(points, whole, margin),
        "hypervolume": areas(placed),
        "hypervolume_contrasts": comparisons(placed, margin),
        "hypervolume_s_amb_abs": areas(with_target, "s_amb_abs"),
        "sweet_spot": _sweet_spots(placed, retention, "F"),
        "sweet_spot_s_amb_abs": _sweet_spots(with_target, retention, "s_amb_abs"),
        "rule": RULE,
        "undefined": _undefined(points, placed),
        "failed": list(failed),
        "marks": list(marks),
    }


def _row(point: Point, base: Point) -> dict[str, Any]:
    keys = [key for key in point.values if "/" in key]
    return {
        "name": point.name,
        "strategy": point.runs[0].recipe.strategy.type,
        "label": point.label,
        "model": point.runs[0].recipe.model,
        "bias_share": point.share,
        "seeds": point.seeds,
        "runs": [run.name for run in point.runs],
        "F": point.estimate("F"),
        "R": point.estimate("R"),
        "R0": point.estimate("R0"),
        "hypervolume": None,
        "axes": bias_axes(point),
        "by_benchmark": {key: point.estimate(key) for key in keys},
        "cost": _cost([run.cost for run in point.runs]),
        "on_frontier": False,
        "frontier_probability": None,
        "on_frontier_s_amb_abs": False,
        "frontier_probability_s_amb_abs": None,
        "collapsed": [{"run": r.name, "step": r.collapsed_at} for r in point.runs if r.collapsed_at is not None],
        "hollow": _hollow(point, base),
        "single_runs": [_single(point, s) for s in range(len(point.runs))],
    }


def _base_row(base: Point) -> dict[str, Any]:
    row = _row(base, base)
    if row["R"] is not None:
        row["R"] |= {"value": 1.0, "stderr": None, "ci_low": None, "ci_high": None}
    return {**row, "strategy": "none", "label": "base", "bias_share": None, "seeds": []}


def _single(point: Point, s: int) -> dict[str, Any]:
    """One run's numbers, and under `estimates` the same with error, interval, n and clusters: of other questions, not
    of other seeds."""
    estimates = {key: point.estimate(key, s) for key in ("F", "R", "R0", *BESIDE)}
    values = {key: found["value"] for key, found in estimates.items() if found is not None}
    axes = {key: values[key] for key in BESIDE if key in values}
    run = point.runs[s]
    one = {key: values.get(key) for key in ("F", "R", "R0")}
    cost = _cost([run.cost])
    return {"seed": run.recipe.seed, "run": run.name, **one, "axes": axes, "estimates": estimates, "cost": cost}


def _cost(costs: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Means over the runs; None where a run does not say."""
    known = {key: [cost[key] for cost in costs if cost.get(key) is not None] for key in COSTS}
    return {key: float(np.mean(values)) if len(values) == len(costs) else None for key, values in known.items()}


def _hollow(point: Point, base: Point) -> bool:
    key = "accuracy_disambig"
    if key not in point.values or key not in base.values:
        return False
    return frontier.surely_below(point.values[key], base.values[key], HOLLOW_MARGIN)


def _place(points: Sequence[Point], rows: Mapping[int, dict[str, Any]], axis: str, suffix: str) -> None:
    """Writes who is on the frontier of R against `axis`, and how surely, into the points' rows."""
    if not points:
        return
    free_PD = frontier.undominated(_heights(points, axis), _kept(points))
    for point, free_D in zip(points, free_PD, strict=True):
        rows[id(point)]["on_frontier" + suffix] = bool(free_D[0])
        rows[id(point)]["frontier_probability" + suffix] = float(free_D[1:].mean())


def _sweet_spots(points: Sequence[Point], retention: float, axis: str) -> dict[str, Any]:
    return {_key(rho): _sweet_spot(points, rho, axis) for rho in sorted({*frontier.RETENTIONS, retention})}


def _key(rho: float) -> str:
    """Two decimals, more where it has more: 0.954 is another rule than 0.95."""
    return max(f"{rho:.2f}", f"{rho:g}", key=len)


def _sweet_spot(points: Sequence[Point], rho: float, axis: str) -> dict[str, Any]:
    if not points:
        return {"best": None, "alike": [], "by_share": {"none": 1.0}, "by_point": {"none": 1.0}, "p_holm": {}}
    spot = frontier.sweet_spot(_heights(points, axis), _kept(points), rho)
    names = [point.name for point in points]
    shares = [f"{point.share:g}" if point.share is not None else point.name for point in points]
    return {
        "best": None if spot.best is None else names[spot.best],
        "alike": [names[p] for p in spot.alike],
        "by_share": frontier.shares_chosen(spot.chosen, shares),
        "by_point": frontier.shares_chosen(spot.chosen, names),
        "p_holm": {names[p]: value for p, value in spot.adjusted.items()},
    }


def _undefined(points: Sequence[Point], placed: Sequence[Point]) -> list[str]:
    """What these runs cannot say, in sentences."""
    notes = []
    single = [point.name for point in points if len(point.seeds) == 1]
    if single:
        who = "every point" if len(single) == len(points) else ", ".join(single)
        notes.append(
            f"One seed ({who}): the spread over seeds is undefined. Intervals, frontier probabilities and sweet spots "
            "speak of other questions only, and contrasts by seed have no interval and no verdict. Three seeds show, "
            "eight prove."
        )
    outside = [point.name for point in points if point not in placed]
    if outside:
        who = ", ".join(outside)
        notes.append(f"F or R does not exist for {who}: not on the frontier, not in hypervolume or sweet spot.")
    return notes


def _heights(points: Sequence[Point], axis: str) -> np.ndarray:
    return np.stack([fairness_of(point, axis) for point in points])


def _kept(points: Sequence[Point]) -> np.ndarray:
    return np.stack([point.values["R"] for point in points])
