"""Clusters drawn again: the bootstrap of one number, and the shared weights that redraw all numbers of a study.

The two differ on purpose. `resamples` is the ordinary cluster bootstrap: G clusters drawn with replacement, some of
them never; a draw that misses every row of a stratum has no value. `draw_weights` (the Bayesian bootstrap, Rubin 1981)
gives every cluster some weight, so that a study's frontier exists in every draw.
Axes: G clusters, S strata, D draws, K kinds of clusters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fairreason.errors import UsageError
from fairreason.evaluation.sums import Sums, cluster_sums, drawn
from fairreason.records import Measure

DRAWS = 10_000
AT_ONCE = 4_000_000  # weights held in memory: 32 MB


def resamples(pairs: Sequence[tuple[Sums, Measure, float]], draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Sorted values of Σ factor · measure over draws of G clusters with replacement, the same clusters for every pair
    (sums of the same rows, measure, factor). Draws in which a stratum has no weight are left out, so D <= draws.

    Clusters with the same sums are of one kind, and how often a kind is drawn is multinomial: exact, and fast where
    every row is a cluster.
    """
    clusters = len(pairs[0][0].names)
    table_G = np.concatenate([part for sums, _, _ in pairs for part in (sums.values_GS, sums.weights_GS)], axis=1)
    _, first_K, counts_K = np.unique(table_G, axis=0, return_index=True, return_counts=True)
    kinds = [(_only(sums, first_K), measure, factor) for sums, measure, factor in pairs]
    random = np.random.default_rng(seed)
    step = max(1, AT_ONCE // len(counts_K))
    found = []
    for start in range(0, draws, step):
        share_K = counts_K / clusters
        weights_DK = random.multinomial(clusters, share_K, min(step, draws - start)).astype(float)
        found.append(sum(factor * drawn(sums, measure, weights_DK) for sums, measure, factor in kinds))
    values_D = np.concatenate(found)
    return np.sort(values_D[np.isfinite(values_D)])


def draw_weights(draws: int, clusters: Sequence[str], seed: int) -> np.ndarray:
    """Weights D x G whose draws never lose a stratum: exponential, the Bayesian bootstrap, stretched by sqrt(G/(G−1))
    about 1 to the variance of the clustered error.

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
    sums = cluster_sums(measure)
    place: Mapping[str, int] = {str(name): i for i, name in enumerate(clusters)}
    missing = [name for name in sums.names if name not in place]
    if missing:
        raise UsageError(f"{measure.metric}: no weights for cluster {missing[0]}")
    return drawn(sums, measure, weights_DG[:, [place[name] for name in sums.names]])


def _only(sums: Sums, first_K: np.ndarray) -> Sums:
    names = [sums.names[index] for index in first_K]
    return Sums(names, sums.n, sums.values_GS[first_K], sums.weights_GS[first_K])
