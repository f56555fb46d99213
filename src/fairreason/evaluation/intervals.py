"""The intervals that a number can have. Each kind gives its ends at any level, the p-value that goes with them, and
itself on another number of clusters, so that an interval, a p-value and "how many would decide" never contradict.

| kind | when | source |
|---|---|---|
| `Student` | one number in clusters, or any that is not made of shares | t on G−1 degrees over clustered errors |
| `Drawn` | a ratio: how many rows count hangs on the answers | `Student` or the cluster bootstrap, the farther |
| `Score` | difference of two shares, one answer a cluster, few | Tango 1998; its p-value is McNemar's |
| `Weighted` | difference of sums of answers: F, R, s_AMB | farthest of `Student`, `Score`, `Agreeing` |
| `Agreeing` | all clusters agree: their spread is 0 | Clopper and Pearson 1934 with n = clusters |
| `Farther` | R: a base that is known, and one that is measured | the farther of two |
| `wilson` | one share, one answer a cluster | Wilson 1927 |
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fairreason.evaluation.distributions import normal_below, t_quantile, t_two_sided

Ends = tuple[float, float]


class Interval(Protocol):
    """`ends(level)`: two-sided interval, 0 < level < 1 (0.9 gives the one-sided 95 % bounds). `p()`: two-sided p-value
    of "it is 0", the level at which an end touches 0. `at(clusters)`: the same value and spread on so many clusters."""

    def ends(self, level: float) -> Ends: ...

    def p(self) -> float: ...

    def at(self, clusters: int) -> Interval: ...


@dataclass(frozen=True)
class Student:
    """value ± t((1+level)/2, clusters−1) · stderr."""

    value: float
    stderr: float
    clusters: int

    def ends(self, level: float) -> Ends:
        half = t_quantile((1 + level) / 2, self.clusters - 1) * self.stderr
        return self.value - half, self.value + half

    def p(self) -> float:
        return t_two_sided(self.value / self.stderr, self.clusters - 1)

    def at(self, clusters: int) -> Student:
        return Student(self.value, self.stderr * math.sqrt(self.clusters / clusters), clusters)


@dataclass(frozen=True)
class Agreeing:
    """All clusters give the same value, in a range from `low` to `high`. The share of clusters that would differ is
    below 1 − (α/2)^(1/clusters) (Clopper-Pearson for 0 of n), and one that differs moves the value to an end at most.
    Where some move it more than others, `worth` is the part of the clusters that would weigh as much if all moved it as
    the heaviest does: if the heavy ones alone differ, few of them were seen.

    >>> round(Agreeing(1.0, 0.0, 1.0, 3).ends(0.95)[0] ** 3, 9)
    0.025
    """

    value: float
    low: float
    high: float
    clusters: int
    worth: float = 1.0

    def ends(self, level: float) -> Ends:
        differ = 1 - ((1 - level) / 2) ** (1 / (self.clusters * self.worth))
        return self.value - differ * (self.value - self.low), self.value + differ * (self.high - self.value)

    def p(self) -> float:
        if abs(self.value) <= 1e-12:
            return 1.0
        end = self.low if self.value > 0 else self.high
        return min(1.0, 2 * (end / (end - self.value)) ** (self.clusters * self.worth))

    def at(self, clusters: int) -> Agreeing:
        return Agreeing(self.value, self.low, self.high, clusters, self.worth)


@dataclass(frozen=True)
class Score:
    """Tango's interval for a difference of two shares measured on the same n questions, one answer each: `gained`
    questions are right in the first alone, `lost` in the second alone (real numbers, so that it scales).

    It holds every difference d that its score test does not refuse: |gained − lost − n·d| <= z·sqrt(n·(2q + d(1−d)))
    with q the likeliest share of `lost` given d. At d = 0 that is McNemar's test without correction.

    >>> lower, upper = Score(1, 7, 21).ends(0.95)    # Fagerland, Lydersen and Laake 2014: -0.517 to -0.026
    >>> round(lower, 3), round(upper, 3)
    (-0.517, -0.026)
    """

    gained: float
    lost: float
    n: float

    def ends(self, level: float) -> Ends:
        z, value = t_quantile((1 + level) / 2, math.inf), (self.gained - self.lost) / self.n
        return (
            _halved(lambda d: self._z(d) > z, -1.0, value),
            _halved(lambda d: self._z(d) >= -z, value, 1.0),
        )

    def p(self) -> float:
        return t_two_sided((self.gained - self.lost) / math.sqrt(self.gained + self.lost), math.inf)

    def at(self, clusters: float) -> Score:
        more = clusters / self.n
        return Score(self.gained * more, self.lost * more, clusters)

    def _z(self, d: float) -> float:
        b = (2 * self.n - self.gained + self.lost) * d - self.gained - self.lost
        c = -self.lost * d * (1 - d)
        q = (math.sqrt(max(0.0, b * b - 8 * self.n * c)) - b) / (4 * self.n)
        variance = self.n * (2 * q + d * (1 - d))
        far = self.gained - self.lost - self.n * d
        return far / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, far)


@dataclass(frozen=True)
class Weighted:
    """A difference of sums of whole answers, where cluster g weighs w_g (F: what its rows weigh, a row 1 over its
    category's rows of its kind): at each end the farthest of Student's, Tango's, and what `Agreeing` allows.

    `score` counts lumps of equal weight of `factor` = Σw, `agreeing` is around 0 and reaches as far as all clusters
    together can move it; statistics.py makes both. Student's alone is too narrow where few clusters differ, Tango's
    where they differ among the heavy ones, and a few lost answers must not make the rest look safe.
    """

    student: Student
    score: Score
    factor: float
    agreeing: Agreeing

    def ends(self, level: float) -> Ends:
        tango, plain, around = self.score.ends(level), self.student.ends(level), self.agreeing.ends(level)
        low, high = tango[0] * self.factor, tango[1] * self.factor
        return min(low, plain[0], self.student.value + around[0]), max(high, plain[1], self.student.value + around[1])

    def p(self) -> float:
        moved = abs(self.student.value) / self.agreeing.high
        around = min(1.0, 2 * max(0.0, 1 - moved) ** (self.agreeing.clusters * self.agreeing.worth))
        return max(self.score.p(), self.student.p(), around)

    def at(self, clusters: int) -> Weighted:
        score = self.score.at(self.score.n * clusters / self.student.clusters)
        return Weighted(self.student.at(clusters), score, self.factor, self.agreeing.at(clusters))


@dataclass(frozen=True)
class Farther:
    """At each end the farther of two intervals of the same number."""

    first: Interval
    second: Interval

    def ends(self, level: float) -> Ends:
        one, other = self.first.ends(level), self.second.ends(level)
        return min(one[0], other[0]), max(one[1], other[1])

    def p(self) -> float:
        return max(self.first.p(), self.second.p())

    def at(self, clusters: int) -> Farther:
        return Farther(self.first.at(clusters), self.second.at(clusters))


@dataclass(frozen=True)
class Drawn:
    """A ratio's interval from the sorted values of its cluster bootstrap, D of them: at each end the farther of this
    and Student's.

    Percentiles of so few clusters are too narrow (they lack G/(G−1) and the t), so the tails are cut at
    Φ(−sqrt(G/(G−1))·t) instead of (1−level)/2: Hesterberg's expanded percentile (2015), which is Student's width with
    the ratio's own skew and range. Alone it covers too little where few rows count, Student's where it is skewed.
    """

    student: Student
    draws_D: np.ndarray

    def ends(self, level: float) -> Ends:
        own, plain = self.percentiles(level), self.student.ends(level)
        return min(own[0], plain[0]), max(own[1], plain[1])

    def percentiles(self, level: float) -> Ends:
        """The bootstrap's ends alone."""
        tail = normal_below(-self._stretch() * t_quantile((1 + level) / 2, self.student.clusters - 1))
        low, high = np.quantile(self.draws_D, [tail, 1 - tail])
        return float(low), float(high)

    def p(self) -> float:
        beyond = min(float(np.mean(self.draws_D <= 0)), float(np.mean(self.draws_D >= 0)))
        if beyond == 0:
            return self.student.p()
        t = t_quantile(min(beyond, 0.5), math.inf) / self._stretch()
        return max(self.student.p(), t_two_sided(t, self.student.clusters - 1))

    def at(self, clusters: int) -> Drawn:
        nearer = math.sqrt(self.student.clusters / clusters)
        value = self.student.value
        return Drawn(self.student.at(clusters), value + (self.draws_D - value) * nearer)

    def _stretch(self) -> float:
        return math.sqrt(self.student.clusters / (self.student.clusters - 1))


def wilson(share: float, n: int, level: float = 0.95) -> Ends:
    """Wilson's interval of a share.

    >>> low, high = wilson(0.9, 30)
    >>> round(low, 3), round(high, 3)
    (0.744, 0.965)
    """
    z = t_quantile((1 + level) / 2, math.inf)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _halved(left: Callable[[float], bool], low: float, high: float) -> float:
    """Where `left` stops being true between low and high, to 1e-15 or so."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle) else (low, middle)
    return (low + high) / 2
