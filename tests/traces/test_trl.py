"""Other tools read the file as it is: TRL's own SFTTrainer takes a step on it, with nothing of ours in between."""

from __future__ import annotations

import json

import pytest
import torch
from datasets import load_dataset
from safetensors.torch import load_file
from trl import SFTConfig, SFTTrainer
from world_traces import questions, told

from fairreason.benchmarks import traced

# what TRL and transformers say of their own use of other libraries
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning:torchvision")


@pytest.mark.parametrize(("name", "model"), [("lab-bias", "tiny_qwen3"), ("lab-chart", "tiny_vl")])
def test_trl_takes_a_step_on_the_file(name, model, request, tmp_path):
    folder = request.getfixturevalue(model)
    path = tmp_path / "some.jsonl"
    traced.write(path, [told(row) for row in questions(name)[:4]])
    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == 4 and ("images" in rows.column_names) == (model == "tiny_vl")
    config = SFTConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=1,
        per_device_train_batch_size=4,
        learning_rate=1e-2,
        max_length=None,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(str(folder), args=config, train_dataset=rows)
    trainer.train()
    assert trainer.state.global_step == 1 and 0 < trainer.state.log_history[-1]["train_loss"] < 100
    trainer.save_model(str(tmp_path / "trained"))
    before, after = (load_file(next(place.glob("*.safetensors"))) for place in (folder, tmp_path / "trained"))
    assert any(not torch.equal(before[key], after[key].to(before[key].dtype)) for key in before.keys() & after.keys())


def test_a_row_without_a_picture_beside_one_with_it_keeps_the_column(tmp_path):
    """datasets wants one set of columns, TRL an empty list where there is no picture."""
    path = tmp_path / "some.jsonl"
    traced.write(path, [told(questions("lab-math")[0]), told(questions("lab-chart")[0])])
    assert [len(json.loads(line)["images"]) for line in path.read_text().splitlines()] == [0, 1]
    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows[0]["images"] == [] and rows[1]["images"][0].startswith("data:image/png;base64,")
