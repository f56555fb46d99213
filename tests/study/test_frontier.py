"""Dominance, hypervolume, sweet spot and seed noise: small cases by hand, and the coverage of the intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairreason.evaluation import statistics
from fairreason.evaluation.statistics import draw_weights
from fairreason.study import frontier
from fairreason.study.frontier import SeedNoise, hypervolume, over_seeds, sweet_spot, undominated


def column(*values):
    """P points with their estimate only."""
    return np.array([[value] for value in values])


def still(*values, draws=100):
    """P points whose draws all equal the estimate."""
    return np.repeat(column(*values), draws + 1, axis=1)


def test_a_point_is_out_when_another_equals_or_beats_it_on_both_with_one_strictly_better():
    F, R = column(0.2, 0.5, 0.5, 0.7, 0.1), column(1.0, 0.9, 0.8, 0.7, 0.7)
    assert undominated(F, R)[:, 0].tolist() == [True, True, False, True, False]


def test_equal_points_stay_both():
    assert undominated(column(0.5, 0.5), column(0.9, 0.9))[:, 0].tolist() == [True, True]


def test_the_share_of_draws_on_the_frontier_by_hand():
    F = np.array([[0.5, 0.5, 0.5, 0.5, 0.5], [0.4, 0.4, 0.6, 0.6, 0.4]])  # the second wins in draws 2 and 3 of 4
    R = np.ones((2, 5))
    assert undominated(F, R)[1, 1:].mean() == 0.5


def test_hypervolume_by_hand():
    assert hypervolume(column(1.0), column(1.25))[0] == 1.0
    assert hypervolume(column(2.0), column(3.0))[0] == 1.0  # cut at F = 1, R = 1.25
    assert hypervolume(column(-0.3), column(1.2))[0] == 0.0  # below the reference
    assert hypervolume(column(0.9), column(0.4))[0] == 0.0
    assert hypervolume(column(0.6), column(1.0))[0] == pytest.approx(0.6 * 0.5 / 0.75)
    two = hypervolume(column(0.6, 0.2), column(1.0, 1.2))[0]  # .6 x .5 and above it .2 x .2
    assert two == pytest.approx((0.6 * 0.5 + 0.2 * 0.2) / 0.75)
    assert hypervolume(column(0.6, 0.2, 0.5), column(1.0, 1.2, 0.9))[0] == pytest.approx(two)  # a beaten point adds 0


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1.5)), min_size=1, max_size=6))
def test_hypervolume_equals_the_counted_grid(points):
    """Riemann sum over the box as an oracle: 200 x 200 cells."""
    F, R = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    cells_F, cells_R = (np.arange(200) + 0.5) / 200, 0.5 + 0.75 * (np.arange(200) + 0.5) / 200
    covered = ((F[:, None, None] >= cells_F[:, None]) & (R[:, None, None] >= cells_R)).any(axis=0).mean()
    assert hypervolume(F[:, None], R[:, None])[0] == pytest.approx(covered, abs=0.011)


def test_the_sweet_spot_by_hand():
    F, R = still(0.2, 0.6, 0.9), still(1.0, 0.96, 0.80)
    spot = sweet_spot(F, R, 0.95)
    assert (spot.best, spot.alike, spot.chosen) == (1, [1], {1: 1.0})
    assert sweet_spot(F, R, 0.98).best == 0
    assert sweet_spot(F, R, 0.5).best == 2
    none = sweet_spot(F, R, 1.1)
    assert (none.best, none.alike, none.chosen) == (None, [], {-1: 1.0})


def test_it_is_the_lower_bound_of_R_that_must_reach_rho():
    rng = np.random.default_rng(0)
    R = np.concatenate([[[0.97]], 0.97 + 0.02 * rng.standard_normal((1, 4000))], axis=1)  # bound .97 - .033
    F = np.full_like(R, 0.5)
    assert sweet_spot(F, R, 0.95).best is None
    assert sweet_spot(F, R, 0.93).best == 0
    assert 0 < sweet_spot(F, R, 0.95).chosen[0] < 0.5


def test_points_not_significantly_less_fair_stand_beside_the_best():
    rng = np.random.default_rng(0)
    shared, own = rng.standard_normal(2000), rng.standard_normal((3, 2000))
    F = np.array([0.80, 0.79, 0.60])[:, None] + 0.05 * shared + 0.02 * own
    F = np.concatenate([column(0.80, 0.79, 0.60), F], axis=1)
    spot = sweet_spot(F, np.ones_like(F), 0.95)
    assert (spot.best, spot.alike) == (0, [0, 1])
    assert spot.adjusted[2] == pytest.approx(2 / 2001)  # Holm: twice the smallest p there is
    assert spot.chosen[0] + spot.chosen[1] == pytest.approx(1)


def test_shares_chosen_adds_points_of_one_share():
    assert frontier.shares_chosen({0: 0.25, 1: 0.25, 2: 0.4, -1: 0.1}, ["0.2", "0.2", "1"]) == {
        "0.2": 0.5,
        "1": 0.4,
        "none": 0.1,
    }


def test_seed_noise_has_the_t_quantiles_of_a_mean_over_three():
    """Values 1, 2, 3: standard error 1/sqrt(3), t(.975, 2) = 4.303 (Student's table)."""
    draws = 40_000
    runs = np.repeat(column(1.0, 2.0, 3.0), draws + 1, axis=1)
    drawn = over_seeds(runs, [0, 1, 2], SeedNoise(draws))
    assert drawn[0] == 2.0
    low, high = frontier.interval(drawn)
    assert (high - low) / 2 == pytest.approx(4.303 / np.sqrt(3), rel=0.05)
    assert frontier.standard_error(runs) == pytest.approx(1 / np.sqrt(3))


def test_the_same_seeds_move_two_points_together():
    noise = SeedNoise(500)
    a = over_seeds(np.repeat(column(0.1, 0.2, 0.6), 501, axis=1), [0, 1, 2], noise)
    b = over_seeds(np.repeat(column(0.3, 0.4, 0.8), 501, axis=1), [0, 1, 2], noise)
    assert np.allclose(b - a, 0.2)


def test_one_seed_adds_nothing():
    runs = column(0.4, 0.5).reshape(1, 2)
    assert over_seeds(runs, [3], SeedNoise(1)).tolist() == [0.4, 0.5]


@pytest.mark.parametrize(("seeds", "bootstrap"), [(3, 0.74), (5, 0.82)])
def test_the_interval_over_seeds_covers_the_truth(seeds, bootstrap):
    """2,000 studies with a normal seed effect: 95 % by these draws, beside the percentile bootstrap."""
    rng = np.random.default_rng(seeds)
    ours = plain = 0
    noise = SeedNoise(1000, seed=1)
    z = noise.z(list(range(seeds)))
    picks = rng.integers(0, seeds, (1000, seeds))
    for _ in range(2000):
        values = rng.standard_normal(seeds)
        drawn = values.mean() + z @ (values - values.mean())
        low, high = np.quantile(drawn, [0.025, 0.975])
        ours += low <= 0 <= high
        low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
        plain += low <= 0 <= high
    assert ours / 2000 == pytest.approx(0.95, abs=0.02)
    assert plain / 2000 == pytest.approx(bootstrap, abs=0.03)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_of_a_point_covers_where_questions_and_seeds_both_vary(seeds):
    """500 studies of 40 clusters x S seeds, each with an effect of its own, and noise: 95 % hold the truth, .5."""
    rng = np.random.default_rng(seeds)
    names = [f"c{i}" for i in range(40)]
    weights = np.concatenate([np.ones((1, 40)), draw_weights(600, names, 0)])
    weights /= weights.sum(axis=1, keepdims=True)
    noise, held = SeedNoise(600), 0
    for _ in range(500):
        questions, effects = 0.3 * rng.standard_normal(40), 0.05 * rng.standard_normal((seeds, 1))
        runs_SG = 0.5 + questions + effects + 0.1 * rng.standard_normal((seeds, 40))
        low, high = frontier.interval(over_seeds(runs_SG @ weights.T, range(seeds), noise))
        held += low <= 0.5 <= high
    assert held / 500 == pytest.approx(0.95, abs=0.03)


def test_the_same_seeds_make_two_points_one_paired_comparison():
    """What a seed does to both cancels: the contrast of two points has the t interval of the per-seed differences."""
    draws = 40_000
    a, b = column(0.1, 0.2, 0.6), column(0.15, 0.29, 0.63)
    noise = SeedNoise(draws)
    drawn = [over_seeds(np.repeat(one, draws + 1, axis=1), [0, 1, 2], noise) for one in (a, b)]
    low, high = frontier.interval(drawn[1] - drawn[0])
    expected = statistics.over_seeds((b - a)[:, 0]).estimate
    assert (high - low) == pytest.approx(expected.ci_high - expected.ci_low, rel=0.05)


def test_hollow_needs_95_percent_confidence():
    rng = np.random.default_rng(0)
    base = np.full(2001, 0.9)
    worse = np.concatenate([[0.86], 0.86 + 0.005 * rng.standard_normal(2000)])
    vague = np.concatenate([[0.86], 0.86 + 0.05 * rng.standard_normal(2000)])
    assert frontier.surely_below(worse, base, 0.02)
    assert not frontier.surely_below(vague, base, 0.02)
