"""What a run's evaluation says about a collapse that its training could not see."""

import pytest

from fairreason.evaluation.evaluate import Result
from fairreason.records import Score
from fairreason.study.run import always_unknown


def result(rate, category=None, condition="disambig"):
    return Result([Score("b", "unknown_rate", category, condition, rate, None, None, None, 40, 10)], {})


@pytest.mark.parametrize(
    ("results", "collapsed"),
    [
        ([result(0.95), result(0.95)], True),
        ([result(1.0), result(0.7)], False),  # the mean over benchmarks, .85
        ([result(0.9)], False),  # .9 is not above .9
        ([result(1.0, condition="ambig"), result(1.0, category="Pet")], False),  # unknown is right there; one category
        ([result(None)], False),
        ([], False),
    ],
)
def test_a_collapse_shows_in_the_evaluation(results, collapsed):
    assert always_unknown(results) is collapsed
