"""Measures over rows that the tests of the statistics make up, and worlds whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fairreason.records import Estimate, Measure, to_json


def measure(values, clusters, weights=None, strata=None, coefficients=(1.0,), offset=0.0, metric="accuracy") -> Measure:
    values = np.asarray(values, float)
    return Measure(
        metric,
        None,
        None,
        values,
        np.ones(len(values)) if weights is None else np.asarray(weights, float),
        np.zeros(len(values), int) if strata is None else np.asarray(strata),
        np.asarray([str(c) for c in clusters]),
        np.asarray(coefficients, float),
        offset,
    )


def assert_equal(a: Estimate, b: Estimate) -> None:
    """Up to the order in which the rows were added."""
    left, right = ([math.nan if v is None else v for v in to_json(e).values()] for e in (a, b))
    assert left == pytest.approx(right, rel=1e-9, abs=1e-12, nan_ok=True)


def clustered_rows(seed, groups=12, sizes=(1, 15)):
    """Rows of 0 and 1 in clusters of `sizes` (from, below) that resemble each other inside; the true share is .5."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(groups), rng.integers(*sizes, groups))
    share = rng.beta(2, 2, groups)[clusters]
    return (rng.random(len(clusters)) < share).astype(float), clusters


def answers_of_families(rng, families, abstains):
    """s_DIS as a measure: in each family 4 to 44 answers, of which a share that differs by family chooses somebody, by
    the stereotype in another share that differs by family. `abstains`: hardly any chooses (a debiased model)."""
    sizes = rng.integers(1, 12, families) * 4
    biased = rng.beta(3, 2, families) if abstains else rng.beta(5, 4, families)
    chooses = rng.beta(0.4, 6, families) if abstains else rng.beta(8, 2, families)
    clusters = np.repeat(np.arange(families), sizes)
    chosen = rng.random(len(clusters)) < chooses[clusters]
    sign = np.where(rng.random(len(clusters)) < biased[clusters], 1.0, -1.0)
    return measure(np.where(chosen, sign, 0), clusters, chosen, metric="s_dis")


def true_ratio(abstains):
    """What `answers_of_families` has in the long run: choosing and being biased are independent there."""
    share = 3 / 5 if abstains else 5 / 9
    return 2 * share - 1
