"""The Hugging Face backend: an answer depends on its question, the settings and the weights, and on nothing else."""

from __future__ import annotations

import io
import math
import random

import pytest
import torch
from PIL import Image

from fairreason.errors import DataError
from fairreason.models import encode
from fairreason.models.backends import Prompt, Sampling, choice
from fairreason.models.backends.base import sampling_key
from fairreason.models.backends.choice import ChooseToken, gumbel
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load
from fairreason.pictures import data_url, open_image


def picture(color: str, width: int = 56) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, 56), color).save(buffer, "PNG")
    return data_url(buffer.getvalue())


def questions(pictures: bool) -> list[Prompt]:
    """Of many lengths; a third with one picture, some with two of different size."""
    words = ["Who", "is", "left-handed", "the", "baker", "or", "farmer", "apples", "12", "buys", "30", "more"]
    rng = random.Random(0)
    shown = [(), (picture("red"),), (), (picture("blue"), picture("green", 112)), (picture("gray"),), ()]
    return [
        Prompt(f"q/{i}", " ".join(rng.choices(words, k=rng.randint(1, 25))), shown[i % 6] if pictures else ())
        for i in range(18)
    ]


def answers(backend, prompts, sampling):
    got = dict(backend.generate(prompts, sampling))
    assert sorted(got) == list(range(len(prompts)))
    return {prompts[i].id: a for i, a in got.items()}


@pytest.mark.parametrize("sampling", [Sampling(10), Sampling(10, temperature=1.0, samples=2, seed=5)])
def test_batch_size_and_order_change_no_answer(tiny_model, sampling):
    loaded = load(str(tiny_model))
    prompts = questions(loaded.is_vl)
    alone = answers(HuggingFaceBackend(loaded, batch_tokens=1), prompts, sampling)
    assert len({a[0].text for a in alone.values()}) > 9  # the questions do matter
    for size, seed in [(300, 1), (1_000, 2), (100_000, 3)]:
        mixed = prompts.copy()
        random.Random(seed).shuffle(mixed)
        assert answers(HuggingFaceBackend(loaded, batch_tokens=size), mixed, sampling) == alone
    half = answers(HuggingFaceBackend(loaded, batch_tokens=100_000), prompts[::2], sampling)
    assert half == {p.id: alone[p.id] for p in prompts[::2]}


def test_the_picture_decides_and_does_not_leak(tiny_picture_model):
    backend = HuggingFaceBackend(load(str(tiny_picture_model)))
    prompts = [Prompt(name, "What is here?", (picture(name),)) for name in ("red", "blue", "white")]
    got = answers(backend, prompts, Sampling(12))
    assert len({a[0].text for a in got.values()}) == 3


def test_greedy_equals_a_plain_generate(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    prompts = questions(False)[:4]
    for prompt in prompts:
        row = encode.encode_prompt(loaded, prompt.text, [], "on")
        ids = loaded.model.generate(torch.tensor([row.input_ids]), max_new_tokens=9, do_sample=False)[0]
        new = ids[len(row.input_ids) :].tolist()
        got = answers(HuggingFaceBackend(loaded), [prompt], Sampling(9))[prompt.id][0]
        stopped = new[-1] == loaded.tokenizer.eos_token_id
        assert got.text == encode.decode(loaded, new[:-1] if stopped else new)
        assert (got.prompt_tokens, got.completion_tokens) == (len(row.input_ids), len(new))
        assert got.finish_reason == ("stop" if stopped else "length")


def test_settings_of_the_model_folder_do_not_count(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    prompts = questions(False)[:4]
    plain = answers(HuggingFaceBackend(loaded), prompts, Sampling(9))
    loaded.model.generation_config.update(do_sample=True, top_k=1, min_new_tokens=9, repetition_penalty=9.0)
    theirs = loaded.model.generation_config
    assert answers(HuggingFaceBackend(loaded), prompts, Sampling(9)) == plain
    assert loaded.model.generation_config is theirs


def test_a_broken_picture_is_an_error_of_its_own(tiny_vl):
    prompts = [
        Prompt("a", "one"),
        Prompt("b", "two", ("/no/such/picture.png",)),
        Prompt("c", "three", (picture("red"),)),
    ]
    got = answers(HuggingFaceBackend(load(str(tiny_vl))), prompts, Sampling(4, temperature=1, samples=2))
    assert [c.finish_reason == "error" for p in prompts for c in got[p.id]] == [False] * 2 + [True] * 2 + [False] * 2
    assert "/no/such/picture.png" in got["b"][0].text


def test_a_picture_too_large_to_open_is_an_error_of_its_own(tmp_path):
    """Pillow raises what is neither OSError nor ValueError."""
    Image.new("1", (14_000, 14_000)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match=r"large.png: a picture of more than 64,000,000 pixels"):
        open_image(str(tmp_path / "large.png"))


def test_a_machine_out_of_memory_is_no_broken_picture(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "convert", full)
    with pytest.raises(MemoryError):
        open_image(str(tmp_path / "a.png"))


def test_a_batch_that_breaks_is_halved_down_to_the_row(tiny_qwen3, monkeypatch):
    backend = HuggingFaceBackend(load(str(tiny_qwen3)))
    prompts, real = questions(False), HuggingFaceBackend._run
    whole = answers(backend, prompts, Sampling(6))

    def run(self, batch, sampling):
        if any(row.index == 7 for row in batch):
            raise RuntimeError("out of memory")
        return real(self, batch, sampling)

    monkeypatch.setattr(HuggingFaceBackend, "_run", run)
    got = answers(backend, prompts, Sampling(6))
    assert got.pop("q/7")[0].text == "RuntimeError: out of memory"
    assert got == {name: a for name, a in whole.items() if name != "q/7"}


@pytest.mark.parametrize("sampling", [Sampling(6), Sampling(6, temperature=1.0), Sampling(1, mode="letters")])
@pytest.mark.parametrize("plain", [True, False])
def test_a_model_that_gives_no_numbers_is_an_error_and_no_answer(tiny_qwen3, sampling, plain):
    backend = HuggingFaceBackend(load(str(tiny_qwen3)))
    backend.plain = plain
    with torch.no_grad():
        backend.model.model.layers[0].mlp.up_proj.weight[0, 0] = math.nan
    prompts = [Prompt(str(i), f"question {i}", letters="AB") for i in range(5)]
    for (answer,) in answers(backend, prompts, sampling).values():
        assert answer.finish_reason == "error" and "its logits are not numbers (NaN)" in answer.text


def test_an_adapter_answers_like_the_model_it_wraps(tiny_qwen3):
    from peft import LoraConfig, get_peft_model

    loaded = load(str(tiny_qwen3))
    plain = answers(HuggingFaceBackend(loaded), questions(False)[:4], Sampling(6))
    object.__setattr__(loaded, "model", get_peft_model(loaded.model, LoraConfig(r=2, target_modules="all-linear")))
    assert answers(HuggingFaceBackend(loaded), questions(False)[:4], Sampling(6)) == plain  # LoRA starts at zero


def test_noise_is_standard_gumbel():
    noise = gumbel(torch.arange(200), 3, 1_000).double()
    assert abs(noise.mean().item() - 0.5772) < 0.01  # Euler's constant; the error of the mean is .003
    assert abs(noise.var().item() - math.pi**2 / 6) < 0.03
    assert torch.isfinite(noise).all() and noise.unique().numel() > 199_000
    assert torch.equal(gumbel(torch.tensor([7]), 3, 1_000)[0], gumbel(torch.arange(200), 3, 1_000)[7])
    assert torch.equal(gumbel(torch.tensor([7]), 3, 10)[0], gumbel(torch.tensor([7]), 3, 1_000)[0, :10])


def test_noise_made_in_parts_is_the_same(monkeypatch):
    whole = gumbel(torch.arange(7), 3, 100)
    monkeypatch.setattr(choice, "NOISE", 250)
    assert torch.equal(gumbel(torch.arange(7), 3, 100), whole)


def test_samples_follow_the_softmax():
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    keys = [sampling_key(0, "x", sample) for sample in range(20_000)]
    choose = ChooseToken(keys, temperature=2.0, alone=None)
    rows = torch.arange(len(keys))
    chosen = choose(logits.expand(len(keys), 4), rows, torch.zeros(len(keys), 5, dtype=torch.long))
    shares = torch.bincount(chosen, minlength=4) / len(keys)
    torch.testing.assert_close(shares, torch.softmax(logits / 2, 0), atol=0.012, rtol=0)  # 3.4 standard errors


def test_a_close_choice_is_made_again_from_the_row_alone():
    asked = []

    def alone(row, ids):
        asked.append((row, list(ids)))
        return torch.tensor([0.0, 5.0001, 5.0])

    far, near = torch.tensor([0.0, 1.0, 5.0]), torch.tensor([0.0, 5.0, 5.0001])
    written = torch.tensor([[7], [8], [9]])
    chosen = ChooseToken([1, 2, 3], 0.0, alone)(torch.stack([far, near]), torch.tensor([0, 2]), written)
    assert chosen.tolist() == [2, 1] and asked == [(2, [9])]


def test_a_thinking_part_that_the_prompt_opened_stands_in_the_text(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    loaded.tokenizer.chat_template += "{% if add_generation_prompt %}<think>\n{% endif %}"
    got = answers(HuggingFaceBackend(loaded), questions(False)[:2], Sampling(4))
    assert all(a[0].text.startswith("<think>\n") for a in got.values())
