"""Errors of the numbers: clustered, paired, joint over runs. NumPy alone; tests check against statsmodels and SciPy.

A measure (records.Measure) is offset + Σ_s c_s · V_s / W_s with V_s, W_s sums of values and weights over the rows of
stratum s. Its error is linearised: row i adds u_i = c_s · (v_i − r_s·w_i) / W_s, rows of one cluster add up to U_g, and
variance = G/(G−1) · Σ_g U_g², interval = value ± t(.975, G−1) · sqrt(variance). One stratum and weights 1 make it the
clustered error of a mean, exactly statsmodels' OLS on a constant with `cov_type="cluster"` (its small-sample factor
G/(G−1) · (n−1)/(n−k) has k = 1 then).

Two cases where that interval would lie: one answer a cluster and n < 300 (Wilson's interval instead), and clusters
that all agree, where the error is 0 (`_agreeing`, Clopper-Pearson's with n = clusters). No interval has width 0.
Axes: N rows, G clusters, S strata, D draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fairreason.errors import UsageError
from fairreason.evaluation.distributions import t_quantile, t_two_sided
from fairreason.records import Estimate, Measure

LEVEL = 0.95
WILSON_BELOW = 300


class Difference(NamedTuple):
    """A paired difference a − b with its interval and two-sided p-value (None where the error is undefined)."""

    estimate: Estimate
    p: float | None


def estimate(measure: Measure, level: float = LEVEL) -> Estimate:
    """The measure's value with its clustered error. Value None where a stratum has no weight; with one cluster the
    error is unknown (None) and the interval is everything that is possible."""
    counted = measure.weights != 0
    n, names = int(counted.sum()), np.unique(measure.clusters[counted])
    clusters = len(names)
    ratios_S = _ratios(measure)
    if ratios_S is None:
        return Estimate(None, None, None, None, n, clusters)
    value = measure.offset + float(measure.coefficients @ ratios_S)
    low, high = possible(measure)
    if clusters == 1:
        return Estimate(value, None, low, high, n, clusters)
    sums_G = _by_cluster(_influence(measure, ratios_S), measure.clusters)
    stderr = math.sqrt(clusters / (clusters - 1) * float(sums_G @ sums_G))
    if stderr <= 1e-12 * max(1.0, abs(value)):
        below, above = _agreeing(value, low, high, clusters, level)
        return Estimate(value, 0.0, below, above, n, clusters)
    if clusters == n < WILSON_BELOW and _is_share(measure):
        below, above = wilson(value, n, level)
        return Estimate(value, stderr, below, above, n, clusters)
    half = t_quantile((1 + level) / 2, clusters - 1) * stderr
    return Estimate(value, stderr, max(low, value - half), min(high, value + half), n, clusters)


def difference(a: Measure, b: Measure, level: float = LEVEL) -> Difference:
    """a − b on the same rows, paired: the row-wise influences are subtracted before clusters are added up.

    Raises UsageError when the rows are not the same. Where the two never differ, the interval is one that G agreeing
    clusters allow, p is 1.
    """
    if not np.array_equal(a.clusters, b.clusters):
        raise UsageError(f"{a.metric}: the two are not measured on the same rows, so they cannot be paired")
    counted = (a.weights != 0) | (b.weights != 0)
    n, clusters = int(counted.sum()), len(np.unique(a.clusters[counted]))
    ratios_a, ratios_b = _ratios(a), _ratios(b)
    if ratios_a is None or ratios_b is None:
        return Difference(Estimate(None, None, None, None, n, clusters), None)
    value = a.offset - b.offset + float(a.coefficients @ ratios_a - b.coefficients @ ratios_b)
    span = possible(a)[1] - possible(b)[0]
    if clusters == 1:
        return Difference(Estimate(value, None, -span, span, n, clusters), None)
    sums_G = _by_cluster(_influence(a, ratios_a) - _influence(b, ratios_b), a.clusters)
    stderr = math.sqrt(clusters / (clusters - 1) * float(sums_G @ sums_G))
    if stderr <= 1e-12:
        below, above = _agreeing(value, -span, span, clusters, level)
        return Difference(Estimate(value, 0.0, below, above, n, clusters), 1.0 if abs(value) <= 1e-12 else 0.0)
    half = t_quantile((1 + level) / 2, clusters - 1) * stderr
    p = t_two_sided(value / stderr, clusters - 1)
    return Difference(Estimate(value, stderr, value - half, value + half, n, clusters), p)


def over_seeds(values: Sequence[float], level: float = LEVEL) -> Difference:
    """The mean of per-seed numbers (differences, mostly) with t on S−1 degrees; `clusters` counts the seeds.

    One seed, or seeds that agree to the last bit, say nothing about the spread: the interval is then None.
    """
    seeds = len(values)
    mean = math.fsum(values) / seeds if seeds else None
    spread = float(np.std(values, ddof=1)) if seeds > 1 else 0.0
    if mean is None or spread <= 1e-15:
        return Difference(Estimate(mean, None, None, None, seeds, seeds), None)
    stderr = spread / math.sqrt(seeds)
    half = t_quantile((1 + level) / 2, seeds - 1) * stderr
    p = t_two_sided(mean / stderr, seeds - 1)
    return Difference(Estimate(mean, stderr, mean - half, mean + half, seeds, seeds), p)


def verdict(low: float | None, high: float | None, margin: float = 0.02) -> str:
    """`tie` when the interval of a difference lies inside ±margin, `not told apart` when it holds 0 but is wider, else
    `better` or `worse`; without an interval nothing is told apart.

    >>> verdict(-0.01, 0.015), verdict(-0.01, 0.05), verdict(0.03, 0.05), verdict(-0.05, -0.03)
    ('tie', 'not told apart', 'better', 'worse')
    """
    if low is None or high is None:
        return "not told apart"
    if -margin <= low and high <= margin:
        return "tie"
    if low <= 0 <= high:
        return "not told apart"
    return "better" if low > 0 else "worse"


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Holm 1979), in the given order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def wilson(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson 1927)."""
    z = t_quantile((1 + level) / 2, math.inf)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def draw_weights(draws: int, clusters: Sequence[str], seed: int) -> np.ndarray:
    """Weights D x G of a cluster bootstrap whose draws never lose a stratum: exponential, the Bayesian bootstrap (Rubin
    1981), stretched by sqrt(G/(G−1)) about 1 to the variance of the clustered error.

    A cluster's column depends on (seed, its name) alone, so runs that share clusters share their draws.
    """
    stretch = math.sqrt(len(clusters) / (len(clusters) - 1)) if len(clusters) > 1 else 1.0
    columns = [np.random.default_rng([seed, *name.encode()]).exponential(size=draws) for name in clusters]
    weights_DG = np.stack(columns, axis=1) if columns else np.ones((draws, 0))
    return np.maximum(1 + (weights_DG - 1) * stretch, 1e-9)


def cluster_draws(measure: Measure, weights_DG: np.ndarray, clusters: Sequence[str]) -> np.ndarray:
    """The measure's value under each row of cluster weights (columns named by `clusters`), nan where undefined.

    Raises UsageError on a cluster of the measure that has no column.
    """
    names, codes_N = np.unique(measure.clusters, return_inverse=True)
    place: Mapping[str, int] = {str(name): i for i, name in enumerate(clusters)}
    missing = [str(name) for name in names if str(name) not in place]
    if missing:
        raise UsageError(f"{measure.metric}: no weights for cluster {missing[0]}")
    strata = len(measure.coefficients)
    flat_N = codes_N * strata + measure.strata
    size = len(names) * strata
    values_GS = np.bincount(flat_N, measure.values, size).reshape(len(names), strata)
    weights_GS = np.bincount(flat_N, measure.weights, size).reshape(len(names), strata)
    drawn_DG = weights_DG[:, [place[str(name)] for name in names]]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios_DS = (drawn_DG @ values_GS) / (drawn_DG @ weights_GS)
    used = measure.coefficients != 0
    return measure.offset + ratios_DS[:, used] @ measure.coefficients[used]


def _ratios(measure: Measure) -> np.ndarray | None:
    """V_s / W_s of every stratum; None when one that counts has no weight (or there are no rows)."""
    strata = len(measure.coefficients)
    weights_S = np.bincount(measure.strata, measure.weights, strata)
    values_S = np.bincount(measure.strata, measure.values, strata)
    if not len(measure.values) or np.any((weights_S == 0) & (measure.coefficients != 0)):
        return None
    return np.divide(values_S, weights_S, out=np.zeros(strata), where=weights_S != 0)


def _influence(measure: Measure, ratios_S: np.ndarray) -> np.ndarray:
    weights_S = np.bincount(measure.strata, measure.weights, len(ratios_S))
    scale_S = np.divide(measure.coefficients, weights_S, out=np.zeros(len(ratios_S)), where=weights_S != 0)
    return scale_S[measure.strata] * (measure.values - ratios_S[measure.strata] * measure.weights)


def _by_cluster(rows_N: np.ndarray, clusters_N: np.ndarray) -> np.ndarray:
    _, codes_N = np.unique(clusters_N, return_inverse=True)
    return np.bincount(codes_N, rows_N)


def possible(measure: Measure) -> tuple[float, float]:
    """The measure's range: values are shares in [0, 1], or signed in [−1, 1] as in the s scores, whose size is not."""
    lowest = -1.0 if measure.metric.startswith("s_") or np.any(measure.values < 0) else 0.0
    ends = np.array([[lowest], [1.0]]) * measure.coefficients
    low, high = measure.offset + float(ends.min(axis=0).sum()), measure.offset + float(ends.max(axis=0).sum())
    return (max(low, 0.0) if measure.metric == "s_amb_abs" else low), high


def _agreeing(value: float, low: float, high: float, clusters: int, level: float) -> tuple[float, float]:
    """The interval when all clusters agree: with G of them the share of clusters that would differ is below
    1 − (α/2)^(1/G) (Clopper-Pearson), and one that differs can move the value to the end of its range.

    >>> round(_agreeing(1.0, 0.0, 1.0, 3, 0.95)[0] ** 3, 9)
    0.025
    """
    differ = 1 - ((1 - level) / 2) ** (1 / clusters)
    return value - differ * (value - low), value + differ * (high - value)


def _is_share(measure: Measure) -> bool:
    """Whether it is one plain share: a mean of 0 and 1."""
    plain = len(measure.coefficients) == 1 and measure.coefficients[0] == 1 and measure.offset == 0
    return bool(plain and np.all(measure.weights == 1) and np.all((measure.values == 0) | (measure.values == 1)))
