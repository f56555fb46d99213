"""A measure, added up by cluster: all that its value, its error and its draws need. NumPy alone.

Rows of one cluster add up before anything else happens, so that an error never counts two answers of a cluster as two
pieces of evidence. Axes: N rows, G clusters, S strata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fairreason.errors import UsageError
from fairreason.records import Measure


class Sums(NamedTuple):
    """Sums of values and weights by cluster and stratum; `n` rows count (their weight is not 0), `names` are the G
    clusters that have such rows, sorted."""

    names: list[str]
    n: int
    values_GS: np.ndarray
    weights_GS: np.ndarray


def cluster_sums(measure: Measure) -> Sums:
    """The measure's rows of weight other than 0, added up."""
    return paired_sums(measure)[0]


def paired_sums(*measures: Measure) -> list[Sums]:
    """Several measures of the same rows, each added up over the same clusters: those in which a row of any counts.

    Raises UsageError when the rows are not the same.
    """
    first = measures[0]
    if any(not np.array_equal(first.clusters, other.clusters) for other in measures[1:]):
        raise UsageError(f"{first.metric}: the two are not measured on the same rows, so they cannot be paired")
    counted_N = np.logical_or.reduce([measure.weights != 0 for measure in measures])
    names, codes_N = _codes(first.clusters[counted_N])
    n = int(counted_N.sum())
    return [_added(measure, counted_N, names, codes_N, n) for measure in measures]


def ratios(sums: Sums, measure: Measure) -> np.ndarray | None:
    """V_s / W_s of every stratum; None when one that counts has no weight (or no row does)."""
    weights_S, values_S = sums.weights_GS.sum(axis=0), sums.values_GS.sum(axis=0)
    if not sums.names or np.any((weights_S == 0) & (measure.coefficients != 0)):
        return None
    return np.divide(values_S, weights_S, out=np.zeros(len(weights_S)), where=weights_S != 0)


def influence(sums: Sums, measure: Measure, ratios_S: np.ndarray) -> np.ndarray:
    """What each cluster moves the measure by, to first order: U_g = Σ_s c_s · (V_gs − r_s·W_gs) / W_s; Σ_g U_g = 0.

    A stratum whose rows all lie in one cluster (a category with a single family) would move nothing, as if it were
    known for certain. It is taken against the mean of the strata that count alike, not against its own ratio: survey
    analysis' "adjust" for a lonely sampling unit (Lumley 2010, Complex Surveys); the sum is then not 0.
    """
    weights_S = sums.weights_GS.sum(axis=0)
    scale_S = np.divide(measure.coefficients, weights_S, out=np.zeros(len(weights_S)), where=weights_S != 0)
    middle_S = ratios_S.copy()
    for stratum in np.flatnonzero(((sums.weights_GS != 0).sum(axis=0) == 1) & (measure.coefficients != 0)):
        middle_S[stratum] = ratios_S[measure.coefficients == measure.coefficients[stratum]].mean()
    return (sums.values_GS - middle_S * sums.weights_GS) @ scale_S


def drawn(sums: Sums, measure: Measure, weights_DG: np.ndarray) -> np.ndarray:
    """The measure's value under each of D rows of cluster weights, nan where a stratum that counts has no weight."""
    used = measure.coefficients != 0
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios_DS = (weights_DG @ sums.values_GS[:, used]) / (weights_DG @ sums.weights_GS[:, used])
    return measure.offset + ratios_DS @ measure.coefficients[used]


def _added(measure: Measure, counted_N: np.ndarray, names: list[str], codes_N: np.ndarray, n: int) -> Sums:
    strata = len(measure.coefficients)
    shape, flat_N = (len(names), strata), codes_N * strata + measure.strata[counted_N]
    values = np.bincount(flat_N, measure.values[counted_N], len(names) * strata)
    weights = np.bincount(flat_N, measure.weights[counted_N], len(names) * strata)
    return Sums(names, n, values.reshape(shape), weights.reshape(shape))


def _codes(clusters_N: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The sorted names and each row's place among them. (A dict: sorting 58,000 strings takes ten times as long.)"""
    rows = clusters_N.tolist()
    names = sorted(set(rows))
    place: Mapping[str, int] = {name: code for code, name in enumerate(names)}
    return [str(name) for name in names], np.fromiter((place[name] for name in rows), int, len(rows))
