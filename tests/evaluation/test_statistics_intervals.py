"""The kinds of interval: against SciPy, statsmodels and a constrained likelihood, and that ends and p-values agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from synthetic_rows import answers_of_families, measure

from fairreason.evaluation import statistics
from fairreason.evaluation.intervals import Agreeing, Drawn, Score, Student


def score_by_likelihood(gained, lost, n, d):
    """The score statistic at difference d, with the nuisance share found by maximising the likelihood numerically."""

    def minus_log_likelihood(q):
        cells = ((gained, q + d), (lost, q), (n - gained - lost, 1 - 2 * q - d))
        return -sum(count * math.log(share) for count, share in cells if count)

    ends = (max(0.0, -d) + 1e-12, (1 - d) / 2 - 1e-12)
    q = optimize.minimize_scalar(minus_log_likelihood, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    return (gained - lost - n * d) / math.sqrt(n * (2 * q + d - d * d))


@pytest.mark.parametrize(("gained", "lost", "n"), [(1, 7, 21), (40, 20, 160), (3, 3, 25), (12, 1, 298)])
def test_the_score_interval_ends_where_the_score_test_refuses(gained, lost, n):
    for level in (0.9, 0.95):
        z = stats.norm.ppf((1 + level) / 2)
        low, high = Score(gained, lost, n).ends(level)
        assert score_by_likelihood(gained, lost, n, low) == pytest.approx(z, abs=1e-4)
        assert score_by_likelihood(gained, lost, n, high) == pytest.approx(-z, abs=1e-4)


def test_its_p_value_is_mcnemars():
    expected = mcnemar([[0, 40], [20, 0]], exact=False, correction=False).pvalue
    assert Score(40, 20, 160).p() == pytest.approx(expected)


@pytest.mark.parametrize("kind", [Student(0.1, 0.04, 12), Score(9, 2, 40), Agreeing(0.5, -1.0, 1.0, 3)])
def test_the_p_value_is_the_level_at_which_an_end_touches_0(kind):
    assert kind.ends(1 - kind.p())[0] == pytest.approx(0, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 9)), min_size=2, max_size=40), st.booleans())
def test_a_p_value_never_contradicts_its_interval(rows, alone):
    a, b, clusters = zip(*rows, strict=True)
    clusters = range(len(rows)) if alone else clusters
    got = statistics.difference(measure(a, clusters), measure(b, clusters))
    assert_consistent(got)


@pytest.mark.parametrize("seed", range(20))
def test_nor_does_that_of_a_ratio(seed):
    rng = np.random.default_rng(seed)
    a = answers_of_families(rng, int(rng.integers(3, 15)), abstains=False)
    swapped = np.where(rng.random(len(a.values)) < 0.5, -a.values, a.values)
    got = statistics.difference(a, measure(swapped, a.clusters, a.weights, metric="s_dis"))
    assert isinstance(got.interval, Drawn)
    assert_consistent(got)


def assert_consistent(got):
    if got.p is None:
        assert got.estimate.stderr is None
    elif abs(got.p - 0.05) > 0.002:
        assert (got.p < 0.05) == (not got.estimate.ci_low <= 0 <= got.estimate.ci_high)
        assert got.estimate.ci_low <= got.estimate.value <= got.estimate.ci_high


def test_a_ratios_interval_is_the_farther_of_both_at_each_end():
    a = answers_of_families(np.random.default_rng(3), 10, abstains=False)
    got, boot = statistics.estimate(a), statistics.bootstrap(a)
    half = stats.t.ppf(0.975, got.clusters - 1) * got.stderr
    assert got.ci_low == pytest.approx(min(boot.ci_low, got.value - half))
    assert got.ci_high == pytest.approx(max(boot.ci_high, got.value + half))


def test_at_is_the_same_spread_on_other_clusters():
    assert Student(0.1, 0.04, 12).at(48) == Student(0.1, 0.02, 48)
    assert Score(2, 1, 20).at(200) == Score(20, 10, 200)
    draws = np.sort(np.random.default_rng(0).normal(0.1, 0.04, 999))
    more = Drawn(Student(0.1, 0.04, 12), draws).at(48)
    assert more.draws_D.std() == pytest.approx(draws.std() / 2) and more.student.clusters == 48
