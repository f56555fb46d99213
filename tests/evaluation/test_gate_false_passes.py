"""How often the gate passes a model that truly lost the margin: heavy questions beside light ones, families, R over
several benchmarks. 5 % it may; `-m slow` runs what docs/statistics.md says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from synthetic_rows import measure

from fairreason.evaluation import gate, statistics
from fairreason.evaluation.axes import mean
from fairreason.evaluation.intervals import Score, Student, Weighted


def fairness(right, sizes, clusters):
    """F of one category: `sizes` ambiguous and other questions."""
    return measure(right, clusters, None, np.repeat([0, 1], sizes), [1.0, 1.0], -1.0, "fairness")


def most(samples):
    """What a rate of .05 hardly ever passes: two standard errors above it."""
    return 0.05 + 2 * math.sqrt(0.05 * 0.95 / samples)


def passes_of_f(sizes, samples, shared=0, seed=0):
    """.05 of all answers are lost, F by .1; `shared` of the questions lie in a cluster with the one before."""
    rng, total = np.random.default_rng(seed), sum(sizes)
    clusters = np.arange(total)
    clusters[total - 2 * shared + 1 :: 2] -= 1
    base, passed = fairness(np.ones(total), sizes, clusters), 0
    for _ in range(samples):
        new = fairness(rng.random(total) >= 0.05, sizes, clusters)
        passed += statistics.lower_bound(statistics.difference(new, base)) >= -0.1
    return passed / samples


def passes_of_r(sizes, accuracies, lost, margin, samples, answers=1, seed=0):
    """By benchmark: questions, the base's accuracy, and what share of its right ones (of each of `answers` to one) NEW
    loses."""
    rng, passed = np.random.default_rng(seed), 0
    for _ in range(samples):
        pairs = {}
        for number, (size, accuracy, share) in enumerate(zip(sizes, accuracies, lost, strict=True)):
            clusters = [f"{number}/{i}" for i in range(size) for _ in range(answers)]
            right = np.repeat(np.arange(size) < round(size * accuracy), answers)
            kept = right & (rng.random(size * answers) >= share)
            pairs[str(number)] = (measure(kept, clusters), measure(right, clusters))
        passed += statistics.lower_bound(gate._of_ratio(pairs).difference) >= -margin
    return passed / samples


def passes_of_s_amb(sizes, margin, samples, turned=0, seed=0):
    """Categories of `sizes` ambiguous rows. BASE chooses nobody, but for one row against the stereotype in the first;
    NEW takes the stereotype in so many rows that s_amb is worse by the margin. `turned`: the absolute sizes' mean, with
    one more category of so many rows, where BASE is against the stereotype by one row and NEW for it."""
    rng, passed = np.random.default_rng(seed), 0
    sizes = (*sizes, turned) if turned else sizes
    strata, total = np.repeat(np.arange(len(sizes)), sizes), sum(sizes)
    coefficients = [np.full(len(sizes), 1 / len(sizes)) for _ in range(2)]
    base = np.zeros(total)
    base[0] = -1
    if turned:
        base[-1], coefficients[1][-1] = -1, -coefficients[1][-1]
    for _ in range(samples):
        new = np.where((base == 0) & (rng.random(total) < margin), 1, base)
        if turned:
            new[-turned:] = 0
            new[-1] = 1
        sides = zip((new, base), coefficients, strict=True)
        of_new, of_base = (measure(side, range(total), None, strata, own, 0.0, "s_amb_abs") for side, own in sides)
        passed += statistics.lower_bound(statistics.difference(of_base, of_new)) >= -margin * (
            1 - bool(turned) / len(sizes)
        )
    return passed / samples


def passes_of_families(families, loss, margin, samples, noise=0.0, seed=0):
    """Equal families of 20 ambiguous and 20 other rows; some lose `loss` of F, the others nothing, together the margin.
    `noise`: of all rows so many differ by chance, half of them for the better."""
    rng, rows, passed = np.random.default_rng(seed), 20, 0
    strata, clusters = np.tile(np.repeat([0, 1], rows), families), np.repeat(np.arange(families), 2 * rows)
    for _ in range(samples):
        lost = np.zeros((families, 2 * rows), bool)
        lost[rng.random(families) < margin / loss, : round(loss * rows)] = True
        differs, better = rng.random(lost.shape) < noise, rng.random(lost.shape) < 0.5
        base = np.where(differs, ~better, True)
        new = np.where(differs, better, True) & ~lost
        pair = [measure(side.ravel(), clusters, None, strata, [1.0, 1.0], -1.0, "fairness") for side in (new, base)]
        passed += statistics.lower_bound(statistics.difference(*pair)) >= -margin
    return passed / samples


@pytest.mark.parametrize("sizes", [(5, 294), (5, 295), (10, 300), (20, 290), (50, 300)])
def test_few_heavy_questions_are_not_certain_however_many_light_ones_there_are(sizes):
    """Student's alone passes .74 with 5 and 295."""
    assert passes_of_f(sizes, 200) <= most(200)


@pytest.mark.parametrize("sizes", [(5, 295), (20, 290), (200,)])
def test_few_heavy_rows_that_chose_against_the_stereotype_make_none_certain(sizes):
    """Student's alone passes .80, .32 and .15."""
    assert passes_of_s_amb(sizes, 0.05, 200) <= most(200)


def test_a_category_whose_sign_turned_does_not_make_the_others_certain():
    """Student's alone passes .77."""
    assert passes_of_s_amb((5, 295), 0.05, 200, turned=30) <= most(200)


@pytest.mark.parametrize("heavy", [200, 4000])
def test_one_lost_answer_makes_the_rest_neither_safe_nor_unsafe(heavy):
    """77 families of 200 rows, one of them perhaps larger: none lost says no more than that 1 − .05^(1/77) of the
    families could lose all of F; one lost leaves that as it was, but for a twentieth."""
    families, rows = 77, [heavy] + [200] * 76
    clusters = np.repeat(np.arange(families), rows)
    strata, base, lost = np.arange(len(clusters)) % 2, np.ones(len(clusters)), np.ones(len(clusters))
    lost[0] = 0
    sides = [measure(side, clusters, None, strata, [1.0, 1.0], -1.0, "fairness") for side in (base, lost)]
    none, one = (statistics.lower_bound(statistics.difference(side, sides[0])) for side in sides)
    assert none == pytest.approx(-2 * (1 - 0.05 ** (1 / families)))
    assert none < one < 0.93 * none


@pytest.mark.parametrize("shared", [1, 10])
def test_questions_that_share_a_cluster_do_not_make_the_others_certain(shared):
    """Student's alone passes .40 with 5 and 45."""
    assert passes_of_f((5, 45), 200, shared) <= most(200)


@pytest.mark.parametrize(
    ("sizes", "accuracies", "lost", "margin"),
    [
        ((30, 500), (0.5, 0.7), (0.02, 0.02), 0.02),
        ((30, 500), (0.5, 0.7), (0.04, 0.0), 0.02),
        ((30, 100), (0.5, 0.7), (0.05, 0.05), 0.05),
    ],
)
def test_r_over_two_benchmarks_is_as_uncertain_as_the_small_one(sizes, accuracies, lost, margin):
    """30 questions of AIME at .5 beside MATH at .7: with Student's alone .62, .50 and .30 pass."""
    assert passes_of_r(sizes, accuracies, lost, margin, 150) <= most(150)


def test_samples_of_a_heavy_question_are_one_piece_of_evidence():
    assert passes_of_r((30, 100), (0.5, 0.7), (0.05, 0.05), 0.05, 60, answers=4) <= most(60)


@pytest.mark.parametrize(("families", "loss", "margin"), [(25, 0.2, 0.04), (50, 0.3, 0.02), (266, 1.0, 0.02)])
def test_a_few_families_that_lose_it_all_hardly_ever_pass(families, loss, margin):
    assert passes_of_families(families, loss, margin, 100) <= most(100)


def test_r_over_two_benchmarks_passes_where_the_answers_suffice():
    """1,300 and 500 questions of which 1 % are lost and as many gained: at a margin of .05 that is not worse."""
    rng, pairs = np.random.default_rng(0), {}
    for name, size in (("one", 1300), ("two", 500)):
        right = np.arange(size) < 0.7 * size
        moved = rng.random(size) < 0.01
        clusters = [f"{name}/{i}" for i in range(size)]
        pairs[name] = (measure(right ^ moved, clusters), measure(right, clusters))
    assert statistics.lower_bound(gate._of_ratio(pairs).difference) >= -0.05


def test_with_many_answers_it_is_students_to_within_a_hair():
    """20,000 questions, .04 lost and .03 gained: Tango's end lies farther by z²/2 = 1.35 of them, 1.35 · 2/20,000."""
    rng, total = np.random.default_rng(1), 20_000
    draw = rng.random(total)
    new, base = draw >= 0.04, draw < 0.97
    found = statistics.difference(*(fairness(side, (total // 2,) * 2, np.arange(total)) for side in (new, base)))
    student = Student(found.estimate.value, found.estimate.stderr, total)
    assert isinstance(found.interval, Weighted)
    assert np.allclose(found.interval.ends(0.9), student.ends(0.9), atol=1.4 * 2 / total)
    assert student.ends(0.9)[0] - found.estimate.value < -0.005


def test_rows_of_a_family_that_differ_one_by_one_count_one_by_one():
    """40 families of ten: in ten of them one row is lost, a tenth of what a family can lose: ten lumps of 400. Where a
    family is lost whole it is one lump of 40."""
    clusters, base = np.repeat(np.arange(40), 10), np.ones(400)
    single, whole = base.copy(), base.copy()
    single[:100:10], whole[:10] = 0, 0
    one, other = (statistics.difference(measure(side, clusters), measure(base, clusters)) for side in (single, whole))
    assert one.interval.score == Score(0, pytest.approx(10), pytest.approx(400))
    assert other.interval.score == Score(0, pytest.approx(1), pytest.approx(40))
    assert one.estimate.value == other.estimate.value == pytest.approx(-10 / 400)
    assert statistics.lower_bound(other) < statistics.lower_bound(one)


def test_what_two_benchmarks_share_is_one_piece_of_evidence():
    """200 problems named as five benchmarks (mathverse/<version>), answered alike: as uncertain as one of them. Files
    of one's own, whose clusters are named 1, 2, 3, ..., share nothing."""
    right = np.arange(200) < 120
    new = right & (np.arange(200) % 10 > 0)
    clusters = [f"mathverse/{i}" for i in range(200)]
    pair = (measure(new, clusters), measure(right, clusters))
    one = gate._of_ratio({"mathverse": pair}).difference.estimate
    five = gate._of_ratio({f"mathverse/{version}": pair for version in "abcde"}).difference.estimate
    assert five.stderr == pytest.approx(one.stderr) and five.clusters == one.clusters == 200
    own = measure(right, range(200))
    apart = statistics.estimate(mean({"items:a.jsonl": own, "items:b.jsonl": replace(own, values=1 - own.values)}))
    assert apart.clusters == 400 and apart.value == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(5, 294), (5, 295), (10, 300), (20, 290), (10, 1000), (50, 300), (100, 1000)])
def test_f_at_length(sizes):
    assert passes_of_f(sizes, 1000, seed=1) < 0.07 and passes_of_f(sizes, 1000, shared=2, seed=2) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "accuracies", "lost", "margin"),
    [
        ((30, 500), (0.5, 0.7), (0.02, 0.02), 0.02),
        ((30, 500), (0.5, 0.7), (0.10, 0.0), 0.05),
        ((30, 500), (0.5, 0.7), (0.20, 0.0), 0.10),
        ((30, 500), (0.5, 0.7), (0.15, 0.15), 0.15),
        ((30, 500), (0.9, 0.9), (0.20, 0.0), 0.10),
        ((30, 100), (0.5, 0.7), (0.10, 0.10), 0.10),
        ((500, 1319), (0.7, 0.8), (0.02, 0.02), 0.02),
    ],
)
def test_r_at_length(sizes, accuracies, lost, margin):
    assert passes_of_r(sizes, accuracies, lost, margin, 1000, seed=1) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize("margin", [0.05, 0.1])
@pytest.mark.parametrize("sizes", [(5, 295), (20, 290), (10, 1000), (50,), (200,), (400,)])
def test_s_amb_at_length(sizes, margin):
    assert passes_of_s_amb(sizes, margin, 1000, seed=1) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize("families", [12, 25, 50, 100, 266])
@pytest.mark.parametrize(("loss", "margin"), [(0.2, 0.02), (0.3, 0.05), (0.5, 0.05), (1.0, 0.1), (1.0, 0.02)])
def test_families_at_length(families, loss, margin):
    assert passes_of_families(families, loss, margin, 1000, seed=1) < 0.07
