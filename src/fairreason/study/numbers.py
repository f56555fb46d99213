"""A run's numbers with their joint draws: what each benchmark measured, under one shared set of cluster weights.

Every number is an array of length D: row 0 the estimate, then the draws. A benchmark on which a metric does not exist
(s_AMB without targets) is left out of that metric's mean; one on which it exists but is undefined (s_DIS without a
choice) makes the mean undefined.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fairreason.evaluation.axes import BIAS_AXES, Wanted, not_above_chance, overall
from fairreason.evaluation.statistics import cluster_draws, draw_weights, estimate, possible
from fairreason.records import Axis, Measure

DRAWS = 2000
Numbers = dict[str, np.ndarray]
Measures = Mapping[str, Sequence[Measure]]  # by benchmark


class Weights:
    """Cluster weights by benchmark: a first row of ones, then the draws."""

    def __init__(self, draws: int = DRAWS, seed: int = 0) -> None:
        self.draws, self.seed = draws, seed
        self._known: dict[tuple[str, ...], np.ndarray] = {}

    def values(self, measure: Measure) -> np.ndarray:
        clusters = tuple(str(name) for name in np.unique(measure.clusters))
        if clusters not in self._known:
            drawn_DG = draw_weights(self.draws, clusters, self.seed)
            self._known[clusters] = np.concatenate([np.ones((1, len(clusters))), drawn_DG])
        return cluster_draws(measure, self._known[clusters], clusters)


def numbers(measures: Measures, axes: Mapping[str, Axis], weights: Weights) -> Numbers:
    """F and the other bias axes as means over the bias benchmarks, `accuracy/<name>` of every reasoning benchmark, and
    `<metric>/<name>` of every bias benchmark."""
    found: Numbers = {}
    for key, (metric, condition) in BIAS_AXES.items():
        parts = []
        for name, axis in axes.items():
            measure = overall(measures[name], metric, condition) if axis == "bias" else None
            if measure is not None:
                parts.append((f"{key}/{name}", weights.values(measure)))
        found |= {each: values for each, values in parts if np.isfinite(values).all()}
        if parts and all(each in found for each, _ in parts):
            found[key] = np.mean([values for _, values in parts], axis=0)
    for name, axis in axes.items():
        if axis == "reasoning" and (measure := overall(measures[name], "accuracy")) is not None:
            found[f"accuracy/{name}"] = weights.values(measure)
    return found


class Grounds(NamedTuple):
    """What a number of one run rests on: answers and clusters that count in it, the range that it can have, and the
    mean of its measures' own intervals (None for a ratio to another run)."""

    n: int
    clusters: int
    lowest: float
    highest: float
    own: tuple[float, float] | None


def grounds(measures: Measures, axes: Mapping[str, Axis], key: str) -> Grounds:
    """Of the number with this key: "F", "R", "R0", an axis of the report, or "KEY/BENCHMARK"."""
    key, _, only = key.partition("/")
    is_ratio = key in ("R", "R0")
    axis = "reasoning" if is_ratio else "bias"
    wanted = BIAS_AXES.get(key, Wanted("accuracy", None))
    names = [only] if only else [name for name in axes if axes[name] == axis]
    parts = [part for name in names if (part := overall(measures[name], *wanted)) is not None]
    found = [estimate(part) for part in parts]
    n, clusters = sum(one.n for one in found), sum(one.clusters for one in found)
    if is_ratio or not parts:
        return Grounds(n, clusters, 0.0 if is_ratio else -math.inf, math.inf, None)
    lowest, highest = np.mean([possible(part) for part in parts], axis=0)
    ends = [(one.ci_low, one.ci_high) for one in found if one.ci_low is not None and one.ci_high is not None]
    own = tuple(np.mean(ends, axis=0).tolist()) if ends else None
    return Grounds(n, clusters, float(lowest), float(highest), own)


def relative(run: Numbers, reference: Numbers, benchmarks: Sequence[str]) -> np.ndarray | None:
    """Mean over the benchmarks of accuracy / the reference's accuracy on the same questions (R; R0 with the
    share-0 run). None without benchmarks or where a reference is 0."""
    keys = [f"accuracy/{name}" for name in benchmarks]
    if not keys or any(key not in run or key not in reference or reference[key][0] <= 0 for key in keys):
        return None
    return np.mean([run[key] / np.maximum(reference[key], 1e-12) for key in keys], axis=0)


def usable(base: Measures, axes: Mapping[str, Axis], chance: Mapping[str, float]) -> tuple[list[str], list[dict]]:
    """The reasoning benchmarks that R is made of, and those left out with the reason: the base is not above chance."""
    kept, left_out = [], []
    for name, axis in axes.items():
        if axis != "reasoning":
            continue
        reason = not_above_chance(overall(base[name], "accuracy"), chance[name])
        if reason is None:
            kept.append(name)
        else:
            left_out.append({"benchmark": name, "reason": reason})
    return kept, left_out
