"""Clusters drawn again: against SciPy's bootstrap, by hand where a stratum vanishes, and what draws depend on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from synthetic_rows import answers_of_families, assert_equal, clustered_rows, measure

from fairreason.errors import UsageError
from fairreason.evaluation import statistics
from fairreason.evaluation.resampling import resamples
from fairreason.evaluation.sums import cluster_sums


def draws_of(one, draws, seed=0):
    return resamples([(cluster_sums(one), one, 1.0)], draws, seed)


def test_a_ratios_draws_are_scipys():
    one = answers_of_families(np.random.default_rng(1), 20, abstains=False)
    sums = cluster_sums(one)
    V, W = sums.values_GS[:, 0], sums.weights_GS[:, 0]
    scipys = stats.bootstrap(
        (V, W),
        lambda v, w, axis: v.sum(axis) / w.sum(axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(2),
    )
    ours = draws_of(one, 20_000)
    assert ours.std(ddof=1) == pytest.approx(scipys.standard_error, rel=0.02)
    expected = (scipys.confidence_interval.low, scipys.confidence_interval.high)
    assert np.quantile(ours, [0.025, 0.975]) == pytest.approx(expected, abs=0.02 * (expected[1] - expected[0]))


def test_the_bootstrap_of_a_mean_has_the_clustered_error():
    """Over equal clusters the bootstrap's variance is Σ(x_g − x̄)²/G², widened by G/(G−1): the clustered one."""
    values, clusters = clustered_rows(11, groups=30, sizes=(5, 6))
    one = measure(values, clusters)
    boot, plain = statistics.bootstrap(one, 40_000), statistics.estimate(one)
    assert boot.stderr == pytest.approx(plain.stderr, rel=0.02)
    assert (boot.value, boot.n, boot.clusters) == (plain.value, plain.n, plain.clusters)
    assert boot.ci_high - boot.ci_low == pytest.approx(plain.ci_high - plain.ci_low, rel=0.05)


def test_clusters_drawn_by_kind_are_clusters_drawn_one_by_one():
    """600 clusters of one answer are two kinds: k of 600 right, as often as the binomial distribution says."""
    one = measure([1.0] * 240 + [0.0] * 360, range(600))
    right = np.rint(draws_of(one, 20_000) * 600)
    for k in (210, 228, 240, 255):
        assert np.mean(right <= k) == pytest.approx(stats.binom.cdf(k, 600, 0.4), abs=0.015)


def test_draws_without_a_stratum_are_left_out():
    """A stratum that stands in 2 of 6 clusters is missing in (4/6)^6 = 8.8 % of the draws."""
    one = measure([1, 0, 1, 0, 1, 0, 0, 1], [0, 1, 2, 3, 4, 5, 0, 1], strata=[0] * 6 + [1] * 2, coefficients=[0.5, 0.5])
    found = draws_of(one, 20_000)
    assert 1 - len(found) / 20_000 == pytest.approx((4 / 6) ** 6, abs=0.01)
    assert np.isfinite(found).all()


def test_where_most_draws_lack_a_stratum_the_t_interval_stands_alone():
    """A stratum that stands in one cluster of 8 is missing in (7/8)^8 = 34 % of draws, one of three such in 73 %."""
    values = [1, -1, 1, 1, -1, 1, -1, 1, 1, -1, 1]
    strata = [0] * 8 + [1, 2, 3]
    one = measure(values, [*range(8), 0, 1, 2], strata=strata, coefficients=[0.25] * 4, metric="s_dis")
    assert len(draws_of(one, 20_000)) < 10_000
    assert_equal(statistics.bootstrap(one), statistics.estimate(one))


def test_the_order_of_the_rows_changes_nothing_and_the_seed_decides():
    one = answers_of_families(np.random.default_rng(4), 12, abstains=True)
    turned = measure(one.values[::-1], one.clusters[::-1], one.weights[::-1], metric="s_dis")
    assert_equal(statistics.bootstrap(one, 500), statistics.bootstrap(turned, 500))
    assert statistics.bootstrap(one, 500, seed=1) != statistics.bootstrap(one, 500, seed=2)


def test_a_paired_ratio_that_never_differs_ties():
    one = answers_of_families(np.random.default_rng(5), 12, abstains=False)
    got = statistics.difference(one, one)
    assert got.p == 1 and got.estimate.ci_low < 0 < got.estimate.ci_high


def test_pairing_draws_the_same_clusters_for_both():
    """b is a with every tenth answer turned: their difference spreads less than either."""
    a = answers_of_families(np.random.default_rng(6), 12, abstains=False)
    turned = np.where(np.arange(len(a.values)) % 10 == 0, -a.values, a.values)
    b = measure(turned, a.clusters, a.weights, metric="s_dis")
    got, alone = statistics.difference(a, b).estimate, statistics.estimate(a)
    assert got.ci_high - got.ci_low < 0.75 * (alone.ci_high - alone.ci_low)


def test_a_studys_draws_spread_as_the_clustered_error_says():
    values, clusters = clustered_rows(8, groups=60)
    strata = np.random.default_rng(9).integers(0, 3, len(values))
    f = measure(values, clusters, strata=strata, coefficients=[0.5, 0.5, 1.0], offset=-1)
    names = sorted({str(c) for c in clusters})
    drawn = statistics.cluster_draws(f, statistics.draw_weights(20_000, names, seed=0), names)
    got = statistics.estimate(f)
    assert drawn.mean() == pytest.approx(got.value, abs=0.02)
    assert drawn.std() == pytest.approx(got.stderr, rel=0.06)
    unit = statistics.cluster_draws(f, np.ones((1, len(names))), names)
    assert unit[0] == pytest.approx(got.value, rel=1e-12)


def test_a_studys_draws_of_a_cluster_do_not_depend_on_its_neighbours():
    some = statistics.draw_weights(5, ["a", "b"], 3)
    other = statistics.draw_weights(5, ["z", "b"], 3)
    assert np.array_equal(some[:, 1], other[:, 1]) and not np.array_equal(some[:, 0], other[:, 0])
    with pytest.raises(UsageError, match="cluster c"):
        statistics.cluster_draws(measure([1.0], "c"), some, ["a", "b"])
