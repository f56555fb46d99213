"""What loads, and the one sentence for what does not."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from peft import LoraConfig, get_peft_model

from fairreason.errors import ModelError
from fairreason.models import encode, folder
from fairreason.models.load import load


def test_three_families(tiny_model):
    loaded = load(str(tiny_model))
    assert loaded.is_vl == (tiny_model.name != "qwen3")
    assert loaded.model.dtype == torch.float32 and not loaded.model.training
    assert loaded.commit is None and loaded.tokenizer.eos_token_id in loaded.eos_ids


def test_fingerprint_follows_the_weights(tiny_qwen3, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_qwen3, copy)
    assert load(str(copy)).fingerprint == load(str(tiny_qwen3)).fingerprint
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert load(str(copy)).fingerprint != load(str(tiny_qwen3)).fingerprint


def test_an_adapter_asks_for_its_base_at_the_commit_that_it_was_trained_on(tmp_path, monkeypatch):
    """What `finish` writes into adapter_config.json is what is downloaded, for the weights and for their hash."""
    asked = []

    def download(name, revision, trust_remote_code, unsafe_weights):
        asked.append((name, revision, unsafe_weights))
        raise ModelError("no network")

    monkeypatch.setattr(folder, "_download", download)
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base", "revision": "c0ffee"}')
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    for use in (lambda: load(str(tmp_path)), lambda: folder.fingerprint(folder.locate(str(tmp_path)))):
        with pytest.raises(ModelError, match="no network"):
            use()
    assert asked == [("org/base", "c0ffee", False)] * 2


def test_an_adapter_folder_loads_with_its_base(tiny_vl, tmp_path):
    base = load(str(tiny_vl))
    model = get_peft_model(base.model, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
    model.save_pretrained(tmp_path / "adapter")
    row = encode.encode_prompt(base, "hello", [], "on")
    with torch.no_grad():
        expected = model(**encode.collate([row], 0)).logits
    loaded = load(str(tmp_path / "adapter"))
    with torch.no_grad():
        assert torch.equal(loaded.model(**encode.collate([row], 0)).logits, expected)
    assert loaded.is_vl and loaded.fingerprint != load(str(tiny_vl)).fingerprint


def test_a_run_folder_stands_for_its_checkpoint(tiny_qwen3, tmp_path):
    shutil.copytree(tiny_qwen3, tmp_path / "run" / "checkpoint")
    assert load(str(tmp_path / "run")).fingerprint == load(str(tiny_qwen3)).fingerprint


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "not a model folder"),
        ({"config.json": "{"}, "cannot be read as JSON"),
        ({"config.json": "[]"}, "not a JSON object"),
        ({"config.json": "{}"}, "names no model_type"),
        ({"config.json": '{"model_type": "qwen3"}'}, "no weights"),
        ({"config.json": '{"model_type": "qwen3"}', "pytorch_model.bin": "x"}, "only pickled weights"),
        ({"config.json": '{"model_type": "qwen3"}', "model.safetensors": "x"}, "cannot be loaded"),
        ({"config.json": '{"model_type": "no-such"}', "model.safetensors": "x"}, "cannot be loaded"),
        ({"adapter_config.json": "{}", "adapter_model.safetensors": "x"}, "names no base model"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(tmp_path, files, sentence):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=sentence) as caught:
        load(str(tmp_path))
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", ["./none", "/no/such/folder", "a/b/c", "not a name", "nobody/nothing"])
def test_no_such_model(name):
    with pytest.raises(ModelError, match="no such folder") as caught:
        load(name)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_template_is_refused(tiny_qwen3, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_qwen3, copy)
    (copy / "chat_template.jinja").unlink()
    config = json.loads((copy / "tokenizer_config.json").read_text())
    assert "chat_template" not in config
    with pytest.raises(ModelError, match="no chat template"):
        load(str(copy))
