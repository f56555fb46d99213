"""How often the intervals hold the truth: counted exactly where the outcomes can be listed, else by simulation.

The simulations here are short; `-m slow` runs those behind the table in docs/statistics.md.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats
from synthetic_rows import answers_of_families, clustered_rows, measure, true_ratio

from fairreason.evaluation import statistics
from fairreason.evaluation.intervals import Score, Student


def share_held(ends, truth):
    return float(np.mean([low <= truth <= high for low, high in ends]))


@pytest.mark.parametrize("n", [10, 30, 100, 299])
def test_wilson_covers_95_percent_on_average(n):
    """Over all true shares, and hardly ever less than 90 %: every number right is listed, none simulated. With all or
    none right it is Clopper-Pearson's."""
    found = [statistics.estimate(measure([1] * k + [0] * (n - k), range(n))) for k in range(n + 1)]
    shares = np.linspace(0.02, 0.98, 97)
    held = [
        sum(stats.binom.pmf(k, n, p) for k, one in enumerate(found) if one.ci_low <= p <= one.ci_high) for p in shares
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.01)
    assert min(held) > 0.89


@pytest.mark.parametrize("groups", [2, 5, 30])
def test_agreeing_clusters_are_wrong_in_at_most_the_tails(groups):
    """Clusters of three rows that always agree inside: the rule misses a true share p only where all are right (or
    none) and p lies beyond the end; the chance of that is p^groups, never more than 2.5 %."""
    right = statistics.estimate(measure([1] * 3 * groups, np.repeat(range(groups), 3)))
    for p in np.linspace(0.01, 0.99, 99):
        if p < right.ci_low:
            assert p**groups <= 0.025 + 1e-12
        elif p > right.ci_low + 0.01:
            assert p**groups > 0.025


def test_the_paired_score_interval_covers_where_the_t_interval_does_not():
    """30 questions, all outcomes listed: 8 % gained, 2 % lost. Student's on the 30 differences holds .06 in
    91 %, the score interval in 97."""
    n, gained, lost, truth = 30, 0.08, 0.02, 0.06
    score = student = 0.0
    for b, c in product(range(13), range(9)):  # more are rarer than 1 in 100,000
        chance = stats.multinomial.pmf([b, c, n - b - c], n, [gained, lost, 1 - gained - lost])
        if b + c == 0:  # all agree: ±(1 − .025^(1/30)) = ±.116 holds .06
            score += chance
            continue
        low, high = Score(b, c, n).ends(0.95)
        score += chance * (low <= truth <= high)
        mean = (b - c) / n
        low, high = Student(mean, math.sqrt(((b + c) / n - mean**2) / (n - 1)), n).ends(0.95)
        student += chance * (low <= truth <= high)
    assert score == pytest.approx(0.971, abs=0.005)
    assert student == pytest.approx(0.912, abs=0.005)


def clustered(reps, groups, sizes, start=0):
    found = (statistics.estimate(measure(*clustered_rows(seed + start, groups, sizes))) for seed in range(reps))
    return share_held([(one.ci_low, one.ci_high) for one in found], 0.5)


def paired(reps, groups, start=0):
    """b is right where a is but for 20 % of the answers, in half of the clusters turned: the true difference is 0."""
    ends = []
    for seed in range(reps):
        a, clusters = clustered_rows(seed + start, groups, (4, 9))
        rng = np.random.default_rng([seed, start])
        flips = rng.random(len(a)) < 0.4 * rng.random(groups)[clusters]
        b = np.where(flips, rng.random(len(a)) < 0.5, a)
        c = np.where(rng.random(len(a)) < 0.2, rng.random(len(a)) < 0.5, a)
        got = statistics.difference(measure(b, clusters), measure(c, clusters)).estimate
        ends.append((got.ci_low, got.ci_high))
    return share_held(ends, 0.0)


def ratio(reps, families, abstains, estimate=statistics.estimate, start=0):
    ends = []
    for seed in range(reps):
        got = estimate(answers_of_families(np.random.default_rng([seed, start]), families, abstains))
        if got.value is not None and got.stderr is not None:
            ends.append((got.ci_low, got.ci_high))
    return share_held(ends, true_ratio(abstains))


def paired_ratio(reps, families, start=0):
    """Both answer the same questions, each turning a tenth of the answers of its own: the true difference is 0."""
    ends = []
    for seed in range(reps):
        rng = np.random.default_rng([seed, start])
        a = answers_of_families(rng, families, abstains=False)
        pair = [
            measure(np.where(rng.random(len(a.values)) < 0.1, -a.values, a.values), a.clusters, kept, metric="s_dis")
            for kept in (a.weights, a.weights)
        ]
        got = statistics.difference(*pair).estimate
        ends.append((got.ci_low, got.ci_high))
    return share_held(ends, 0.0)


def test_the_clustered_t_interval_covers():
    assert clustered(600, 12, (5, 6)) == pytest.approx(0.95, abs=0.03)  # two standard errors of 600 are .018
    assert clustered(600, 12, (1, 15)) == pytest.approx(0.95, abs=0.04)


def test_the_paired_t_interval_covers():
    assert paired(500, 15) > 0.93  # farther than Student's where few clusters moved: .99 here


def test_the_interval_of_a_ratio_covers_with_few_families():
    assert ratio(200, 8, abstains=False) == pytest.approx(0.95, abs=0.05)
    assert ratio(150, 25, abstains=True) == pytest.approx(0.95, abs=0.05)


def test_the_paired_interval_of_a_ratio_covers():
    assert paired_ratio(200, 8) == pytest.approx(0.96, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("families", [4, 8, 12, 25])
def test_coverage_at_length(families):
    """What the table in docs/statistics.md says, with 1,000 samples a cell (standard error .007)."""
    assert clustered(1000, families, (5, 6), 9) == pytest.approx(0.945, abs=0.03)
    assert clustered(1000, families, (1, 15), 9) > 0.885
    assert paired(1000, families, 9) > 0.94
    assert ratio(1000, families, False, start=9) == pytest.approx(0.95, abs=0.025)
    assert ratio(1000, families, True, start=9) > 0.93
    assert paired_ratio(1000, families, 9) > 0.93
