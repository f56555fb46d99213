"""Every strategy trains every family, whole or as LoRA, on text and pictures in one batch."""

from __future__ import annotations

import json

import pytest
import torch
from rows import asked, mixture, weights

from fairreason.errors import ModelError, RunError, UsageError
from fairreason.models.load import load
from fairreason.training import train as training
from fairreason.training.train import stream, train_on

STRATEGIES = {
    "sft": {"type": "sft"},
    "kd": {"type": "kd"},
    "kd on_policy": {"type": "kd", "kd": {"mode": "on_policy", "max_new_tokens": 24}},
    "grpo": {"type": "grpo", "grpo": {"completions": 4, "max_new_tokens": 24}},
}


def strategy(name, teacher):
    chosen = json.loads(json.dumps(STRATEGIES[name]))
    if name == "kd on_policy":
        chosen["kd"]["teacher"] = str(teacher)
    return chosen


@pytest.mark.parametrize("lora", [None, {"rank": 2}], ids=["full", "lora"])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_run_of_every_strategy(name, lora, taught, tiny_qwen3, tiny_vl, tiny_internvl, tmp_path):
    base = {"tiny_qwen3": tiny_qwen3, "tiny_vl": tiny_vl, "tiny_internvl": tiny_internvl}[taught.name]
    recipe = asked(taught, lora=lora, **strategy(name, base))
    mixed = mixture(recipe, pictures=base != tiny_qwen3)
    seen = []
    result = train_on(recipe, mixed, tmp_path, lambda step, steps: seen.append((step, steps)))
    assert result.steps == 2 and seen == [(1, 2), (2, 2)] and result.collapsed_at is None
    assert result.trained_tokens > 0 and (result.sampled_tokens > 0) == (name in ("grpo", "kd on_policy"))
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(row["share_examples"] == 0.5 and row["sources"]["lab-bias"]["n"] == 4 for row in rows)
    assert sum(s["tokens"] for row in rows for s in row["sources"].values()) == result.trained_tokens
    assert ("loss" in rows[0]["sources"]["lab-math"]) == (name in ("sft", "kd"))
    assert ("reward" in rows[0]["sources"]["lab-math"]) == (name == "grpo")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "metrics.jsonl", "training.json"]
    trained = weights(tmp_path / "checkpoint")
    if lora is None:
        before = weights(taught / "checkpoint")
        assert trained.keys() == before.keys() and any(not torch.equal(trained[k], before[k]) for k in before)
    else:
        assert any(bool(tensor.any()) for name, tensor in trained.items() if "lora_B" in name)
    assert load(str(tmp_path)).is_vl == (base != tiny_qwen3)


def test_what_a_kill_at_the_very_end_leaves_goes_with_the_next_call(tiny_vl, tmp_path):
    """The model is in its place, the checkpoints on the way are not gone yet."""
    recipe = asked(tiny_vl, type="sft")
    result = train_on(recipe, mixture(recipe), tmp_path)
    for name in ("trainer", ".checkpoint.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "optimizer.pt").touch()
    assert training.train(recipe, tmp_path) == result
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "metrics.jsonl", "training.json"]


def test_an_adapter_on_layers_that_are_not_there_is_one_sentence(tiny_vl, tmp_path):
    recipe = asked(tiny_vl, type="sft", lora={"rank": 2, "targets": ["nope"]})
    with pytest.raises(UsageError, match=r"strategy\.lora\.targets nope: .* has no such layers"):
        train_on(recipe, mixture(recipe), tmp_path)


def test_every_strategy_sees_the_same_rows_batch_by_batch(tiny_vl):
    """Law 6. Inside a batch supervised strategies put rows of like length together, which changes no gradient."""
    seen = {}
    for name, strategy in STRATEGIES.items():
        recipe = asked(tiny_vl, size=64, **strategy)
        made = mixture(recipe)
        rows = [row for micro_batch in stream(recipe, made) for row in dict.fromkeys(micro_batch)]
        parts = len(rows) // 64  # a sampling trainer asks for the round's prompts at each of its micro-steps
        batches = [rows[start : start + 8 * parts] for start in range(0, len(rows), 8 * parts)]
        seen[name] = [sorted(set(batch)) for batch in batches]
    (first, *others) = seen.values()
    assert len(first) == 8 and sorted(row for batch in first for row in batch) == sorted(
        row for batch in mixture(asked(tiny_vl, size=64)).sampler for row in batch
    )
    assert all(other == first for other in others)


def test_a_finished_training_is_not_trained_again(tiny_qwen3, tmp_path, monkeypatch):
    recipe = asked(tiny_qwen3, type="sft")
    first = train_on(recipe, mixture(recipe, pictures=False), tmp_path)
    monkeypatch.setattr(training, "build", None)  # would fail if it were called
    assert training.train(recipe, tmp_path) == first


def test_the_same_work_gives_the_same_bytes(taught_vl, tmp_path):
    for name in ("one", "two"):
        recipe = asked(taught_vl, **STRATEGIES["grpo"])
        train_on(recipe, mixture(recipe), tmp_path / name)
    files = [tmp_path / name / "checkpoint" / "model.safetensors" for name in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert (tmp_path / "one" / "metrics.jsonl").read_text() == (tmp_path / "two" / "metrics.jsonl").read_text()


def test_a_loss_that_is_not_finite_is_an_error(tiny_qwen3, tmp_path):
    recipe = asked(tiny_qwen3, type="sft", sft={"learning_rate": 1e30})
    with pytest.raises(RunError, match=r"the (loss|gradient) is (nan|inf) at step \d \(learning rate 1e\+30\)"):
        train_on(recipe, mixture(recipe, pictures=False), tmp_path)


def test_a_teacher_with_another_tokenizer_is_refused(tiny_vl, tiny_qwen3, tmp_path):
    recipe = asked(tiny_vl, type="kd", kd={"mode": "on_policy", "teacher": str(tiny_qwen3)})
    with pytest.raises(ModelError, match=r"its tokenizer is not that of .*kd.mode: trace"):
        train_on(recipe, mixture(recipe), tmp_path)


def test_an_adapter_is_not_adapted_again(tiny_qwen3, tmp_path):
    recipe = asked(tiny_qwen3, type="sft", lora={"rank": 2})
    train_on(recipe, mixture(recipe, pictures=False), tmp_path / "one")
    again = asked(tmp_path / "one", type="sft", lora={"rank": 2})
    with pytest.raises(ModelError, match="is an adapter already"):
        train_on(again, mixture(again, pictures=False), tmp_path / "two")


def test_strategy_none_trains_nothing(tiny_qwen3, tmp_path):
    recipe = asked(tiny_qwen3, type="none")
    with pytest.raises(UsageError, match="none trains nothing"):
        train_on(recipe, mixture(recipe, pictures=False), tmp_path)
