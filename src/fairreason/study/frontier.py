"""Which points are worth choosing: dominance, hypervolume, sweet spot, each with how sure it is. NumPy alone.

F (fairness) and R (reasoning, 1 = the base) are both better when higher. Every function takes the estimate and its
joint draws in one array: axis P points, axis D draws, row 0 of D the estimate itself. A number's interval is the middle
95 % of its draws.

Joint draws have two sources. Clusters of questions: one set of weights a draw, shared by all runs
(evaluation/statistics.py). Seeds: the outer unit, S runs a point; a draw adds the seeds' deviations from their mean in
a random combination with the variance of a mean over S, on Student's scale with S-1 degrees:
Σ_s g_s·(x_s − x̄) / sqrt(S·(S−1)) · sqrt((S−1)/χ²). A percentile bootstrap over three seeds covers 74 % instead of 95
(tests/study/test_frontier.py). The g belong to the seed's number, so points with the same seeds move together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fairreason.evaluation.statistics import holm

REFERENCE_F, REFERENCE_R = 0.0, 0.5
CUT_F, CUT_R = 1.0, 1.25
BOX = (CUT_F - REFERENCE_F) * (CUT_R - REFERENCE_R)
RETENTIONS = (0.88, 0.95, 0.98)
LEVEL = 0.05  # of the sweet spot's one-sided bound and of its Holm test


class SeedNoise:
    """What a draw adds for the seeds: z of shape D x S for any set of seeds, the same for the same seeds."""

    def __init__(self, draws: int, seed: int = 0) -> None:
        self.draws, self.seed = draws, seed
        self._normal: dict[int, np.ndarray] = {}
        self._scale: dict[int, np.ndarray] = {}

    def z(self, seeds: Sequence[int]) -> np.ndarray:
        """Factors for the deviations of these seeds' values from their mean; zeros for a single seed."""
        count = len(seeds)
        if count < 2:
            return np.zeros((self.draws, count))
        if count not in self._scale:
            chi2 = np.random.default_rng([self.seed, 1, count]).chisquare(count - 1, self.draws)
            self._scale[count] = np.sqrt((count - 1) / chi2) / np.sqrt(count * (count - 1))
        for one in seeds:
            if one not in self._normal:
                self._normal[one] = np.random.default_rng([self.seed, 2, one]).standard_normal(self.draws)
        return np.stack([self._normal[one] for one in seeds], axis=1) * self._scale[count][:, None]


def over_seeds(runs_SD: np.ndarray, seeds: Sequence[int], noise: SeedNoise) -> np.ndarray:
    """A point's estimate and draws (D) from those of its runs (S x D, row order as `seeds`)."""
    point_D = runs_SD.mean(axis=0)
    deviations_S = runs_SD[:, 0] - runs_SD[:, 0].mean()
    return np.concatenate([point_D[:1], point_D[1:] + noise.z(seeds) @ deviations_S])


def standard_error(runs_SD: np.ndarray) -> float:
    """Of the mean over the runs: the clusters' part (spread of the mean's draws) and the seeds' part, s²/S, together.
    (The spread of Student draws themselves is no measure: with three seeds their variance is infinite.)"""
    clusters = float(np.var(runs_SD.mean(axis=0)[1:]))
    seeds = float(np.var(runs_SD[:, 0], ddof=1)) / len(runs_SD) if len(runs_SD) > 1 else 0.0
    return float(np.sqrt(clusters + seeds))


def interval(values_D: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of the draws (row 0, the estimate, is left out)."""
    low, high = np.quantile(values_D[1:], [0.025, 0.975])
    return float(low), float(high)


def undominated(F_PD: np.ndarray, R_PD: np.ndarray) -> np.ndarray:
    """P x D: no other point has F and R at least as high with one of them higher. Equal points stay both.

    >>> undominated(np.array([[.2], [.5], [.5]]), np.array([[1.], [.9], [.8]]))[:, 0].tolist()
    [True, True, False]
    """
    beaten_PD = np.zeros(F_PD.shape, dtype=bool)
    for F_D, R_D in zip(F_PD, R_PD, strict=True):
        beaten_PD |= (F_D >= F_PD) & (R_D >= R_PD) & ((F_D > F_PD) | (R_D > R_PD))
    return ~beaten_PD


def hypervolume(F_PD: np.ndarray, R_PD: np.ndarray) -> np.ndarray:
    """D values in [0, 1]: the area dominated above F = 0, R = 0.5, with F cut at 1 and R at 1.25, over the box's 0.75.

    >>> float(hypervolume(np.array([[1.]]), np.array([[1.25]]))[0])
    1.0
    >>> float(hypervolume(np.array([[.5], [1.]]), np.array([[1.25], [.875]]))[0])    # .5 + .5 · .5
    0.75
    """
    F_PD = np.clip(F_PD, REFERENCE_F, CUT_F) - REFERENCE_F
    R_PD = np.clip(R_PD, REFERENCE_R, CUT_R) - REFERENCE_R
    order = np.argsort(-F_PD, axis=0, kind="stable")
    F_PD, R_PD = np.take_along_axis(F_PD, order, 0), np.take_along_axis(R_PD, order, 0)
    reached_PD = np.maximum.accumulate(R_PD, axis=0)
    steps_PD = np.diff(reached_PD, axis=0, prepend=np.zeros((1, R_PD.shape[1])))
    return (steps_PD * F_PD).sum(axis=0) / BOX


class SweetSpot(NamedTuple):
    """`best`: the point's index, None when no point keeps enough; `alike`: it and those not significantly less fair;
    `adjusted`: Holm's p for each eligible point that it is as fair as the best; `chosen`: the share of draws in which
    each point (-1: none) is the choice."""

    best: int | None
    alike: list[int]
    adjusted: dict[int, float]
    chosen: dict[int, float]


def sweet_spot(F_PD: np.ndarray, R_PD: np.ndarray, retention: float) -> SweetSpot:
    """Among the points whose one-sided 95 % lower bound of R is at least `retention`, the one with the highest F, with
    every such point whose F is not significantly lower: paired over the joint draws, one-sided, Holm.

    In a draw the bound moves with R: a point stands at R − (R̂ − bound).
    """
    bound_P = np.quantile(R_PD[:, 1:], LEVEL, axis=1)
    slack_P = R_PD[:, 0] - bound_P
    eligible_PD = R_PD - slack_P[:, None] >= retention - 1e-12
    best_D = np.where(eligible_PD, F_PD, -np.inf).argmax(axis=0)
    best_D = np.where(eligible_PD.any(axis=0), best_D, -1)
    values, counts = np.unique(best_D[1:], return_counts=True)
    chosen = {int(v): float(n) / (F_PD.shape[1] - 1) for v, n in zip(values, counts, strict=True)}
    best = int(best_D[0])
    if best < 0:
        return SweetSpot(None, [], {}, chosen)
    others = [int(p) for p in np.flatnonzero(eligible_PD[:, 0]) if p != best]
    adjusted = dict(zip(others, holm([p_not_lower(F_PD[p], F_PD[best]) for p in others]), strict=True))
    alike = [best, *(p for p in others if adjusted[p] > LEVEL)]
    return SweetSpot(best, sorted(alike), adjusted, chosen)


def p_not_lower(a_D: np.ndarray, b_D: np.ndarray) -> float:
    """One-sided p-value of "a is not lower than b": the share of draws in which a reaches b (never 0: +1 each)."""
    return float((np.count_nonzero(a_D[1:] >= b_D[1:]) + 1) / len(a_D))


def surely_below(a_D: np.ndarray, b_D: np.ndarray, margin: float) -> bool:
    """Whether a lies below b by more than the margin with 95 % confidence (one-sided)."""
    return bool(np.quantile(a_D[1:] - b_D[1:], 0.95) < -margin)


def shares_chosen(chosen: Mapping[int, float], names: Sequence[str]) -> dict[str, float]:
    """The share of draws by name, summed over points of the same name; "none" where no point was eligible."""
    found: dict[str, float] = {}
    for p, share in chosen.items():
        name = "none" if p < 0 else names[p]
        found[name] = found.get(name, 0.0) + share
    return found
