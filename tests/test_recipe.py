"""Recipes: typos are refused with the nearest name, grids expand, fingerprints change exactly when results can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairreason.errors import UsageError
from fairreason.recipe import Recipe

WHERE = "recipes/mine.yaml"
ALL = {"grid": {"strategy": {"type": ["sft", "kd", "grpo"]}, "mixture": {"bias_share": [0, 0.05, 0.1, 0.2, 0.4, 1]},
                "seed": [0, 1, 2]}}  # fmt: skip


@pytest.mark.parametrize(
    "mapping, message",
    [
        ({"mixture": {"siez": 3}}, "unknown key mixture.siez. Did you mean mixture.size?"),
        ({"bias_share": 0.1}, "unknown key bias_share. Did you mean mixture.bias_share?"),
        ({"mixture": {"bias_share": 1.2}}, "mixture.bias_share must be between 0 and 1, got 1.2"),
        ({"strategy": {"type": "gpro"}}, "strategy.type must be sft, kd, grpo or none, got gpro"),
        ({"strategy": {"sft": {"learning_rate": "fast"}}}, "strategy.sft.learning_rate must be a number, got fast"),
        ({"strategy": {"sft": {"learning_rate": 0}}}, "strategy.sft.learning_rate must be above 0, got 0"),
        ({"mixture": {"size": 2.5}}, "mixture.size must be a whole number, got 2.5"),
        ({"mixture": {"bias": 3}}, "mixture.bias must be `key: value` entries, got 3"),
        ({"mixture": {"bias": {"lab-bias": -1}}}, "mixture.bias: weights must not be negative"),
        ({"mixture": {"bias": {}}}, "mixture: bias names no source with a weight above 0"),
        ({"evaluation": {"benchmarks": []}}, "evaluation.benchmarks must name at least one"),
        ({"evaluation": {"samples": 5}}, "evaluation: samples above 1 need a temperature above 0"),
        (
            {"mixture": {"controller": {"type": "schedule"}}},
            "mixture.controller: needs points: [[progress, share], ...]",
        ),
        (
            {"study": {"grid": {"mixture": {"bias_share": [0, 3]}}}},
            "study.grid: mixture.bias_share must be between 0 and 1, got 3",
        ),
        (
            {"study": {"grid": {"mixture": {"bais": [0]}}}},
            "study.grid: unknown key mixture.bais. Did you mean mixture.bias?",
        ),
        ({"study": {"points": [{"sede": 3}]}}, "study.points[0]: unknown key sede. Did you mean seed?"),
        ({"study": {"grid": {"study": [None]}}}, "study.grid: a study cannot hold another study"),
        ({"study": {"grid": {"seed": []}}}, "study.grid.seed: an empty list leaves no run"),
    ],
)
def test_bad_recipes_get_one_sentence(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Recipe.parse(mapping, where=WHERE)
    assert str(caught.value) == f"{WHERE}: {message}"


def test_what_was_set_from_outside_is_named_as_such() -> None:
    with pytest.raises(UsageError, match=r"^--set: mixture.bias_share must be between 0 and 1, got -1$"):
        Recipe.parse({}, ["mixture.bias_share=-1"], WHERE)
    with pytest.raises(UsageError, match=r"^--set mixture: expected KEY=VALUE"):
        Recipe.parse({}, ["mixture"], WHERE)
    with pytest.raises(UsageError, match=r"^--set seed=\[: the value is not YAML"):
        Recipe.parse({}, ["seed=["], WHERE)


def test_overrides_reach_every_key() -> None:
    recipe = Recipe.parse(
        {"study": ALL},
        ["study.grid.seed=[0]", "study.grid.mixture.bias_share=[0,.5]", "mixture.size=160", "thinking=off",
         "strategy.sft.learning_rate=1e-6", "mixture.bias.items:my.own.jsonl=2", "strategy.lora={rank: 4}"],
    )  # fmt: skip
    assert len(recipe.expand()) == 6
    assert (recipe.mixture.size, recipe.thinking, recipe.strategy.sft.learning_rate) == (160, "off", 1e-6)
    assert recipe.mixture.bias["items:my.own.jsonl"] == 2 and recipe.strategy.lora and recipe.strategy.lora.rank == 4
    assert Recipe.parse({"study": ALL}, ["study=null"]).study is None


def test_yaml_without_its_traps(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("thinking: on\nstrategy: {type: sft, sft: {learning_rate: 1e-6}}\nmixture: {bias_share: .5}\n")
    recipe = Recipe.load(path)
    assert (recipe.thinking, recipe.strategy.sft.learning_rate, recipe.mixture.bias_share) == ("on", 1e-6, 0.5)
    assert Recipe.parse({}, ["seed=010"]).seed == 10  # not octal
    with pytest.raises(UsageError, match=r"mixture\.size"):  # nor 90, in base sixty
        Recipe.parse({}, ["mixture.size=1:30"], WHERE)


@pytest.mark.parametrize(
    "text, message",
    [
        ("seed: 1\nseed: 2\n", "not YAML (line 2: the key seed stands twice)"),
        ("mixture: {size: 3\n", "not YAML (line 2: "),
        ("- 1\n", "not a recipe: expected `key: value` lines such as `model: lab`"),
        ("", "not a recipe: expected `key: value` lines such as `model: lab`"),
        ("? [1]\n: 2\n", "not YAML (line 1: a key must be one word)"),
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        Recipe.load(path)
    assert str(caught.value).startswith(f"{path}: {message}") and "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recipe to read \\(No such file or directory\\)"):
        Recipe.load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        Recipe.load(tmp_path / "binary.yaml")


def test_the_grid_is_crossed_and_a_point_takes_the_grids_seeds() -> None:
    point = {"strategy": {"type": "kd", "kd": {"mode": "on_policy"}}, "mixture": {"bias_share": 0.2}}
    recipes = Recipe.parse({"study": {**ALL, "points": [point]}}).expand()
    names = [recipe.name() for recipe in recipes]
    assert len(names) == len(set(names)) == 3 * 6 * 3 + 3
    assert names[:4] == ["sft-b0-s0", "sft-b0-s1", "sft-b0-s2", "sft-b0.05-s0"]
    assert names[-3:] == [f"kd-on_policy-b0.2-s{seed}" for seed in range(3)]
    assert all(recipe.study is None for recipe in recipes)
    assert len({recipe.fingerprint() for recipe in recipes}) == 57


def test_the_same_run_twice_in_a_grid_is_one_run() -> None:
    assert len(Recipe.parse({"study": {"grid": {"seed": [0, 0, 1]}}}).expand()) == 2


def test_a_grid_over_models_and_over_whole_blocks() -> None:
    grid = {"model": ["a/b", "a/c"], "strategy": [{"type": "none"}]}
    assert [recipe.name() for recipe in Recipe.parse({"study": {"grid": grid}}).expand()] == ["none-b", "none-c"]


def test_sources_in_a_grid_or_a_point_stand_for_all_of_their_axis() -> None:
    sources = [{"lab-bias": 1}, {"lab-bias-vl": 1}]
    two = Recipe.parse({"study": {"grid": {"mixture": {"bias": sources}}}}).expand()
    assert [one.mixture.bias for one in two] == sources
    weights = Recipe.parse({"study": {"grid": {"mixture": {"bias": {"lab-bias": [1, 3]}}}}}).expand()
    assert [one.mixture.bias for one in weights] == [{"lab-bias": n, "lab-bias-vl": 1} for n in (1, 3)]
    (point,) = Recipe.parse({"study": {"points": [{"mixture": {"bias": {"items:own.jsonl": 1}}}]}}).expand()
    assert point.mixture.bias == {"items:own.jsonl": 1}


def test_a_key_inside_a_list_is_refused() -> None:
    grid = {"strategy": [{"type": "sft"}, {"type": "kd"}]}
    with pytest.raises(UsageError, match=r"^--set study.grid.strategy.type: strategy is a list"):
        Recipe.parse({"study": {"grid": grid}}, ["study.grid.strategy.type=[sft]"], WHERE)


def test_names_are_safe_as_folders() -> None:
    model = "<script>/../..//ä b?"
    assert Recipe.parse({"model": model, "strategy": {"type": "none"}}).name() == "none-b"
    assert Recipe.parse({"model": "..", "strategy": {"type": "none"}}).name() == "none-model"


def test_a_schedule_may_step_but_not_go_back() -> None:
    """Two points at one progress are a step (Schedule's own rule)."""
    controller = {"type": "schedule", "points": [[0, 0.1], [0.5, 0.1], [0.5, 0.4]]}
    assert Recipe.parse({"mixture": {"controller": controller}}).mixture.controller.points[2] == (0.5, 0.4)
    with pytest.raises(UsageError, match="points must stand in rising order of progress"):
        Recipe.parse({"mixture": {"controller": {"type": "schedule", "points": [[0.5, 0.1], [0, 0.4]]}}})


def test_rows_are_marked_leaky_by_themselves() -> None:
    assert Recipe.parse({"mixture": {"split": "rows"}, "marks": ["x"]}).marks == ("leaky", "x")
    assert Recipe.parse({"mixture": {"split": "rows"}, "marks": ["leaky"]}).marks == ("leaky",)
    assert Recipe.parse({}).marks == ()


CHANGES_NOTHING = [
    ("grpo", "note=other"),
    ("grpo", "marks=[x]"),
    ("grpo", "strategy.sft.learning_rate=0.5"),
    ("grpo", "strategy.kd.mode=on_policy"),
    ("grpo", "strategy.save_every=7"),
    ("grpo", "strategy.max_length=7000"),
    ("grpo", "evaluation.batch_tokens=99"),
    ("grpo", "evaluation.benchmarks=[lab-chart,lab-math,lab-bias-vl,lab-bias]"),
    ("grpo", "mixture.bias={lab-bias-vl: 3, lab-bias: 3}"),
    ("grpo", "mixture.bias.never=0"),
    ("grpo", "mixture.controller.points=[[0,1]]"),
    ("grpo", "study.margin=.1"),
    ("grpo", "unsafe_weights=true"),
    ("kd", "strategy.kd.teacher=other"),
    ("kd", "strategy.kd.temperature=2"),
    ("none", "mixture.size=3"),
    ("none", "strategy.batch=3"),
    ("none", "seed=3"),
]
CHANGES_SOMETHING = [
    ("grpo", "seed=1"),
    ("grpo", "model=other"),
    ("grpo", "revision=abc"),
    ("grpo", "thinking=off"),
    ("grpo", "threads=2"),
    ("grpo", "strategy.type=sft"),
    ("grpo", "strategy.batch=8"),
    ("grpo", "strategy.micro_batch=8"),
    ("grpo", "strategy.weight_decay=.1"),
    ("grpo", "strategy.lora={rank: 4}"),
    ("grpo", "strategy.grpo.completions=4"),
    ("grpo", "strategy.grpo.beta=.1"),
    ("grpo", "mixture.size=1999"),
    ("grpo", "mixture.bias_share=.3"),
    ("grpo", "mixture.bias.lab-bias=2"),
    ("grpo", "mixture.reasoning.lab-math=0"),
    ("grpo", "mixture.split=rows"),
    ("grpo", "mixture.repeat=true"),
    ("grpo", "mixture.controller={type: schedule, points: [[0, .2]]}"),
    ("grpo", "evaluation.limit=10"),
    ("grpo", "evaluation.split=dev"),
    ("grpo", "evaluation.max_new_tokens=9"),
    ("kd", "strategy.kd.mode=on_policy"),
    ("kd", "strategy.kd.learning_rate=.5"),
    ("kd", "strategy.max_length=7000"),
    ("sft", "strategy.max_length=7000"),
    ("none", "evaluation.temperature=1"),
]


@pytest.mark.parametrize("strategy, change", CHANGES_NOTHING)
def test_the_fingerprint_ignores(strategy: str, change: str) -> None:
    mapping = {"strategy": {"type": strategy}}
    assert Recipe.parse(mapping, [change]).fingerprint() == Recipe.parse(mapping).fingerprint()


@pytest.mark.parametrize("strategy, change", CHANGES_SOMETHING)
def test_the_fingerprint_notices(strategy: str, change: str) -> None:
    mapping = {"strategy": {"type": strategy}}
    assert Recipe.parse(mapping, [change]).fingerprint() != Recipe.parse(mapping).fingerprint()


def test_the_fingerprint_covers_weights_data_and_version() -> None:
    recipe = Recipe.parse({"strategy": {"type": "kd", "kd": {"mode": "on_policy"}}})
    base = recipe.fingerprint(weights="w", teacher="t", data={"a": "1"}, version="1")
    assert base == recipe.with_changes({"model": "moved"}).fingerprint(
        weights="w", teacher="t", data={"a": "1"}, version="1"
    )
    others = [
        recipe.fingerprint(weights="v", teacher="t", data={"a": "1"}, version="1"),
        recipe.fingerprint(weights="w", teacher="s", data={"a": "1"}, version="1"),
        recipe.fingerprint(weights="w", teacher="t", data={"a": "2"}, version="1"),
        recipe.fingerprint(weights="w", teacher="t", data={"a": "1"}, version="2"),
    ]
    assert len({base, *others}) == 5 and len(base) == 12


@settings(max_examples=30)
@given(
    size=st.integers(1, 10**6),
    share=st.floats(0, 1),
    rate=st.floats(1e-9, 1),
    kind=st.sampled_from(["sft", "kd", "grpo", "none"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_recipe_survives_its_own_json_and_yaml(size: int, share: float, rate: float, kind: str, seed: int) -> None:
    recipe = Recipe.parse(
        {
            "seed": seed,
            "mixture": {"size": size, "bias_share": share},
            "strategy": {"type": kind, "kd": {"learning_rate": rate}},
        }
    )
    from fairreason.recipe.yaml_files import read_yaml

    for copy in (Recipe.parse(recipe.to_dict()), Recipe.parse(read_yaml(recipe.to_yaml()))):
        assert copy == recipe and copy.fingerprint() == recipe.fingerprint()
