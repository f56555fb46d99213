"""frontier.json from synthetic measures: points, R, R0, contrasts, hollow points, what is undefined."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from fairreason.recipe import Recipe
from fairreason.records import Measure
from fairreason.study.points import Evaluated, point_names
from fairreason.study.report.charts import series
from fairreason.study.summary import summary

AXES = {"b": "bias", "m": "reasoning", "weak": "reasoning"}
CHANCE = {"b": 1 / 3, "m": 0.0, "weak": 0.25}
FAMILIES, QUESTIONS = 40, 200


def mean(metric, condition, hits, rows):
    """The first `hits` of the rows are 1; rows lie in clusters of their own number."""
    values = (np.arange(rows) < hits).astype(float)
    names = np.array([f"{metric}-{i}" if rows == QUESTIONS else f"family-{i}" for i in range(rows)])
    ones = np.ones(rows)
    return Measure(metric, None, condition, values, ones, np.zeros(rows, int), names, np.ones(1))


def fairness(ambig, disambig):
    """Two strata, one row a family each: F = ambig/40 + disambig/40 - 1."""
    values = np.concatenate([(np.arange(FAMILIES) < hits).astype(float) for hits in (ambig, disambig)])
    names = np.array([f"family-{i}" for i in range(FAMILIES)] * 2)
    strata = np.repeat([0, 1], FAMILIES)
    return Measure("fairness", None, None, values, np.ones(2 * FAMILIES), strata, names, np.ones(2), -1.0)


def measured(ambig, disambig, right, weak=40):
    return {
        "b": [
            fairness(ambig, disambig),
            mean("accuracy", "ambig", ambig, FAMILIES),
            mean("accuracy", "disambig", disambig, FAMILIES),
            mean("s_amb_abs", "ambig", FAMILIES - ambig, FAMILIES),
        ],
        "m": [mean("accuracy", None, right, QUESTIONS)],
        "weak": [mean("accuracy", None, weak, QUESTIONS)],
    }


def run(kind, share, seed, ambig, disambig, right, **more):
    recipe = Recipe.parse({"strategy": {"type": kind}, "mixture": {"bias_share": share}, "seed": seed})
    return Evaluated(
        recipe.name(), recipe, measured(ambig, disambig, right), {"steps": 10, "seconds": 2.0 + seed}, **more
    )


BASE = Evaluated("none-lab", Recipe.parse({"strategy": {"type": "none"}}), measured(4, 36, 100))


def three(kind, share, ambig, disambig, right):
    return [run(kind, share, s, ambig + d, disambig, right + 2 * d) for s, d in enumerate((-1, 0, 1))]


RUNS = [
    *three("sft", 0.0, 4, 36, 120),
    *three("sft", 1.0, 30, 36, 80),
    *three("grpo", 0.0, 4, 36, 110),
    *three("grpo", 0.2, 32, 36, 108),
    *three("grpo", 1.0, 38, 20, 70),
]


@pytest.fixture(scope="module")
def found():
    return summary(BASE, RUNS, AXES, CHANCE, failed=[{"run": "kd-b0-s0", "reason": "out of memory"}], marks=["leaky"])


def point(found, name):
    return next(row for row in found["points"] if row["name"] == name)


def test_values_by_hand(found):
    row = point(found, "grpo-b0.2")
    assert row["seeds"] == [0, 1, 2] and row["label"] == "grpo" and row["bias_share"] == 0.2
    assert row["runs"] == ["grpo-b0.2-s0", "grpo-b0.2-s1", "grpo-b0.2-s2"]
    assert row["F"]["value"] == pytest.approx(32 / 40 + 36 / 40 - 1)
    assert row["R"]["value"] == pytest.approx(108 / 100)
    assert row["R0"]["value"] == pytest.approx(np.mean([106 / 108, 108 / 110, 110 / 112]))
    assert row["axes"]["accuracy_ambig"]["value"] == pytest.approx(0.8)
    assert row["axes"]["s_amb"] is None
    assert row["cost"] == {
        "steps": 10,
        "seconds": 3.0,
        "prompt_tokens": None,
        "trained_tokens": None,
        "sampled_tokens": None,
    }
    assert [one["R"] for one in row["single_runs"]] == pytest.approx([1.06, 1.08, 1.10])
    assert row["F"]["ci_low"] < row["F"]["value"] < row["F"]["ci_high"]
    json.dumps(found, allow_nan=False)


def test_a_benchmark_whose_base_only_guesses_is_left_out_and_named(found):
    assert found["reasoning_used"] == ["m"]
    assert found["left_out"][0]["benchmark"] == "weak" and "not above chance (0.250)" in found["left_out"][0]["reason"]


def test_dominance_over_points_not_runs(found):
    """sft at 1 and grpo at 1 are beaten on both by grpo at 0.2; sft and grpo at 0 have equal F, sft more R."""
    on = [row["name"] for row in found["points"] if row["on_frontier"]]
    assert on == ["sft-b0", "grpo-b0.2"]
    assert point(found, "grpo-b0.2")["frontier_probability"] > 0.9
    assert point(found, "grpo-b1")["frontier_probability"] < 0.1


def test_the_base_is_no_point(found):
    asked = {"n": QUESTIONS, "clusters": QUESTIONS}
    assert found["base"]["R"] == {"value": 1.0, "stderr": None, "ci_low": None, "ci_high": None, **asked}
    assert found["base"]["F"]["value"] == pytest.approx(0.0)
    assert "base" not in [row["name"] for row in found["points"]]


def test_hypervolume_says_how_many_points(found):
    sizes = {name: row["points"] for name, row in found["hypervolume"].items()}
    assert sizes == {"all": 5, "sft": 2, "grpo": 3}
    assert found["hypervolume"]["grpo"]["value"] == pytest.approx((0.7 * 0.58 + 0.0) / 0.75)
    assert found["constants"]["reference"] == {"F": 0.0, "R": 0.5} and found["constants"]["cut"] == {
        "F": 1.0,
        "R": 1.25,
    }


def test_strategies_are_compared_on_equally_many_points(found):
    """sft has shares 0 and 1, grpo 0, .2 and 1: compared on 0 and 1. .65 x .3 / .75 against .45 x .2 / .75."""
    (row,) = found["hypervolume_contrasts"]
    assert (row["from"], row["to"], row["points"]) == ("sft", "grpo", 2)
    assert row["to_points"] == ["grpo-b0", "grpo-b1"]
    assert row["difference"] == pytest.approx(0.12 - 0.26)
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert row["verdict"] in ("worse", "not told apart")


def test_a_set_that_covers_nothing_in_any_draw_has_no_interval_of_width_0():
    runs = [run("sft", share, 0, ambig, 4, 100) for share, ambig in ((0.0, 4), (1.0, 6))]
    area = summary(BASE, runs, AXES, CHANCE, draws=300)["hypervolume"]["all"]
    assert area["value"] == 0 and area["ci_low"] is None and area["stderr"] is None and area["n"] > 0


def test_the_axis_of_s_amb_abs_has_its_own_area_and_sweet_spot(found):
    """The hollow grpo-b1 (|s_AMB| .05) is in neither: grpo-b0.2 has 1 − 8/40 = .8 above |s_AMB| = 1, R 1.08."""
    assert found["hypervolume_s_amb_abs"]["grpo"]["points"] == 2
    assert found["hypervolume_s_amb_abs"]["grpo"]["value"] == pytest.approx((0.8 * 0.58 + 0.1 * 0.02) / 0.75)
    assert found["sweet_spot_s_amb_abs"]["0.95"]["best"] == "grpo-b0.2"
    assert found["constants"]["reference_s_amb_abs"] == 1


def test_no_number_travels_without_what_it_rests_on(found):
    numbers = [found["points"][0]["hypervolume"], *found["hypervolume"].values(), *found["hypervolume_contrasts"]]
    numbers += [row for row in found["contrasts"]]
    numbers += [one for one in found["points"][0]["single_runs"][0]["estimates"].values() if one is not None]
    assert all({"stderr", "ci_low", "ci_high", "n", "clusters"} <= row.keys() for row in numbers)
    assert found["hypervolume"]["all"]["n"] == 2 * FAMILIES + QUESTIONS  # F's answers and the reasoning questions
    single = point(found, "grpo-b0.2")["single_runs"][0]
    assert single["estimates"]["F"]["value"] == single["F"] and single["estimates"]["F"]["n"] == 2 * FAMILIES
    assert single["estimates"]["F"]["ci_low"] < single["F"] < single["estimates"]["F"]["ci_high"]


def test_a_points_own_area_is_one_number_to_choose_by(found):
    """What recipes/lab/rates.yaml chooses a learning rate by: F x (R - .5) / .75 above the reference point, else 0."""
    assert point(found, "grpo-b0.2")["hypervolume"]["value"] == pytest.approx(0.7 * 0.58 / 0.75)
    assert point(found, "grpo-b0")["hypervolume"]["value"] == pytest.approx(0)  # F is 0


def test_sweet_spots(found):
    assert set(found["sweet_spot"]) == {"0.88", "0.95", "0.98"}
    spot = found["sweet_spot"]["0.95"]
    assert spot["best"] == "grpo-b0.2" and spot["alike"] == ["grpo-b0.2"]
    assert sum(spot["by_share"].values()) == pytest.approx(1)
    assert spot["by_share"]["0.2"] > 0.8


def test_contrasts_are_paired_by_seed(found):
    """sft 0 -> 1: per seed (ambig 3..5 -> 29..31)/40, always .65: no spread. R: 1.18..1.22 -> .78...82."""
    rows = {(r["kind"], r["from_point"], r["to_point"], r["metric"]): r for r in found["contrasts"]}
    row = rows["share", "grpo-b0", "grpo-b1", "R"]
    assert row["difference"] == pytest.approx(-0.4) and row["seeds"] == 3
    assert (row["strategy"], row["from"], row["to"]) == ("grpo", 0.0, 1.0)
    against = rows["base", "base", "grpo-b1", "R"]  # .68, .70, .72 against 1: t(.975, 2) = 4.303
    half = 4.303 * 0.02 / np.sqrt(3)
    assert (against["ci_low"], against["ci_high"]) == pytest.approx((-0.3 - half, -0.3 + half), abs=1e-4)
    assert against["verdict"] == "worse" and against["p"] <= against["p_holm"]
    assert ("strategy", "sft-b1", "grpo-b1", "F") in rows and ("strategy", "sft-b0", "grpo-b0.2", "F") not in rows


def test_seeds_that_agree_to_the_last_bit_are_judged_by_the_other_questions(found):
    """Every seed of sft rises from ambiguous 4/40 to 30/40: no spread, and still the largest difference there is."""
    runs = [run("sft", share, seed, ambig, 36, 100) for share, ambig in ((0.0, 4), (1.0, 30)) for seed in range(3)]
    rows = {r["metric"]: r for r in summary(BASE, runs, AXES, CHANCE, draws=300)["contrasts"] if r["kind"] == "share"}
    assert rows["F"]["ci_low"] is None and rows["F"]["joint_ci_low"] > 0 and rows["F"]["verdict"] == "better"
    assert rows["s_amb_abs"]["joint_ci_high"] < 0 and rows["s_amb_abs"]["verdict"] == "better"
    assert rows["R"]["difference"] == 0 and rows["R"]["verdict"] == "tie"


@pytest.mark.parametrize("setting", [{"strategy": {"save_every": 3}}, {"evaluation": {"batch_tokens": 999}}])
def test_settings_that_change_no_number_part_no_points(setting):
    """A study killed, then taken up with other memory settings: the share-0 runs are still the same family's."""
    runs = [run(kind, share, 0, 30, 36, 100) for kind in ("sft", "grpo") for share in (0.0, 0.2)]
    runs[0] = dataclasses.replace(runs[0], recipe=runs[0].recipe.with_changes(setting))
    found = summary(BASE, runs, AXES, CHANCE, draws=300)
    assert point(found, "sft-b0.2")["R0"]["value"] == 1
    kinds = Counter(row["kind"] for row in found["contrasts"] if row["metric"] == "F")
    assert kinds == {"share": 2, "strategy": 2, "base": 4}


def test_a_retention_of_three_decimals_is_a_rule_of_its_own():
    spots = summary(BASE, RUNS, AXES, CHANCE, draws=300, retention=0.954)["sweet_spot"]
    assert set(spots) == {"0.88", "0.95", "0.954", "0.98"}


def test_strategies_are_compared_on_the_same_model_and_mixture_only():
    """Two models at one share: sft of one against grpo of the same, never against grpo of the other."""
    runs = []
    for model in ("lab", "lab-teacher"):
        for kind in ("sft", "grpo"):
            recipe = Recipe.parse({"model": model, "strategy": {"type": kind}})
            runs.append(Evaluated(f"{kind}-{model}", recipe, measured(20, 36, 100)))
    rows = [row for row in summary(BASE, runs, AXES, CHANCE, draws=300)["contrasts"] if row["kind"] == "strategy"]
    pairs = {(row["from_point"], row["to_point"]) for row in rows}
    assert pairs == {(f"sft-b0.2 model={m}", f"grpo-b0.2 model={m}") for m in ("lab", "lab-teacher")}


def test_a_point_that_no_longer_reads_is_hollow_and_off_the_other_frontier(found):
    row = point(found, "grpo-b1")
    assert row["hollow"] and not row["on_frontier_s_amb_abs"]
    assert not point(found, "grpo-b0.2")["hollow"] and point(found, "grpo-b0.2")["on_frontier_s_amb_abs"]


def test_failures_and_marks_travel(found):
    assert found["failed"] == [{"run": "kd-b0-s0", "reason": "out of memory"}] and found["marks"] == ["leaky"]
    assert found["undefined"] == []


def test_one_seed_says_what_is_undefined():
    found = summary(BASE, [run("sft", 0.0, 0, 4, 36, 120), run("sft", 1.0, 0, 30, 36, 80)], AXES, CHANCE)
    assert "One seed (every point)" in found["undefined"][0]
    assert {row["verdict"] for row in found["contrasts"]} == {"undefined"}
    assert all(row["ci_low"] is None and row["joint_ci_low"] is not None for row in found["contrasts"])
    assert found["points"][0]["F"]["ci_low"] < found["points"][0]["F"]["ci_high"]


def test_where_every_family_agrees_the_interval_still_has_a_width():
    """40 of 40 right: the families not asked may differ; Clopper-Pearson's 1 - .025 ** (1/40) = .088."""
    found = summary(BASE, [run("sft", 1.0, 0, FAMILIES, FAMILIES, 120)], AXES, CHANCE, draws=300)
    interval = found["points"][0]["axes"]["accuracy_ambig"]
    assert interval["value"] == interval["ci_high"] == 1.0 and interval["ci_low"] == pytest.approx(1 - 0.088, abs=1e-3)


def test_points_that_differ_in_another_setting_are_told_apart():
    runs = []
    for rate in (0.001, 0.002):
        recipe = Recipe.parse({"strategy": {"type": "sft", "sft": {"learning_rate": rate}}})
        runs.append(Evaluated(f"sft-{rate}", recipe, measured(20, 36, 100)))
    names = [row["name"] for row in summary(BASE, runs, AXES, CHANCE, draws=300)["points"]]
    assert names == ["sft-b0.2 strategy.sft.learning_rate=0.001", "sft-b0.2 strategy.sft.learning_rate=0.002"]


def test_a_points_name_does_not_hang_on_what_has_finished():
    """Two rates at two shares; at .2 only one of them finished: it keeps the name that tells it from the other."""
    recipes = [
        Recipe.parse({"strategy": {"type": "sft", "sft": {"learning_rate": rate}}, "mixture": {"bias_share": share}})
        for rate in (0.001, 0.01)
        for share in (0, 0.2)
    ]
    runs = [Evaluated(f"r{i}", recipe, measured(20, 36, 100)) for i, recipe in enumerate(recipes[:3])]
    found = summary(BASE, runs, AXES, CHANCE, draws=300, names=point_names(recipes))
    rates = [row["name"].partition("learning_rate=")[2] for row in found["points"]]
    assert rates == ["0.001", "0.001", "0.01"]
    assert (
        series("sft", "a", {"a", "b"}, "sft-b0.2 model=a strategy.sft.learning_rate=0.01")
        == "sft · a · learning_rate=0.01"
    )


def test_every_number_says_what_it_rests_on_and_stays_in_its_range():
    """Three seeds that lie far apart near the upper end: the interval ends where the metric does."""
    runs = [run("sft", 0.2, seed, ambig, 39, 100) for seed, ambig in enumerate((36, 40, 40))]
    (point,) = summary(BASE, runs, AXES, CHANCE, draws=300)["points"]
    ambig = point["axes"]["accuracy_ambig"]
    assert ambig["ci_high"] == 1.0 and 0 < ambig["ci_low"] < ambig["value"] < 1
    size = point["axes"]["s_amb_abs"]  # of an s score, yet never below 0
    assert size["ci_low"] == 0 < size["value"] < size["ci_high"]
    assert (ambig["n"], ambig["clusters"]) == (FAMILIES, FAMILIES)
    assert (point["F"]["n"], point["F"]["clusters"]) == (2 * FAMILIES, FAMILIES) and point["F"]["ci_high"] <= 1
    assert (point["R"]["n"], point["R"]["clusters"]) == (QUESTIONS, QUESTIONS)
    assert point["R"]["stderr"] is None and point["R"]["ci_low"] is None  # every draw is the base's: no interval


def test_a_mixture_with_sources_on_one_axis_has_a_frontier():
    runs = []
    for seed in (0, 1):
        mixture = {"bias_share": 1, "bias": {"lab-bias": 1}, "reasoning": {}}
        recipe = Recipe.parse({"strategy": {"type": "sft"}, "mixture": mixture, "seed": seed})
        runs.append(Evaluated(recipe.name(), recipe, measured(20, 36, 100)))
    assert [row["seeds"] for row in summary(BASE, runs, AXES, CHANCE, draws=300)["points"]] == [[0, 1]]


def test_settings_that_change_no_result_make_no_point():
    runs = [
        Evaluated(
            f"r{seed}", Recipe.parse({"seed": seed, "evaluation": {"batch_tokens": tokens}}), measured(20, 36, 100)
        )
        for seed, tokens in ((0, None), (1, 500))
    ]
    (point,) = summary(BASE, runs, AXES, CHANCE, draws=300)["points"]
    assert point["seeds"] == [0, 1]


def test_a_study_without_reasoning_benchmarks_has_no_frontier():
    axes = {"b": "bias"}
    runs = [Evaluated("x", RUNS[0].recipe, {"b": RUNS[0].measures["b"]})]
    base = Evaluated("none-lab", BASE.recipe, {"b": BASE.measures["b"]})
    found = summary(base, runs, axes, CHANCE, draws=300)
    assert found["points"][0]["R"] is None and found["points"][0]["frontier_probability"] is None
    assert found["sweet_spot"]["0.95"]["best"] is None and found["hypervolume"] == {}
    assert "F or R does not exist" in found["undefined"][-1]


def test_the_same_runs_give_the_same_bytes():
    assert json.dumps(summary(BASE, RUNS[:6], AXES, CHANCE, draws=300)) == json.dumps(
        summary(BASE, RUNS[:6], AXES, CHANCE, draws=300)
    )


def test_notes_name_points_where_each_has_its_own():
    world, own, none = (Recipe.parse({"seed": 1, "note": note, "mixture": {"size": size}}) for note, size in
                        (("the world's", 100), ("its own", 200), ("", 300)))  # fmt: skip
    assert sorted(point_names([world, own]).values()) == ["grpo-b0.2 its own", "grpo-b0.2 the world's"]
    assert sorted(point_names([world, none]).values()) == ["grpo-b0.2 mixture.size=100", "grpo-b0.2 mixture.size=300"]
