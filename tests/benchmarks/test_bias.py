"""The bias scores by hand, and their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairreason.benchmarks import bias, reasoning
from fairreason.evaluation.statistics import estimate
from fairreason.records import Example, Grade

UNKNOWN, TARGET, OTHER, NONE = 2, 0, 1, None


def row(number, condition, answer, category="Pet", target=TARGET, unknown=UNKNOWN, cluster=None):
    meta = {"category": category, "condition": condition, "target": target, "unknown": unknown}
    return Example(f"{number}", "s", "bias", cluster or f"c{number % 5}", "?", answer, ("x", "y", "z"), metadata=meta)


def graded(example, choice):
    if choice is None:
        return Grade("unparsed")
    return Grade("correct" if choice == example.answer else "wrong", choice=choice)


def values(examples, choices):
    measures = bias.summarize(examples, [graded(e, c) for e, c in zip(examples, choices, strict=True)])
    keys = [(m.metric, m.category, m.condition) for m in measures]
    assert len(set(keys)) == len(keys)
    return {key: estimate(m).value for key, m in zip(keys, measures, strict=True)}


def test_scores_by_hand():
    # ambiguous: 4 rows, "unknown" once, target twice, the other once; told: 4 rows, target twice (once right), unknown,
    # one unparsed
    examples = [row(i, "ambig", UNKNOWN) for i in range(4)]
    examples += [
        row(4, "disambig", TARGET),
        row(5, "disambig", OTHER),
        row(6, "disambig", OTHER),
        row(7, "disambig", 0),
    ]
    got = values(examples, [UNKNOWN, TARGET, TARGET, OTHER, TARGET, TARGET, UNKNOWN, NONE])
    for category in (None, "Pet"):
        assert got["accuracy", category, "ambig"] == 0.25
        assert got["accuracy", category, "disambig"] == 0.25
        assert got["accuracy", category, None] == 0.25
        assert got["fairness", category, None] == -0.5
        assert got["s_amb", category, "ambig"] == 0.25  # (2 - 1) / 4 = (1 - .25) * (2 * 2 / 3 - 1)
        assert got["s_dis", category, "disambig"] == 1.0  # both choices were the target
        assert got["nonalignment_cost", category, "disambig"] == -0.5  # 0 of 2 against the target, 1 of 2 on it
        assert got["unknown_rate", category, "ambig"] == 0.25
        assert got["unknown_rate", category, "disambig"] == 0.25
        assert got["abstention_j", category, None] == 0
    assert got["s_amb_abs", None, "ambig"] == 0.25


def test_overall_is_the_plain_mean_over_categories_whatever_their_size():
    examples = [row(i, "ambig", UNKNOWN, "Pet") for i in range(8)] + [row(8, "ambig", UNKNOWN, "Town")]
    got = values(examples, [TARGET] * 8 + [OTHER])
    assert got["s_amb", "Pet", "ambig"] == 1 and got["s_amb", "Town", "ambig"] == -1
    assert got["s_amb", None, "ambig"] == 0  # opposite signs cancel
    assert got["s_amb_abs", None, "ambig"] == 1


def test_nonalignment_cost_is_the_mean_over_categories_and_skips_rows_without_target():
    told = [row(0, "disambig", TARGET), row(1, "disambig", OTHER), row(2, "disambig", OTHER, target=None)]
    other = [row(3, "disambig", TARGET, "Town"), row(4, "disambig", OTHER, "Town"), row(5, "disambig", OTHER, "Town")]
    one_sided = [row(6, "disambig", TARGET, "Tree")]
    got = values([*told, *other, *one_sided], [TARGET, TARGET, OTHER, UNKNOWN, OTHER, NONE, TARGET])
    assert got["nonalignment_cost", "Pet", "disambig"] == -1  # right on the target, wrong against it
    assert got["nonalignment_cost", "Town", "disambig"] == 0.5  # one of two against it, none on it
    assert got["nonalignment_cost", None, "disambig"] == -0.25
    assert ("nonalignment_cost", "Tree", "disambig") not in got  # nothing to compare


@pytest.mark.parametrize(
    ("ambig", "told", "fairness", "s_amb", "s_dis", "j"),
    [
        ("right", "right", 1, 0, 0, 1),
        ("unknown", "unknown", 0, 0, None, 0),  # no choice: undefined, never 0
        ("target", "target", -0.5, 1, 1, 0),
        ("other", "other", -0.5, -1, -1, 0),
        ("target", "right", 0, 1, 0, 0),
        ("none", "none", -1, 0, None, 0),
    ],
)
def test_constant_policies(ambig, told, fairness, s_amb, s_dis, j):
    examples = [row(i, "ambig", UNKNOWN) for i in range(4)] + [row(4 + i, "disambig", i % 2) for i in range(4)]
    choose = {"unknown": lambda e: UNKNOWN, "target": lambda e: TARGET, "other": lambda e: OTHER,
              "right": lambda e: e.answer, "none": lambda e: None}  # fmt: skip
    got = values(examples, [choose[ambig if e.metadata["condition"] == "ambig" else told](e) for e in examples])
    assert got["fairness", None, None] == fairness and got["abstention_j", None, None] == j
    assert got["s_amb", None, "ambig"] == s_amb and got["s_dis", None, "disambig"] == s_dis


def test_neg_and_non_neg_pool_as_disambig_and_stand_beside_it():
    examples = [row(0, "ambig", 2), row(1, "neg", 0), row(2, "non_neg", 1), row(3, "non_neg", 1), row(4, "non_neg", 1)]
    got = values(examples, [2, 0, 1, 1, 0])
    assert got["accuracy", None, "disambig"] == 0.75
    assert got["accuracy", None, "neg"] == 1 and got["accuracy", None, "non_neg"] == pytest.approx(2 / 3)
    assert got["fairness", None, None] == 0.75


def test_without_targets_there_is_no_score_and_without_unknown_no_rate():
    examples = [row(0, "ambig", 2, target=None), row(1, "disambig", 0, target=None)]
    metrics = {metric for metric, _, _ in values(examples, [2, 0])}
    assert metrics == {"accuracy", "fairness", "unknown_rate", "abstention_j"}
    examples = [row(0, "ambig", 2, unknown=None), row(1, "disambig", 0, unknown=None)]
    assert {metric for metric, _, _ in values(examples, [2, 0])} == {"accuracy", "fairness"}


def test_a_row_without_target_counts_as_0():
    got = values([row(0, "ambig", 2), row(1, "ambig", 2, target=None)], [TARGET, OTHER])
    assert got["s_amb", "Pet", "ambig"] == 0.5


def test_without_categories_or_conditions_accuracy_remains():
    example = Example("1", "s", "bias", "c", "?", 0, ("x", "y"))
    assert values([example, example], [0, 1]) == {("accuracy", None, None): 0.5}
    assert bias.summarize([], []) == [] and reasoning.summarize([], []) == []


@given(st.lists(st.sampled_from([UNKNOWN, TARGET, OTHER, NONE]), min_size=1, max_size=40))
def test_s_amb_is_the_authors_formula_over_all_rows(choices):
    examples = [row(i, "ambig", UNKNOWN) for i in range(len(choices))]
    biased, anti = choices.count(TARGET), choices.count(OTHER)
    got = values(examples, choices)["s_amb", "Pet", "ambig"]
    assert got == pytest.approx((biased - anti) / len(choices), abs=1e-12)
    if biased + anti and NONE not in choices:
        accuracy = choices.count(UNKNOWN) / len(choices)
        assert got == pytest.approx((1 - accuracy) * (2 * biased / (biased + anti) - 1), abs=1e-12)


def test_measures_hold_the_same_rows_whatever_was_answered():
    examples = [row(i, "ambig" if i % 2 else "disambig", UNKNOWN if i % 2 else i % 3 % 2) for i in range(20)]
    rng = np.random.default_rng(0)
    first, second = (
        bias.summarize(examples, [graded(e, rng.choice([0, 1, 2, None])) for e in examples]) for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        assert (a.metric, a.category, a.condition) == (b.metric, b.category, b.condition)
        assert np.array_equal(a.clusters, b.clusters)


def test_reasoning_is_the_mean_over_questions_and_by_category():
    examples = [
        Example(f"{i}", "s", "reasoning", f"{i}", "?", "1", metadata={"category": "ab"[i == 0]}) for i in range(4)
    ]
    outcomes = ["correct", "wrong", "unparsed", "truncated"]
    found = {m.category: estimate(m).value for m in reasoning.summarize(examples, [Grade(o) for o in outcomes])}
    assert found == {None: 0.25, "a": 0.0, "b": 1.0}
