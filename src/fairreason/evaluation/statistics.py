"""Errors of the numbers: clustered, paired, over seeds. NumPy alone; tests check against statsmodels and SciPy.

A measure (records.Measure) is offset + Σ_s c_s · V_s / W_s with V_s, W_s sums of values and weights over the rows of
stratum s. Its error is linearised: cluster g moves it by U_g (evaluation/sums.py) and variance = G/(G−1) · Σ_g U_g².
One stratum and weights 1 make it the clustered error of a mean, exactly statsmodels' OLS on a constant with
`cov_type="cluster"` (its small-sample factor G/(G−1) · (n−1)/(n−k) has k = 1 then); with equally large clusters that is
the plain error of the G cluster means. k samples of a problem are rows of one cluster.

Which interval stands on it (evaluation/intervals.py), in this order: one cluster, everything that is possible; clusters
that all agree, Clopper-Pearson's with n = clusters; one answer a cluster and n < 300, Wilson's, of a paired difference
Tango's; a ratio, the farther of Student's and the cluster bootstrap's; any other paired difference of sums of answers
(F, s_AMB), the farthest of Student's, Tango's and Clopper-Pearson's, by what each cluster weighs; else Student's t on
G−1 degrees. No interval has width 0. docs/statistics.md explains each with an example.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fairreason.evaluation.decisions import holm, lower_bound, needed, upper_bound, verdict
from fairreason.evaluation.intervals import Agreeing, Drawn, Ends, Interval, Score, Student, Weighted, wilson
from fairreason.evaluation.resampling import DRAWS, cluster_draws, draw_weights, resamples
from fairreason.evaluation.sums import Sums, cluster_sums, influence, paired_sums, ratios
from fairreason.records import Estimate, Measure

__all__ = [
    "Difference",
    "bootstrap",
    "cluster_draws",
    "difference",
    "draw_weights",
    "estimate",
    "holm",
    "lower_bound",
    "needed",
    "over_seeds",
    "possible",
    "upper_bound",
    "verdict",
    "wilson",
]

LEVEL = 0.95
FEW = 300
"""Below so many clusters Wilson's, Tango's alone and the bootstrap's are used. Above, they agree with what is."""


class Difference(NamedTuple):
    """A paired difference a − b with its two-sided p-value, and the interval at every level (both None where the error
    is unknown)."""

    estimate: Estimate
    p: float | None
    interval: Interval | None = None


def estimate(measure: Measure, level: float = LEVEL) -> Estimate:
    """The measure's value with its clustered error and interval. Value None where a stratum has no weight; with one
    cluster the error is unknown (None) and the interval is everything that is possible."""
    return _estimate(measure, level, None)


def bootstrap(measure: Measure, draws: int = DRAWS, seed: int = 0, level: float = LEVEL) -> Estimate:
    """The same value with the cluster bootstrap's error and interval alone: G clusters drawn with replacement, `draws`
    times; error and percentiles widened for few clusters (`intervals.Drawn`).

    Draws without a row in some stratum are left out. Where they are more than half, where all clusters agree, and with
    one cluster the bootstrap says nothing: then it is `estimate`.
    """
    return _estimate(measure, level, (draws, seed))


def difference(a: Measure, b: Measure, level: float = LEVEL) -> Difference:
    """a − b on the same rows, paired: what a cluster moves each by is subtracted before anything is squared.

    Raises UsageError when the rows are not the same. Where the two never differ, the interval is the one that G
    agreeing clusters allow, p is 1.
    """
    of_a, of_b = paired_sums(a, b)
    n, clusters = of_a.n, len(of_a.names)
    ratios_a, ratios_b = ratios(of_a, a), ratios(of_b, b)
    if ratios_a is None or ratios_b is None:
        return Difference(Estimate(None, None, None, None, n, clusters), None)
    value = a.offset - b.offset + float(a.coefficients @ ratios_a - b.coefficients @ ratios_b)
    (low_a, high_a), (low_b, high_b) = possible(a), possible(b)
    low, high = low_a - high_b, high_a - low_b
    if clusters == 1:
        return Difference(Estimate(value, None, low, high, n, clusters), None)
    stderr = _stderr(influence(of_a, a, ratios_a) - influence(of_b, b, ratios_b), value)
    weights = _paired_weights(a, b, of_a)
    interval = (
        Agreeing(value, low, high, clusters, _worth(*weights) if weights else 1.0)
        if not stderr
        else _paired(a, b, of_a, of_b, Student(value, stderr, clusters))
    )
    below, above = interval.ends(level)
    found = Estimate(value, stderr, max(low, below), min(high, above), n, clusters)
    return Difference(found, interval.p(), interval)


def over_seeds(values: Sequence[float], level: float = LEVEL) -> Difference:
    """The mean of per-seed numbers (differences, mostly) with t on S−1 degrees; `clusters` counts the seeds.

    One seed, or seeds that agree to the last bit, say nothing about the spread: the interval is then None.
    """
    seeds = len(values)
    mean = math.fsum(values) / seeds if seeds else None
    spread = float(np.std(values, ddof=1)) if seeds > 1 else 0.0
    if mean is None or spread <= 1e-15:
        return Difference(Estimate(mean, None, None, None, seeds, seeds), None)
    interval = Student(mean, spread / math.sqrt(seeds), seeds)
    return Difference(Estimate(mean, interval.stderr, *interval.ends(level), seeds, seeds), interval.p(), interval)


def possible(measure: Measure) -> Ends:
    """The measure's range: values are shares in [0, 1], or signed in [−1, 1] as in the s scores, whose size is not."""
    lowest = -1.0 if _is_signed(measure) else 0.0
    ends = np.array([[lowest], [1.0]]) * measure.coefficients
    low, high = measure.offset + float(ends.min(axis=0).sum()), measure.offset + float(ends.max(axis=0).sum())
    return (max(low, 0.0) if measure.metric == "s_amb_abs" else low), high


def _estimate(measure: Measure, level: float, drawing: tuple[int, int] | None) -> Estimate:
    sums = cluster_sums(measure)
    n, clusters, ratios_S = sums.n, len(sums.names), ratios(sums, measure)
    if ratios_S is None:
        return Estimate(None, None, None, None, n, clusters)
    value = measure.offset + float(measure.coefficients @ ratios_S)
    low, high = possible(measure)
    if clusters == 1:
        return Estimate(value, None, low, high, n, clusters)
    stderr = _stderr(influence(sums, measure, ratios_S), value)
    if not stderr:
        return Estimate(value, 0.0, *Agreeing(value, low, high, clusters).ends(level), n, clusters)
    student = Student(value, stderr, clusters)
    below, above = student.ends(level)
    if drawing is not None:
        values_D = resamples([(sums, measure, 1.0)], *drawing)
        if len(values_D) > drawing[0] / 2:
            stderr = float(np.std(values_D)) * math.sqrt(clusters / (clusters - 1))
            below, above = Drawn(student, values_D).percentiles(level)
    elif clusters == n < FEW and _is_share(measure):
        below, above = wilson(value, n, level)
    elif clusters < FEW and _is_ratio(measure):
        below, above = _of_ratio([(sums, measure, 1.0)], student).ends(level)
    return Estimate(value, stderr, max(low, below), min(high, above), n, clusters)


def _paired(a: Measure, b: Measure, of_a: Sums, of_b: Sums, student: Student) -> Interval:
    """The interval of a difference whose clusters do not all agree."""
    clusters = student.clusters
    if clusters == of_a.n < FEW and _is_share(a) and _is_share(b):
        moved_G = of_a.values_GS[:, 0] - of_b.values_GS[:, 0]
        return Score(int(np.count_nonzero(moved_G > 0)), int(np.count_nonzero(moved_G < 0)), clusters)
    if clusters < FEW and (_is_ratio(a) or _is_ratio(b)):
        return _of_ratio([(of_a, a, 1.0), (of_b, b, -1.0)], student)
    moved_G = of_a.values_GS @ _scales(a, of_a) - of_b.values_GS @ _scales(b, of_b)
    weights = _paired_weights(a, b, of_a)
    if weights is None or not moved_G.any():
        return student
    return _weighted(student, moved_G, *weights, reach=2.0 if _is_signed(a) or _is_signed(b) else 1.0)


def _paired_weights(a: Measure, b: Measure, of_a: Sums) -> tuple[np.ndarray, np.ndarray] | None:
    """What each cluster weighs in a difference of sums of whole answers, and the part of it that one of its rows does
    (1 over their number where they weigh alike); None where the two are no such sums, or not of the same rows with the
    same weights. What sides of opposite signs have in common is 0 alone, so those must be signed."""
    scales_S = np.abs(_scales(a, of_a))
    same = np.array_equal(a.strata, b.strata) and np.array_equal(np.abs(a.coefficients), np.abs(b.coefficients))
    turned = not np.array_equal(a.coefficients, b.coefficients)
    if not (same and _is_whole(a) and _is_whole(b)) or (turned and not (_is_signed(a) and _is_signed(b))):
        return None
    weights_G = of_a.weights_GS @ scales_S
    alone_G = np.divide(of_a.weights_GS @ scales_S**2, weights_G**2, out=np.ones_like(weights_G), where=weights_G > 0)
    return weights_G, alone_G


def _weighted(
    student: Student, moved_G: np.ndarray, weights_G: np.ndarray, alone_G: np.ndarray, reach: float
) -> Weighted:
    """`Weighted` of clusters that weigh `weights_G`, of which one row does the part `alone_G`, and moved the difference
    by `moved_G`, by `reach` times their weight at most; some moved.

    Of a cluster the part q = alone + r·(1 − alone) moves together, all of it where it is one row; r, from 0 to 1, is
    how alike the rows of those that moved were: Σ|m|³ = Σm²·w·q, so that few large moves count among many small ones.
    So many equal lumps are they worth: (Σw)² / Σqw², Kish's (1965) where q = 1, or fewer where heavier ones moved, of
    Σ|m|³ / Σm² each; if the heaviest alone differ, Σw / max qw were seen, but at most G / (1 − .05^(1/K)) of the G
    clusters: K that moved do not rule out that this part of all that move do so whole.
    """
    factor, squares_G = float(weights_G.sum()), moved_G**2
    single, rest = float(squares_G @ (weights_G * alone_G)), float(squares_G @ (weights_G * (1 - alone_G)))
    cubes = float(squares_G @ np.abs(moved_G))
    alike = min(max((cubes - single) / rest, 0.0), 1.0) if rest > 1e-9 * single else 1.0
    lumps_G = weights_G * (alone_G + alike * (1 - alone_G))
    per = 1 / max(float(weights_G @ lumps_G) / factor, cubes / float(squares_G.sum()))
    gained, lost = float(moved_G[moved_G > 0].sum()), -float(moved_G[moved_G < 0].sum())
    whole = 1 - (1 - LEVEL) ** (1 / np.count_nonzero(moved_G))
    seen = min(factor / float(lumps_G.max()) / len(weights_G), 1 / whole)
    agreeing = Agreeing(0.0, -reach * factor, reach * factor, len(weights_G), seen)
    return Weighted(student, Score(gained * per, lost * per, factor * per), factor, agreeing)


def _worth(weights_G: np.ndarray, alone_G: np.ndarray) -> float:
    """The part of the clusters that there would be if all weighed as the heaviest row does; 1 where that is more.

    >>> _worth(np.array([0.5, 0.25, 0.25]), np.array([1.0, 1.0, 1.0]))      # one row each
    0.6666666666666666
    >>> _worth(np.array([0.5, 0.25, 0.25]), np.array([0.5, 1.0, 1.0]))      # two rows in the first
    1.0
    """
    seen = float(weights_G.sum()) / float((weights_G * alone_G).max()) / len(weights_G)
    return min(seen, 1.0)


def _scales(measure: Measure, sums: Sums) -> np.ndarray:
    """What a row of each stratum moves the measure by."""
    return measure.coefficients / np.maximum(sums.weights_GS.sum(axis=0), 1)


def _of_ratio(pairs: list[tuple[Sums, Measure, float]], student: Student) -> Interval:
    """Student's with the bootstrap, or alone where more than half of the draws lack a stratum."""
    values_D = resamples(pairs)
    return Drawn(student, values_D) if len(values_D) > DRAWS / 2 else student


def _stderr(influence_G: np.ndarray, value: float) -> float:
    """The clustered standard error; exactly 0 where the clusters agree up to rounding."""
    clusters = len(influence_G)
    stderr = math.sqrt(clusters / (clusters - 1) * float(influence_G @ influence_G))
    return stderr if stderr > 1e-12 * max(1.0, abs(value)) else 0.0


def _is_ratio(measure: Measure) -> bool:
    """Whether it hangs on the answers how many rows count (s_DIS: only those that chose somebody)."""
    return bool(np.any(measure.weights != 1))


def _is_share(measure: Measure) -> bool:
    """Whether it is one plain share: a mean of 0 and 1."""
    plain = len(measure.coefficients) == 1 and measure.coefficients[0] == 1 and measure.offset == 0
    return plain and _is_whole(measure) and not _is_signed(measure)


def _is_whole(measure: Measure) -> bool:
    """Whether it adds up answers: every row counts once, as 0 or 1, or as −1."""
    return bool(np.all(measure.weights == 1) and np.all(np.isin(measure.values, (-1, 0, 1))))


def _is_signed(measure: Measure) -> bool:
    """Whether a row can count as −1: it chose against the stereotype."""
    return measure.metric.startswith("s_") or bool(np.any(measure.values < 0))
