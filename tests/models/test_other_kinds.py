"""Models whose cache cannot be shared (windows, convolutions, states) are asked through their own `generate`."""

from __future__ import annotations

import random

import pytest
import tiny_models
import torch
import transformers as tf
from test_huggingface import answers, picture
from test_letters import LETTERS, by_hand

from fairreason.models import encode
from fairreason.models.backends import Prompt, Sampling
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load
from fairreason.models.read import is_plain
from fairreason.records import open_image

WINDOW = 8


def mistral(size):
    config = tf.MistralConfig(**tiny_models.text_config(size), head_dim=16, sliding_window=WINDOW)
    return tf.MistralForCausalLM(config)


def qwen2(size):
    config = tf.Qwen2Config(
        **tiny_models.text_config(size), use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1
    )
    return tf.Qwen2ForCausalLM(config)


def gemma3(size):
    config = tf.Gemma3TextConfig(**tiny_models.text_config(size), head_dim=16, sliding_window=WINDOW)
    return tf.Gemma3ForCausalLM(config)


def lfm2(size):
    config = tf.Lfm2Config(**tiny_models.text_config(size), layer_types=["conv", "full_attention"])
    return louder(tf.Lfm2ForCausalLM(config), 3)


def mamba(size):
    return louder(tf.MambaForCausalLM(tf.MambaConfig(vocab_size=size, hidden_size=32, num_hidden_layers=2)), 4)


def louder(model, times):
    """With larger weights, so that what was asked still shows at the prompt's end."""
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(times if weights.dim() > 1 else 1)
    return model


def questions(kind: str = "text", shown: tuple[str, ...] = ()) -> list[Prompt]:
    rng = random.Random(0)
    words = ["Who", "is", "left-handed", "the", "baker", "or", "farmer", "apples", "12", "buys", "30", "more"]
    found = []
    for _ in range(3):
        context = " ".join(rng.choices(words, k=rng.randint(3, 25)))
        for asked in ("Who is left-handed?", "Who buys?"):
            options = f"A. {rng.choice(words)}\nB. {rng.choice(words)}"
            found.append(Prompt(f"{kind}/{len(found)}", f"{context}\n{asked}\n{options}", shown, "AB"))
    return found


def check(loaded, prompts):
    """Together and alone, token for token what the model's own `generate` gives each one."""
    backend = HuggingFaceBackend(loaded)
    assert not backend.plain
    together = answers(backend, prompts, Sampling(9))
    assert together == answers(HuggingFaceBackend(loaded, batch_tokens=1), prompts, Sampling(9))
    for prompt in prompts:
        row = encode.encode_prompt(loaded, prompt.text, [open_image(one) for one in prompt.images], "on")
        ids = loaded.model.generate(**encode.collate([row], 0), max_new_tokens=9, do_sample=False)[0]
        new = ids[len(row.input_ids) :].tolist()
        assert together[prompt.id][0].text == encode.decode(loaded, new[:-1] if new[-1] in loaded.eos_ids else new)
    assert len({answer[0].text for answer in together.values()}) > 1  # the questions do matter
    letters = answers(backend, prompts, LETTERS)
    assert letters == answers(HuggingFaceBackend(loaded, batch_tokens=1), prompts, LETTERS)
    for prompt in prompts:
        assert letters[prompt.id][0].probabilities == pytest.approx(by_hand(loaded, prompt), abs=0.00501)


@pytest.mark.parametrize("build", [mistral, qwen2, gemma3, lfm2, mamba])
def test_text(build, tmp_path):
    words = tiny_models.tokenizer([], think_tokens=True)
    words.chat_template = tiny_models.PIECES
    torch.manual_seed(0)
    check(load(str(tiny_models.save(tmp_path, build(len(words)), words))), questions())


def test_pictures(tiny_vl, tmp_path):
    config = tf.AutoConfig.from_pretrained(tiny_vl)
    config.text_config.use_sliding_window, config.text_config.sliding_window = True, WINDOW
    config.text_config.layer_types = ["sliding_attention", "full_attention"]
    torch.manual_seed(0)
    model = tf.Qwen2_5_VLForConditionalGeneration(config)
    processor = tf.AutoProcessor.from_pretrained(tiny_vl)
    check(
        load(str(tiny_models.save(tmp_path, model, processor))), questions() + questions("picture", (picture("red"),))
    )


def test_a_mistral_without_a_window_is_read_in_one():
    config = tf.MistralConfig(**tiny_models.text_config(400), head_dim=16, sliding_window=None)
    assert is_plain(tf.MistralForCausalLM(config))
