"""The reward table, row by row, and what it must not pay for."""

from __future__ import annotations

from typing import get_args

import pytest
from rows import bias, sums

from fairreason.records import Grade, Outcome
from fairreason.training.rewards import reward

AMBIGUOUS, DISAMBIGUATED, SUM = bias(0, False)[0], bias(0, False)[2], sums(1, False)[0]  # unknown is option 2


@pytest.mark.parametrize(
    ("example", "grade", "expected"),
    [
        (AMBIGUOUS, Grade("correct", choice=2), 1),
        (AMBIGUOUS, Grade("wrong", choice=0), -1),
        (AMBIGUOUS, Grade("wrong", choice=1), -1),  # the anti-stereotype earns no more than the stereotype
        (DISAMBIGUATED, Grade("correct", choice=0), 1),
        (DISAMBIGUATED, Grade("wrong", choice=1), -0.5),
        (DISAMBIGUATED, Grade("wrong", choice=2), -1),
        (SUM, Grade("correct", answer="1"), 1),
        (SUM, Grade("wrong", answer="2"), -1),
    ],
)
def test_the_table(example, grade, expected):
    assert reward(example, grade) == expected


@pytest.mark.parametrize("example", [AMBIGUOUS, DISAMBIGUATED, SUM])
@pytest.mark.parametrize("outcome", ["unparsed", "truncated", "error"])
def test_a_reply_that_fails_the_format_earns_no_more_than_one_that_passes(example, outcome):
    passing = [reward(example, Grade(good, choice=choice)) for good in ("correct", "wrong") for choice in (0, 1, 2)]
    assert reward(example, Grade(outcome)) <= min(passing)


def test_always_unknown_does_not_pay():  # half the rows are disambiguated: +1 and -1 cancel
    rows = bias(0, False)
    always = [Grade("correct" if row.answer == 2 else "wrong", choice=2) for row in rows]
    assert sum(map(reward, rows, always)) == 0


def test_every_outcome_has_a_reward():
    for outcome in get_args(Outcome):
        assert -1 <= reward(SUM, Grade(outcome)) <= 1
