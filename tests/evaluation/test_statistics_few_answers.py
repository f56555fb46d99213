"""Differences of F on few questions with one answer each, as a private test has them: the bound that a gate goes by."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_rows import measure

from fairreason.evaluation import statistics
from fairreason.evaluation.intervals import Agreeing, Score, Student, Weighted


def fairness(right, sizes):
    """F of questions that are right (1) or wrong (0): by category the ambiguous ones, then by category the others;
    `sizes` says how many there are of each."""
    strata, categories = np.repeat(np.arange(len(sizes)), sizes), len(sizes) // 2
    coefficients = np.full(len(sizes), 1 / categories)
    return measure(right, range(len(right)), None, strata, coefficients, -1.0, "fairness")


def lost_of(sizes, lost, gained=()):
    """NEW − BASE where these questions were lost and these gained."""
    base, new = np.ones(sum(sizes)), np.ones(sum(sizes))
    base[list(gained)], new[list(lost)] = 0, 0
    return statistics.difference(fairness(new, sizes), fairness(base, sizes))


def test_with_equal_weights_it_is_tangos_times_their_sum_or_students():
    """50 ambiguous questions and 50 others: F moves by 1/50 with each, twice as much as a share of 100."""
    found = lost_of([50, 50], lost=[1, 60, 61], gained=[7])
    tango, student = Score(1, 3, 100).ends(0.9), Student(-0.04, found.estimate.stderr, 100).ends(0.9)
    assert statistics.lower_bound(found) == pytest.approx(min(2 * tango[0], student[0])) == pytest.approx(2 * tango[0])
    assert statistics.upper_bound(found) == pytest.approx(max(2 * tango[1], student[1]))
    assert found.estimate.value == pytest.approx(-0.04)


def test_with_unequal_weights_it_counts_as_many_equal_questions_as_they_are_worth():
    """4 ambiguous questions weigh 1/4 each, 16 others 1/16: worth (1 + 1)² / (4/16 + 16/256) = 12.8. Two of the 4 lost
    are two of eight such, 2 / (1/4), which are fewer. With one of the 16 lost the 4 are as uncertain as if
    none were: as 8 that agree, 2 / (1/4)."""
    found = lost_of([4, 16], lost=[0, 1])
    assert isinstance(found.interval, Weighted)
    assert (found.interval.score.n, found.interval.score.lost) == (pytest.approx(8), pytest.approx(2))
    tango, student = 2 * Score(0, 2, 8).ends(0.9)[0], Student(-0.5, found.estimate.stderr, 20).ends(0.9)[0]
    around = -0.5 - 2 * (1 - 0.05 ** (1 / 8))
    assert lost_of([4, 16], lost=[10]).interval.score.n == pytest.approx(12.8)
    assert statistics.lower_bound(found) == pytest.approx(min(tango, student, around))
    assert statistics.lower_bound(lost_of([4, 16], lost=[10])) == pytest.approx(-1 / 16 - 2 * (1 - 0.05 ** (1 / 8)))


def test_where_none_differs_the_bound_holds_wherever_they_could_have():
    """Whatever shares of the 3 and the 17 would be lost in truth, so that F falls by more than the bound: a sample in
    which none is lost has a chance of 5 % at most."""
    found = lost_of([3, 17], lost=[])
    bound = -statistics.lower_bound(found)
    assert isinstance(found.interval, Agreeing) and found.interval.worth * 20 == pytest.approx(6)  # 2 / (1/3)
    for a, b in product(np.linspace(0, 1, 201), repeat=2):
        if a + b > bound:
            assert (1 - a) ** 3 * (1 - b) ** 17 <= 0.05 + 1e-12
    even = lost_of([10, 10], lost=[])  # Clopper and Pearson's with n = 20, F ranging over 2
    assert statistics.lower_bound(even) == pytest.approx(-2 * (1 - 0.05 ** (1 / 20)))


@pytest.mark.parametrize("sizes", [[10, 10], [50, 50], [4, 16], [2, 8, 3, 9]])
def test_more_lost_answers_never_raise_the_bound(sizes):
    bounds = [statistics.lower_bound(lost_of(sizes, lost=range(sum(sizes) - count, sum(sizes)))) for count in range(6)]
    assert bounds == sorted(bounds, reverse=True)  # the first is Clopper and Pearson's


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=6, max_size=40), st.integers(1, 5))
def test_a_p_value_never_contradicts_its_interval(rows, ambiguous):
    new, base = (np.array(side, float) for side in zip(*rows, strict=True))
    sizes = [ambiguous, len(rows) - ambiguous]
    found = statistics.difference(fairness(new, sizes), fairness(base, sizes))
    if abs(found.p - 0.05) > 0.002:
        assert (found.p < 0.05) == (not found.estimate.ci_low <= 0 <= found.estimate.ci_high)
    assert found.estimate.ci_low - 1e-9 <= found.estimate.value <= found.estimate.ci_high + 1e-9


def test_ten_times_the_clusters_are_the_same_shares_on_ten_times_as_many():
    found, more = lost_of([4, 16], lost=[10]), lost_of([40, 160], lost=range(100, 110))
    at, expected = found.interval.at(200), more.interval
    assert at.score == Score(*map(pytest.approx, (expected.score.gained, expected.score.lost, expected.score.n)))
    assert at.agreeing.worth == pytest.approx(expected.agreeing.worth) == pytest.approx(0.4)
    needed = statistics.needed(found, 0.2)
    assert found.interval.at(needed.clusters).ends(0.9)[0] >= -0.2 and needed.clusters > 20


def false_passes(sizes, lost, gained, samples, seed=0):
    """How often the lower bound, and Student's alone, lie above the true difference: at most .05 they should."""
    rng = np.random.default_rng(seed)
    strata = np.repeat(np.arange(len(sizes)), sizes)
    truth = 2 / len(sizes) * sum(g - one for g, one in zip(gained, lost, strict=True))
    shown = student = 0
    for _ in range(samples):
        draw = rng.random(len(strata))
        took = np.array(lost)[strata]
        out = draw < took
        won = (draw >= took) & (draw < took + np.array(gained)[strata])
        found = lost_of(sizes, np.flatnonzero(out), np.flatnonzero(won))
        value, stderr = found.estimate.value, found.estimate.stderr
        alone = (Student(value, stderr, len(strata)) if stderr else Agreeing(value, -2, 2, len(strata))).ends(0.9)[0]
        shown += statistics.lower_bound(found) > truth + 1e-9
        student += alone > truth + 1e-9
    return shown / samples, student / samples


EVEN, THIRDS, UNEVEN = [50, 50], [10] * 6, [4, 8, 16, 4, 8, 16]


@pytest.mark.parametrize(("sizes", "students"), [(EVEN, 0.07), ([5, 45], 0.2), (THIRDS, 0.1), (UNEVEN, 0.1)])
def test_a_loss_of_the_margin_hardly_ever_passes(sizes, students):
    """.05 of all answers are lost, F by .1. Student's lets it pass much more often than in 5 % of samples."""
    shown, student = false_passes(sizes, [0.05] * len(sizes), [0] * len(sizes), 300)
    assert shown <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300)
    assert student > students


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [EVEN, [100, 100], [5, 45], [20, 100], THIRDS, UNEVEN])
def test_false_passes_at_length(sizes):
    """What docs/statistics.md says, with 2,000 samples a cell (standard error .005)."""
    each, half = len(sizes), len(sizes) // 2
    for lost, gained in (
        ([0.05] * each, [0] * each),
        ([0.08] * each, [0.03] * each),
        ([0.1] * half + [0] * half, [0] * each),
        ([0.2] + [0] * (each - 1), [0] * each),
    ):
        assert false_passes(sizes, lost, gained, 2000, seed=1)[0] < 0.08
