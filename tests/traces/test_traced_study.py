"""A study that names traces and the plain benchmark side by side, and an evaluation of a file of traces itself."""

from __future__ import annotations

import json

from world_traces import questions, told

from fairreason import api
from fairreason.benchmarks import traced
from fairreason.evaluation import sides
from fairreason.recipe import Recipe
from fairreason.study.results import load_examples
from fairreason.study.study import plan, study


def test_a_study_trains_on_traces_and_on_the_benchmark_and_evaluates_the_benchmark(tiny_qwen3, tmp_path):
    file = tmp_path / "some.jsonl"
    traced.write(file, [told(row, "So it is said.") for row in questions("lab-bias")[:64]])
    name = f"traces:{file}"
    mixture = {"size": 8, "bias_share": 1, "bias": {"lab-bias": 1}, "reasoning": {}}
    recipe = Recipe.parse(
        {
            "model": str(tiny_qwen3),
            "mixture": mixture,
            "strategy": {"type": "kd", "batch": 8},
            "evaluation": {
                "benchmarks": ["lab-bias", "lab-math", name],
                "split": "dev",
                "limit": 4,
                "max_new_tokens": 4,
            },
            "study": {"grid": {"mixture": {"bias": [{"lab-bias": 1}, {name: 1}]}}},
        }
    )
    traced.write(
        file, [told(row, "So it is said.") for row in [*questions("lab-bias")[:64], *questions("lab-bias", "dev")]]
    )
    planned = plan(recipe, tmp_path / "study", None)
    assert len({one.fingerprint for one in planned}) == 3  # the base, one run on each
    found = load_examples(planned[0].recipe, None)
    assert [row.id for row in found[name]] == [row.id for row in found["lab-bias"]]
    outcome = study(recipe, tmp_path / "study")
    assert [run["status"] for run in outcome["runs"]] == ["finished"] * 3, outcome["runs"]
    points = json.loads((tmp_path / "study" / "frontier.json").read_text())
    assert name not in json.dumps(points.get("benchmarks", {}))  # a second view is no part of F
    folders = {path.name for path in (tmp_path / "study" / "runs").glob("*/evaluation/*")}
    assert len(folders) == 3 and sum(one.startswith("traces-") for one in folders) == 1


def test_a_file_of_traces_can_be_evaluated_and_read_again(tiny_qwen3, tmp_path):
    file = tmp_path / "some.jsonl"
    traced.write(file, [told(row, f"Way {k}.", sample=k) for row in questions("lab-bias")[:8] for k in range(2)])
    name = f"traces:{file}"
    out = tmp_path / "out"
    results = api.evaluate(str(tiny_qwen3), [name], split="train", out=out, max_new_tokens=4)
    assert sum(results[name].counts.values()) == 16
    side = sides.read(out, [], None)[name]
    assert len({row.id for row in side.examples}) == 16
    assert len(set(side.asked)) == 8  # a question is asked in the same words, whichever trace it belongs to
