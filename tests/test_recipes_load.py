"""Every recipe that ships loads, names what exists, and can be planned without data, network or GPU."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from world_traces import questions, told

from fairreason.api import check_names
from fairreason.benchmarks import traced
from fairreason.cli import plan
from fairreason.cli.quantity import Quantity, total
from fairreason.data.mixture import training_examples
from fairreason.recipe import Recipe
from fairreason.study.results import load_examples

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
PAPER = [path for path in RECIPES if path.parent.name == "paper"]
LAB = [path for path in RECIPES if path.parent.name == "lab"]
ENVIRONMENT = {key: os.environ[key] for key in ("FAIRREASON_DATA",) if key in os.environ}


def ident(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(scope="module")
def traced_lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the traces that recipes/lab/teachers.sh would make, here the world's own."""
    folder = tmp_path_factory.mktemp("traced")
    for teacher in ("server", "self"):
        for name in ("lab-bias", "lab-bias-vl", "lab-math", "lab-chart"):
            traced.write(folder / "out/teachers" / teacher / f"{name}.jsonl", [told(e) for e in questions(name)[:400]])
    return folder


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, traced_lab: Path) -> None:
    monkeypatch.chdir(traced_lab)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)


@pytest.mark.parametrize("path", RECIPES, ids=ident)
def test_it_loads_and_names_what_there_is(path: Path) -> None:
    recipe = Recipe.load(path)
    check_names(recipe)
    assert len({one.fingerprint() for one in recipe.expand()}) == len(recipe.expand())


@pytest.mark.parametrize("path", RECIPES, ids=ident)
def test_it_can_be_planned(path: Path) -> None:
    recipe = Recipe.load(path, ["mixture.size=40"] if "lab" in path.parts else [])
    if recipe.study is not None and "lab" in path.parts:
        recipe = recipe.with_changes({"study": {"grid": {"seed": [0]}, "points": []}})
    plans = list(plan.plans(recipe, None))
    assert len(plans) == len(plan.runs(recipe))
    for one in plans:
        trained = one.strategy != "none"
        assert (total(one.examples.values()).value == recipe.mixture.size) is trained
        assert (one.steps.value or 0) > 0 or not trained
        quantities = [one.steps, one.memory, one.prompt_tokens, one.trained_tokens, *one.questions.values()]
        assert all(q.source for q in quantities if q.status != "exact"), "an estimate names its source"


@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=[pytest.mark.data] if path.stem == "bbq" else [], id=ident(path)) for path in LAB]
)
def test_no_cluster_is_trained_on_and_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 4, of every recipe that can be run here: what its mixtures may draw and what its evaluation asks."""
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    runs = {one.mixture.model_dump_json(exclude={"bias_share"}): one for one in Recipe.load(path).expand()}
    for run in runs.values():
        sources = [("bias", name) for name in run.mixture.bias] + [
            ("reasoning", name) for name in run.mixture.reasoning
        ]
        drawn = [e for axis, name in sources for e in training_examples(name, axis, run.mixture.split, None)]
        asked = [e for questions in load_examples(run, None).values() for e in questions]
        assert drawn and asked
        assert not {(e.source, e.cluster) for e in drawn} & {(e.source, e.cluster) for e in asked}
        assert not {e.id for e in drawn} & {e.id for e in asked}


def test_the_papers_settings() -> None:
    """arXiv 2507.23067: LoRA rank 8, 5e-4, 16 rows a step; grpo in full, 1e-6, 128 prompts, 5 completions."""
    shares = [0, 0.05, 0.1, 0.2, 0.4, 1]
    sweeps = [path for path in PAPER if path.stem.endswith("-sweep")]
    assert [path.stem for path in sweeps] == ["internvl3-8b-sweep", "qwen2.5-vl-7b-sweep", "qwen3-8b-sweep"]
    for path in sweeps:
        runs = Recipe.load(path).expand()
        assert [(run.strategy.type, run.mixture.bias_share) for run in runs] == [
            (kind, share) for kind in ("sft", "kd", "grpo") for share in shares
        ]
        for run in runs:
            assert run.seed == 42 and run.mixture.size == 3000 and run.evaluation.samples == 5
            block, strategy = run.strategy.active(), run.strategy
            assert block is not None
            if strategy.type == "grpo":
                assert (block.learning_rate, strategy.batch, strategy.lora) == (1e-6, 128, None)
                assert (strategy.grpo.completions, strategy.weight_decay) == (5, 0.01)
            else:
                assert strategy.lora is not None
                assert (block.learning_rate, strategy.batch, strategy.lora.rank) == (5e-4, 16, 8)
                assert (strategy.max_length, strategy.weight_decay) == (10_000, 0.1)


def test_the_papers_comparison_of_strategies() -> None:
    """3,000 bias rows and nothing else, each strategy with the settings of its sweep, for all three models."""
    found = {path.stem: Recipe.load(path).expand() for path in PAPER if path.stem.endswith("-strategies")}
    assert set(found) == {f"{model}-strategies" for model in ("qwen3-8b", "qwen2.5-vl-7b", "internvl3-8b")}
    for stem, runs in found.items():
        assert [run.strategy.type for run in runs] == ["sft", "kd", "grpo"]
        assert {(run.mixture.size, run.mixture.bias_share, run.seed) for run in runs} == {(3000, 1.0, 42)}
        swept = Recipe.load(ROOT / f"recipes/paper/{stem.replace('strategies', 'sweep')}.yaml").expand()
        assert [run.strategy for run in runs] == [run.strategy for run in swept if run.mixture.bias_share == 1]


def test_the_papers_four_models_stand_beside_their_bases() -> None:
    models = [
        run.model
        for name in ("released", "released-vl")
        for run in Recipe.load(ROOT / f"recipes/paper/{name}.yaml").expand()
    ]
    assert {"Qwen/Qwen3-8B", "Qwen/Qwen2.5-VL-7B-Instruct"} < set(models)
    assert sum(bool(re.fullmatch(r"Aaron080108/.*-20percent", model)) for model in models) == 4


def test_a_total_is_as_sure_as_its_least_sure_part() -> None:
    exact, guess, most = Quantity(1), Quantity(2, "estimated", "s"), Quantity(3, "at most", "m")
    assert total([exact, most]) == Quantity(4, "at most", "m")
    assert total([exact, guess, most]) == Quantity(6, "estimated", "s")
    assert total([exact, Quantity(None, "unknown", "x")]) == Quantity(None, "unknown", "x")
    assert total([]) == Quantity(0)
