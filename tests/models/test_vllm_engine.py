"""What the vLLM backend hands to its engine and how it reads what comes back. The engine itself does not run here."""

from __future__ import annotations

import importlib.util
import io

import pytest
import torch
from PIL import Image

from fairreason.errors import DataError, ModelError
from fairreason.models import encode
from fairreason.models.backends import BACKENDS, Prompt, Sampling
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.backends.vllm_engine import completion, ends, engine_prompt, reader
from fairreason.models.folder import locate
from fairreason.models.load import load
from fairreason.pictures import data_url


def picture(color="red"):
    buffer = io.BytesIO()
    Image.new("RGB", (56, 56), color).save(buffer, "PNG")
    return data_url(buffer.getvalue())


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vllm is here")
def test_without_vllm_a_sentence_says_what_to_do(tiny_qwen3):
    with pytest.raises(ModelError, match=r"not installed.*`make vllm`.*--backend openai --base-url"):
        BACKENDS["vllm"](str(tiny_qwen3))


@pytest.mark.parametrize("thinking", ["on", "off"])
def test_the_tokens_are_those_of_every_other_backend(tiny_model, thinking):
    loaded, own = load(str(tiny_model)), reader(locate(str(tiny_model)))
    text = "Who is <|im_end|> left-handed?<think>"
    asked = engine_prompt(own, Prompt("a", text), Sampling(thinking=thinking))
    assert asked == {"prompt_token_ids": encode.encode_prompt(loaded, text, [], thinking).input_ids}


def test_a_picture_is_one_slot_which_the_processor_would_widen(tiny_picture_model):
    loaded, own = load(str(tiny_picture_model)), reader(locate(str(tiny_picture_model)))
    asked = engine_prompt(own, Prompt("a", "Who?", (picture(), picture("blue"))), Sampling())
    shown = asked["multi_modal_data"]["image"]
    assert [image.getpixel((0, 0)) for image in shown] == [(255, 0, 0), (0, 0, 255)]
    whole = encode.encode_prompt(loaded, "Who?", shown, "on").input_ids
    slot = loaded.processor.image_token_id
    assert asked["prompt_token_ids"].count(slot) == 2 < whole.count(slot)
    assert [i for i in asked["prompt_token_ids"] if i != slot] == [
        i for i in whole if i in set(asked["prompt_token_ids"]) - {slot}
    ]


def test_what_cannot_be_asked_says_why(tiny_qwen3, tiny_vl):
    with pytest.raises(ModelError, match="takes no pictures"):
        engine_prompt(reader(locate(str(tiny_qwen3))), Prompt("a", "Who?", (picture(),)), Sampling())
    with pytest.raises(DataError, match=r"none\.png"):
        engine_prompt(reader(locate(str(tiny_vl))), Prompt("a", "Who?", ("none.png",)), Sampling())


def test_tokens_are_read_as_the_hugging_face_backend_reads_its_own(tiny_qwen3):
    loaded, own = load(str(tiny_qwen3)), reader(locate(str(tiny_qwen3)))
    assert ends(own) == loaded.eos_ids
    ((_, (expected,)),) = HuggingFaceBackend(loaded).generate([Prompt("a", "Who is it?")], Sampling(9))
    row = encode.encode_prompt(loaded, "Who is it?", [], "on").input_ids
    made = loaded.model.generate(torch.tensor([row]), max_new_tokens=9, do_sample=False)[0, len(row) :].tolist()
    assert completion(own, made, expected.finish_reason, len(row), Sampling(9)) == expected
    end = next(iter(ends(own)))
    assert completion(own, [*made[:3], end], "stop", 5, Sampling(9)).text == encode.decode(loaded, made[:3])
