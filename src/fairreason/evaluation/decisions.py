"""What an interval is used to decide: verdicts, many at once (Holm), "not worse by more than a margin", and how many
clusters would decide where these do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from fairreason.evaluation.intervals import Agreeing, Interval
from fairreason.records import Estimate

MOST = 10**9
POWER = 0.8
"""How surely the number of clusters that `needed` names would decide."""


class Compared(Protocol):
    """What `statistics.difference` and `statistics.over_seeds` return."""

    @property
    def estimate(self) -> Estimate: ...

    @property
    def interval(self) -> Interval | None: ...


class Needed(NamedTuple):
    """How much would decide: clusters, and examples at as many a cluster as there are now."""

    clusters: int
    n: int


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


def lower_bound(difference: Compared, level: float = 0.95) -> float | None:
    """The one-sided lower bound: the true difference lies above it with confidence `level`. None where there is no
    value, or one seed; with one cluster everything that is possible lies above it."""
    if difference.interval is None:
        return difference.estimate.ci_low
    return difference.interval.ends(2 * level - 1)[0]


def upper_bound(difference: Compared, level: float = 0.95) -> float | None:
    """The one-sided upper bound, as `lower_bound`."""
    if difference.interval is None:
        return difference.estimate.ci_high
    return difference.interval.ends(2 * level - 1)[1]


def needed(difference: Compared, margin: float, level: float = 0.95) -> Needed | None:
    """The fewest clusters, of the kind that was measured, that would decide four times in five whether the difference
    (higher is better) is worse than −margin: the lower bound reaches −margin (it is not), or the upper lies below (it
    is).

    Takes value and spread over clusters for the true ones, so that the error shrinks by sqrt(G/G′), and allows for
    another sample's value: G′ = the smallest with (t(level, G′−1) + t(.8, G′−1)) · stderr · sqrt(G/G′) <=
    |value + margin|, the usual sample size of a non-inferiority trial (Julious 2004, Statistics in Medicine 23). Where
    all clusters agree, G′ = log(1−level) / log(1 − (value+margin)/(value−low)), low the lowest difference possible.
    None where no number would: value = −margin, or an unknown error.
    """
    value, clusters = difference.estimate.value, difference.estimate.clusters
    if difference.interval is None or value is None or abs(value + margin) <= 1e-12:
        return None

    def decides(count: int) -> bool:
        interval = difference.interval.at(count)  # type: ignore[union-attr]
        low, high = interval.ends(2 * level - 1)
        below, above = (value, value) if isinstance(interval, Agreeing) else interval.ends(2 * POWER - 1)
        return low - (value - below) >= -margin if value > -margin else high + (above - value) < -margin

    high = 2
    while not decides(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return Needed(high, math.ceil(high * difference.estimate.n / clusters))
