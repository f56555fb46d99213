"""Micro-batches, shared prompts and left-out rows change how the gradient is computed, never what it is."""

from __future__ import annotations

import contextlib
import json

import pytest
import torch
from rows import asked, mixture, weights
from trl import GRPOTrainer

from fairreason.models.load import load
from fairreason.training import grpo as grpo_module
from fairreason.training import train as training
from fairreason.training.train import train_on

GRPO = {"type": "grpo", "grpo": {"completions": 4, "max_new_tokens": 24}}
ON_POLICY = {"type": "kd", "kd": {"mode": "on_policy", "max_new_tokens": 24}}


def trained(folder, recipe):
    train_on(recipe, mixture(recipe), folder)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return weights(folder / "checkpoint"), rows


def assert_alike(one, two, tolerance=2e-5):
    """But for rounding. Adam divides by the gradient's size: where that is rounding alone, a weight may stray."""
    far = sum(int((~torch.isclose(one[k], two[k], atol=tolerance, rtol=1e-3)).sum()) for k in one)
    assert far <= 0.002 * sum(tensor.numel() for tensor in one.values())


@pytest.mark.parametrize("strategy", [{"type": "sft"}, ON_POLICY, GRPO], ids=["sft", "kd on_policy", "grpo"])
def test_micro_batches_give_the_whole_batch_s_step(strategy, taught_vl, tiny_vl, tmp_path):
    """12 rows in batches of 8: the last batch is shorter, and its parts do not come out even."""
    if "kd" in strategy:
        strategy = {**strategy, "kd": {**strategy["kd"], "teacher": str(tiny_vl)}}
    whole, rows = trained(tmp_path / "whole", asked(taught_vl, size=12, **strategy))
    parts, rows_of_parts = trained(tmp_path / "parts", asked(taught_vl, size=12, micro_batch=3, **strategy))
    assert [row["loss"] for row in rows] == pytest.approx([row["loss"] for row in rows_of_parts], rel=1e-3, abs=1e-5)
    assert [row["grad_norm"] for row in rows] == pytest.approx([row["grad_norm"] for row in rows_of_parts], rel=1e-2)
    assert [sum(source["n"] for source in row["sources"].values()) for row in rows_of_parts] == [8, 4]
    assert_alike(whole, parts)


def test_grpo_s_gradient_is_trl_s(taught_vl, tmp_path, monkeypatch):
    """The same round through TRL's own forward, one row a completion and no row left out."""
    recipe = asked(taught_vl, size=8, **GRPO)
    ours, rows = trained(tmp_path / "ours", recipe)
    monkeypatch.setattr(grpo_module, "LONGEST", 0)
    monkeypatch.setattr(grpo_module.GroupTrainer, "_with_gradient", lambda self, inputs: inputs)
    theirs, rows_of_theirs = trained(tmp_path / "theirs", recipe)
    assert rows[0]["grad_norm"] > 0
    assert rows[0]["grad_norm"] == pytest.approx(rows_of_theirs[0]["grad_norm"], rel=1e-3)
    assert rows[0]["sources"] == rows_of_theirs[0]["sources"]
    assert_alike(ours, theirs)


def test_scoring_the_trained_positions_alone_changes_nothing(taught_vl, tmp_path, monkeypatch):
    ours, rows = trained(tmp_path / "ours", asked(taught_vl, size=8, type="sft"))
    monkeypatch.setattr(training, "scoring_what_is_trained", contextlib.nullcontext)
    theirs, rows_of_theirs = trained(tmp_path / "theirs", asked(taught_vl, size=8, type="sft"))
    assert rows[0]["loss"] == pytest.approx(rows_of_theirs[0]["loss"], rel=1e-5)
    assert rows[0]["grad_norm"] == pytest.approx(rows_of_theirs[0]["grad_norm"], rel=1e-4)
    assert_alike(ours, theirs)


def test_a_kl_penalty_to_the_base_acts(taught_vl, tmp_path):
    """beta > 0 keeps a second model (a LoRA run: the same one without its adapter)."""
    for lora in (None, {"rank": 2}):
        folder = tmp_path / ("lora" if lora else "full")
        recipe = asked(taught_vl / "checkpoint", lora=lora, type="grpo", grpo={**GRPO["grpo"], "beta": 0.1})
        _, rows = trained(folder, recipe)
        assert len(rows) == 2 and rows[1]["grad_norm"] > 0


def test_the_kl_penalty_of_a_merged_adapter_is_to_what_it_starts_from(taught_vl, tmp_path, monkeypatch):
    """TRL reads the reference by the model's name, which is the adapter's base."""
    trained(tmp_path / "adapter", asked(taught_vl, type="sft", lora={"rank": 2}, sft={"learning_rate": 0.1}))
    built = []
    plain = grpo_module.trainer
    monkeypatch.setitem(training.STRATEGIES, "grpo", lambda *a: built.append(plain(*a)) or built[0])
    start = {}
    monkeypatch.setattr(
        training.Run,
        "resume",
        lambda self: start.update({k: v.clone() for k, v in built[0].model.state_dict().items()}),
    )
    trained(tmp_path / "full", asked(tmp_path / "adapter", size=8, type="grpo", grpo={**GRPO["grpo"], "beta": 0.1}))
    reference = built[0].ref_model.state_dict()
    base = load(str(taught_vl)).model.state_dict()
    assert all(torch.equal(reference[key], start[key]) for key in start)
    assert any(not torch.equal(reference[key], base[key]) for key in base)


def test_a_trained_model_answers_in_the_precision_of_its_base(taught_vl, tmp_path):
    """Stored in bfloat16, trained and kept in float32: `dtype` says in what a GPU reads it."""
    source = load(str(taught_vl))
    source.model.to(torch.bfloat16).save_pretrained(tmp_path / "base")
    source.processor.save_pretrained(tmp_path / "base")
    after, _ = trained(tmp_path / "run", asked(tmp_path / "base", size=8, type="sft"))
    assert {tensor.dtype for tensor in after.values()} == {torch.float32}
    trained(tmp_path / "lora", asked(tmp_path / "base", size=8, type="sft", lora={"rank": 2}))
    trained(tmp_path / "merged", asked(tmp_path / "lora", size=8, type="sft"))
    for folder in ("base", "run/checkpoint", "merged/checkpoint"):
        assert json.loads((tmp_path / folder / "config.json").read_text())["dtype"] == "bfloat16"


def test_on_policy_no_second_forward_is_made_for_old_log_probabilities(taught_vl, tmp_path, monkeypatch):
    calls = []
    plain = GRPOTrainer._compute_loss
    monkeypatch.setattr(
        GRPOTrainer, "_compute_loss", lambda self, m, i: (calls.append(sorted(i)), plain(self, m, i))[1]
    )
    trained(tmp_path, asked(taught_vl, size=8, **GRPO))
    assert len(calls) == 1 and "old_per_token_logps" not in calls[0]
