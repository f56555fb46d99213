"""The errors of the numbers, against statsmodels and SciPy and by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from synthetic_rows import assert_equal, clustered_rows, measure

from fairreason.errors import UsageError
from fairreason.evaluation import distributions, statistics


def test_the_error_of_a_mean_is_statsmodels_clustered_one():
    values, clusters = clustered_rows(1)
    n, groups = len(values), len(np.unique(clusters))
    fit = sm.OLS(values, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    got = statistics.estimate(measure(values, clusters))
    assert got.value == pytest.approx(values.mean())
    assert got.stderr == pytest.approx(fit.bse[0], rel=1e-12)
    half = stats.t.ppf(0.975, groups - 1) * got.stderr
    assert (got.ci_low, got.ci_high) == pytest.approx((got.value - half, got.value + half), rel=1e-9)
    assert (got.n, got.clusters) == (n, groups)


def test_the_error_of_a_ratio_is_that_of_the_rows_it_counts():
    """With weights 0/1 the ratio is the mean of the rows with weight 1, so its error must be theirs; its interval holds
    theirs, because how many rows count is drawn as well."""
    values, clusters = clustered_rows(2)
    weights = (np.random.default_rng(3).random(len(values)) < 0.6).astype(float)
    ratio = statistics.estimate(measure(values * weights, clusters, weights))
    kept = weights == 1
    mean = statistics.estimate(measure(values[kept], clusters[kept]))
    assert (ratio.value, ratio.stderr) == pytest.approx((mean.value, mean.stderr), rel=1e-9)
    assert (ratio.n, ratio.clusters) == (mean.n, mean.clusters)
    assert ratio.ci_low <= mean.ci_low + 1e-12 and ratio.ci_high >= mean.ci_high - 1e-12


def test_clusters_of_one_size_give_the_t_interval_on_cluster_means():
    values, clusters = clustered_rows(10, groups=9, sizes=(6, 7))
    means = values.reshape(9, 6).mean(axis=1)
    got, expected = statistics.estimate(measure(values, clusters)), stats.ttest_1samp(means, 0).confidence_interval()
    assert (got.ci_low, got.ci_high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_k_samples_of_a_problem_are_one_cluster_by_hand():
    """Four problems, two samples each: right 2, 1, 1, 0 times. Problem means 1, .5, .5, 0: their standard deviation is
    sqrt(.5/3), the mean's error sqrt(.5/3/4) = .2041, t(.975, 3) = 3.182; half a width .6496, cut at 0 and 1.
    Taken as eight answers the error would be sqrt(.25/7) = .189 and seven degrees."""
    got = statistics.estimate(measure([1, 1, 1, 0, 0, 1, 0, 0], np.repeat(["p1", "p2", "p3", "p4"], 2)))
    assert (got.value, got.n, got.clusters) == (0.5, 8, 4)
    assert got.stderr == pytest.approx(math.sqrt(0.5 / 12))
    assert (got.ci_low, got.ci_high) == (0, 1)
    ten = statistics.estimate(measure([1, 1, 1, 0, 0, 1, 0, 0] * 10, np.repeat(range(40), 2)))
    half = 2.0227 * math.sqrt(10 * 0.5 / (39 * 40))  # t(.975, 39); ten times the squares over 39 degrees
    assert (ten.ci_low, ten.ci_high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-5)


def test_the_error_of_a_mean_over_strata_is_statsmodels_contrast():
    """F is a contrast of the coefficients of an OLS on stratum dummies."""
    values, clusters = clustered_rows(4)
    strata = np.random.default_rng(5).integers(0, 3, len(values))
    coefficients, groups, n = np.array([0.5, 0.5, 1.0]), len(np.unique(clusters)), len(values)
    fit = sm.OLS(values, np.eye(3)[strata]).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    contrast = fit.t_test(coefficients)
    got = statistics.estimate(measure(values, clusters, strata=strata, coefficients=coefficients, offset=-1))
    assert got.value == pytest.approx(contrast.effect[0] - 1)
    assert got.stderr == pytest.approx(contrast.sd[0, 0] / math.sqrt((n - 1) / (n - 3)), rel=1e-12)
    assert groups == got.clusters


def test_a_category_with_one_family_is_not_known_for_certain():
    """Two categories of six families and one of a single family, mean over the three: that one adds its distance from
    the mean of the categories, (1 − .5) / 3, to the other two's errors."""
    rng = np.random.default_rng(12)
    shares = [np.array([0.0, 1, 0, 1, 0, 0]), np.array([0.0, 0, 0, 0, 0, 1]), np.array([1.0])]
    values = np.concatenate(shares)
    strata = np.repeat([0, 1, 2], [6, 6, 1])
    order = rng.permutation(13)
    got = statistics.estimate(
        measure(values[order], np.arange(13)[order], strata=strata[order], coefficients=[1 / 3] * 3)
    )
    squares = sum(((one - one.mean()) ** 2).sum() / 36 for one in shares[:2]) + (1 - 0.5) ** 2
    assert got.value == pytest.approx(0.5)
    assert got.stderr == pytest.approx(math.sqrt(13 / 12 * squares / 9))


def test_a_paired_difference_is_the_error_of_the_row_differences():
    a, clusters = clustered_rows(6)
    b = np.where(np.random.default_rng(7).random(len(a)) < 0.2, 1 - a, a)
    n = len(a)
    fit = sm.OLS(a - b, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    got = statistics.difference(measure(a, clusters), measure(b, clusters))
    assert got.estimate.value == pytest.approx((a - b).mean())
    assert got.estimate.stderr == pytest.approx(fit.bse[0], rel=1e-12)
    t = got.estimate.value / got.estimate.stderr
    student = got.interval.student
    assert student.p() == pytest.approx(2 * stats.t.sf(abs(t), len(np.unique(clusters)) - 1), rel=1e-9)
    assert got.p >= student.p() and got.estimate.ci_low <= student.ends(0.95)[0]


def test_other_rows_cannot_be_paired():
    with pytest.raises(UsageError, match="same rows"):
        statistics.difference(measure([1, 0], "ab"), measure([1, 0], "ac"))


def test_one_answer_a_cluster_gets_wilson():
    for right, n in [(3, 30), (29, 30), (150, 299)]:
        got = statistics.estimate(measure([1] * right + [0] * (n - right), range(n)))
        expected = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert (got.ci_low, got.ci_high) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize(("value", "groups"), [(1, 2), (1, 40), (0, 40)])
def test_clusters_that_agree_get_clopper_pearson(value, groups):
    """Three rows a cluster, all alike: as `groups` independent answers, not three times as many."""
    got = statistics.estimate(measure([value] * groups * 3, np.repeat(range(groups), 3)))
    expected = stats.binomtest(value * groups, groups).proportion_ci(method="exact")
    assert (got.ci_low, got.ci_high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_an_s_score_of_always_unknown_is_not_certain():
    got = statistics.estimate(measure([0] * 40, np.repeat(range(10), 4), metric="s_amb"))
    assert got.value == 0 and got.ci_low == pytest.approx(-got.ci_high) and got.ci_high > 0.2


def test_an_s_score_is_no_share_where_nobody_happened_to_choose_against_the_stereotype():
    """One stereotyped answer of 40 proves no more than one against it."""
    one = np.arange(40) == 0
    up, down = (statistics.estimate(measure(side * one, range(40), metric="s_amb")) for side in (1, -1))
    assert (up.ci_low, up.ci_high) == pytest.approx((-down.ci_high, -down.ci_low)) and up.ci_low < 0 < up.ci_high


def test_undefined_is_none_never_zero():
    ratio = measure([0, 0], "ab", weights=[0, 0])
    assert statistics.estimate(ratio).value is None and statistics.estimate(ratio).n == 0
    assert statistics.estimate(measure([], [])).value is None
    one = statistics.estimate(measure([1, 0], "aa"))
    assert (one.value, one.stderr, one.ci_low, one.ci_high) == (0.5, None, 0, 1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40), st.randoms())
def test_laws_of_an_estimate(rows, random):
    values, clusters = [float(v) for v, _ in rows], [c for _, c in rows]
    got = statistics.estimate(measure(values, clusters))
    assert got.ci_low <= got.value <= got.ci_high and got.ci_low < got.ci_high  # no interval has width 0
    assert got.ci_low >= 0 and got.ci_high <= 1
    random.shuffle(rows)
    again = statistics.estimate(measure([float(v) for v, _ in rows], [c for _, c in rows]))
    assert_equal(got, again)


def test_seeds_are_a_one_sample_t_test():
    values = [0.03, 0.05, -0.01]
    got, expected = statistics.over_seeds(values), stats.ttest_1samp(values, 0)
    assert got.p == pytest.approx(expected.pvalue)
    assert (got.estimate.ci_low, got.estimate.ci_high) == pytest.approx(expected.confidence_interval(0.95))
    assert statistics.over_seeds([0.1]).estimate.ci_low is None and statistics.over_seeds([]).estimate.value is None


@pytest.mark.parametrize("degrees", [1, 2, 2.5, 24, 300, 58_000])
def test_student_t_is_scipys(degrees):
    for p in (0.001, 0.3, 0.5, 0.9, 0.975, 0.9999):
        assert distributions.t_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-8, abs=1e-12)
    for t in (0, 0.01, 1, 4, 40):
        assert distributions.t_two_sided(-t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), rel=1e-8, abs=1e-300)
    assert distributions.t_quantile(0.975, math.inf) == pytest.approx(stats.norm.ppf(0.975))


def test_two_runs_that_never_differ_tie_without_certainty():
    same = measure([1, 0, 1, 1], "aabb")
    got = statistics.difference(same, replace(same))
    assert got.estimate.value == 0 and got.p == 1 and got.estimate.ci_low < 0 < got.estimate.ci_high


def test_what_always_differs_alike_is_not_certain_either():
    """Two clusters, better by .5 in both: 1 − .025 ** (1/2) = .842 of the clusters may be worse by 1."""
    a, b = measure([1, 0, 1, 0], "aabb"), measure([0, 0, 0, 0], "aabb")
    got = statistics.difference(a, b)
    assert got.estimate.value == 0.5 and got.estimate.stderr == 0
    assert got.estimate.ci_low == pytest.approx(0.5 - (1 - 0.025**0.5) * 1.5)
    assert got.p == pytest.approx(2 * (1 / 1.5) ** 2)


def test_two_shares_on_the_same_few_questions_get_the_score_interval():
    """Airway data of Bentur et al. 2009 (1, 1, 7, 12) as Fagerland, Lydersen and Laake 2014 analyse it."""
    before, after = [1] + [1] + [0] * 7 + [0] * 12, [1] + [0] + [1] * 7 + [0] * 12
    got = statistics.difference(measure(before, range(21)), measure(after, range(21)))
    assert got.estimate.value == pytest.approx(-6 / 21)
    assert (got.estimate.ci_low, got.estimate.ci_high) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert got.p == pytest.approx(stats.chi2.sf(36 / 8, 1))
