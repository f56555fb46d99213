import numpy as np
import pytest

from fairreason.study.resolution import FACTOR, resolution, sentence


def test_by_hand():
    # standard errors .02 of F and .01, .03 of two accuracies .5 and .6; relative .02 and .05; mean of two
    draws = {"F": np.array([0.1, 0.12, 0.08]), "accuracy/a": np.array([0.5, 0.51, 0.49]),
             "accuracy/b": np.array([0.6, 0.63, 0.57])}  # fmt: skip
    found = resolution(draws, [], ["a", "b"])
    assert found["F"] == pytest.approx(FACTOR * 0.02)
    assert found["R"] == pytest.approx(FACTOR * np.hypot(0.02, 0.05) / 2)


def test_the_one_whose_answers_spread_most_decides():
    """A base that always answers alike has no spread; a run that is half right has. Relative to the base's accuracy."""
    base = {"F": np.array([0.0, 0.0, 0.0]), "accuracy/a": np.array([0.5, 0.51, 0.49])}
    run = {"F": np.array([0.4, 0.43, 0.37]), "accuracy/a": np.array([0.6, 0.62, 0.58])}
    found = resolution(base, [run, base], ["a"])
    assert found == {"F": pytest.approx(FACTOR * 0.03), "R": pytest.approx(FACTOR * 0.02 / 0.5)}


def test_a_number_in_which_no_draw_differs_shows_nothing():
    """Two that always answer alike, .1 + .2 in rounding too; an accuracy of 1 beside one that spreads."""
    still = np.full(2001, 0.1 + 0.2)
    always = {"F": still, "accuracy/a": np.ones(3), "accuracy/b": np.array([0.5, 0.52, 0.48])}
    assert resolution(always, [{"F": np.ones(2001)}], ["a", "b"]) == {"F": None, "R": None}
    assert resolution(always, [], ["b"])["R"] == pytest.approx(FACTOR * 0.02 / 0.5)
    both = always | {"accuracy/a": np.array([0.8, 0.84, 0.76])}
    assert resolution(always, [both], ["a", "b"])["R"] == pytest.approx(FACTOR * np.hypot(0.04, 0.04) / 2)


def test_the_factor_is_the_textbook_one():
    from scipy.stats import norm

    assert pytest.approx((norm.ppf(0.975) + norm.ppf(0.8)) * 2**0.5, rel=1e-5) == FACTOR


def test_the_sentence_says_what_is_not_known():
    assert resolution({}, [], []) == {"F": None, "R": None}
    assert "a difference of 0.050 in F and of unknown size in R between" in sentence({"F": 0.05, "R": None})
    assert "a difference of unknown size in F and of 0.020 in R between" in sentence({"F": None, "R": 0.02})
