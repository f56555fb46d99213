"""Bundles: what belongs together and is never cut across batches (a quadruple, a pair, one question), and their order.

A bundle's place in its source hangs on the run's seed and its own name alone. So every bias share draws the same
examples of a source, more or fewer, and files of traces from several teachers, or the benchmark itself beside them,
draw the same questions in the same order as far as each has them. Also the rule for whole counts, largest remainder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fairreason.draws import unit_hash
from fairreason.records import Axis

AXES: tuple[Axis, ...] = ("bias", "reasoning")


@dataclass(frozen=True)
class Pool:
    """One source's training rows: `rows` are positions in the whole data set, bundle after bundle; bundle k is
    `rows[starts[k]:starts[k + 1]]`, called `names[k]`. `weight` counts inside its axis."""

    source: str
    axis: Axis
    weight: float
    names: Sequence[str]
    rows: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.starts)


def apportion(weights: Mapping[str, float], size: int) -> dict[str, int]:
    """Whole counts in proportion to the weights that sum to `size`: largest remainder, the earlier key first on a tie.

    >>> apportion({"a": 1, "b": 1, "c": 1}, 5)
    {'a': 2, 'b': 2, 'c': 1}
    """
    total = math.fsum(weights.values())
    quotas = {name: size * weight / total for name, weight in weights.items()}
    counts = {name: math.floor(quota + 1e-9) for name, quota in quotas.items()}
    by_remainder = sorted(weights, key=lambda name: round(counts[name] - quotas[name], 9))
    for name in by_remainder[: size - sum(counts.values())]:
        counts[name] += 1
    return counts


def places(names: Sequence[str], seed: int, round: int) -> np.ndarray:
    """The order of bundles with these names in a seed's round: their positions, the first to be drawn first."""
    drawn = (unit_hash(f"order/{seed}/{round}/{name}") for name in names)
    return np.argsort(np.fromiter(drawn, dtype=np.float64, count=len(names)), kind="stable")


class Queue:
    """A pool's bundles in seeded order. Bundles of one size form a lane; `head` gives the earliest that fits."""

    def __init__(self, pool: Pool, seed: int, repeat: bool) -> None:
        self.pool, self.seed, self.repeat = pool, seed, repeat
        self.sizes = sorted(set(pool.sizes.tolist()))
        self.lanes: dict[int, list[int]] = {size: [] for size in self.sizes}  # places in the order, round after round
        self.bundles: dict[int, list[int]] = {size: [] for size in self.sizes}
        self.taken = {size: 0 for size in self.sizes}
        self.rounds = {size: 0 for size in self.sizes}
        self.flat, self.starts = pool.rows.tolist(), pool.starts.tolist()
        for size in self.sizes:
            self._extend(size)

    def _extend(self, size: int) -> None:
        order = places(self.pool.names, self.seed, self.rounds[size])
        own = np.flatnonzero(self.pool.sizes[order] == size)
        self.lanes[size] += (own + self.rounds[size] * len(order)).tolist()
        self.bundles[size] += order[own].tolist()
        self.rounds[size] += 1

    def head(self, room: int) -> int:
        """Size of the earliest bundle of at most `room` rows, 0 where there is none."""
        best, chosen = -1, 0
        for size in self.sizes:
            if size > room:
                break
            at = self.taken[size]
            if at == len(self.lanes[size]):
                if not self.repeat:
                    continue
                self._extend(size)
            place = self.lanes[size][at]
            if best < 0 or place < best:
                best, chosen = place, size
        return chosen

    def take(self, size: int) -> list[int]:
        bundle = self.bundles[size][self.taken[size]]
        self.taken[size] += 1
        return self.flat[self.starts[bundle] : self.starts[bundle + 1]]

    def restore(self, taken: Mapping[int, int]) -> None:
        for size in self.sizes:
            self.taken[size] = taken[size]
            while len(self.lanes[size]) < taken[size]:
                self._extend(size)
