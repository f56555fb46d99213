"""Mode letters: the probabilities are those of a plain forward, and no batch changes them."""

from __future__ import annotations

import math
import random

import pytest
import torch
from test_huggingface import answers, picture

from fairreason.errors import ModelError
from fairreason.models import encode
from fairreason.models.backends import Prompt, Sampling
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.backends.letters import letter_tokens, weigh
from fairreason.models.load import load
from fairreason.pictures import open_image

LETTERS = Sampling(1, thinking="off", mode="letters")


def asked(pictures: bool) -> list[Prompt]:
    """Quadruples on five contexts; two of the contexts with a picture, questions with two and with three letters."""
    rng = random.Random(0)
    words = ["the", "baker", "or", "farmer", "apples", "12", "buys", "30", "more", "unknown"]
    found = []
    for story in range(5):
        context = " ".join(rng.choices(words, k=15))
        shown = (picture(("red", "blue")[story % 2]),) if pictures and story > 2 else ()
        for text in (context, f"{context} {' '.join(rng.choices(words, k=8))}"):
            for letters in ("AB", "ABC"):
                options = "\n".join(f"{letter}. {rng.choice(words)}" for letter in letters)
                found.append(Prompt(f"q/{len(found)}", f"{text}\nWho is it?\n{options}", shown, letters))
    return found


def by_hand(loaded, prompt):
    """One row, all logits, the tokens of the letters as the tokenizer has them."""
    row = encode.encode_prompt(loaded, prompt.text, [open_image(p) for p in prompt.images], "off")
    with torch.inference_mode():
        logits = loaded.model(**encode.collate([row], 0)).logits[0, -1].double()
    mass = logits.softmax(-1)
    forms = [[loaded.tokenizer(form)["input_ids"] for form in (c, f" {c}")] for c in prompt.letters]
    spelled = [sum(mass[ids[0]].item() for ids in each if len(ids) == 1) for each in forms]
    return [each / sum(spelled) for each in spelled]


def test_probabilities_equal_a_plain_forward_s(tiny_model):
    loaded = load(str(tiny_model))
    prompts = asked(loaded.is_vl)
    got = answers(HuggingFaceBackend(loaded), prompts, LETTERS)
    for prompt in prompts:
        (completion,) = got[prompt.id]
        expected = by_hand(loaded, prompt)
        assert completion.probabilities == pytest.approx(expected, abs=0.00501)
        assert completion.text == rf"\boxed{{{prompt.letters[expected.index(max(expected))]}}}"
        assert (completion.finish_reason, completion.completion_tokens) == ("stop", 0)
    assert len({a[0].probabilities for a in got.values()}) > 5  # the questions do matter


def test_batch_size_and_order_change_nothing(tiny_model):
    loaded = load(str(tiny_model))
    prompts = asked(loaded.is_vl)
    alone = answers(HuggingFaceBackend(loaded, batch_tokens=1), prompts, LETTERS)
    for size, seed in [(300, 1), (1_000, 2), (100_000, 3)]:
        mixed = prompts.copy()
        random.Random(seed).shuffle(mixed)
        assert answers(HuggingFaceBackend(loaded, batch_tokens=size), mixed, LETTERS) == alone


def test_a_model_of_another_kind_is_asked_through_generate(tiny_model, monkeypatch):
    loaded = load(str(tiny_model))
    prompts = asked(loaded.is_vl)
    for sampling in (LETTERS, Sampling(8), Sampling(8, temperature=1.0, samples=2)):
        shared = answers(HuggingFaceBackend(loaded), prompts, sampling)
        other = HuggingFaceBackend(loaded)
        other.plain = False
        assert answers(other, prompts, sampling) == shared


def test_what_rounding_could_decide_is_unsure():
    assert weigh([[3.0], [1.0]], scale=3.0).unsure is False
    assert weigh([[3.0], [3.0001]], scale=3.0).unsure  # the choice
    assert weigh([[0.0], [1.7346], [-40]], scale=3.0).probabilities == [0.15, 0.85, 0.0]
    assert weigh([[0.0], [math.log(0.845005 / 0.154995)]], scale=3.0).unsure  # .15 or .16
    assert not weigh([[0.0], [math.log(0.8448 / 0.1552)]], scale=3.0).unsure


def test_letters_that_are_no_tokens_are_refused(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    assert letter_tokens(loaded, "AB") == [loaded.tokenizer.convert_tokens_to_ids([c, f"Ġ{c}"]) for c in "AB"]
    with pytest.raises(ModelError, match="no token of its own for the letter Ä"):
        letter_tokens(loaded, "AÄ")


def test_a_template_that_always_opens_thinking_is_refused(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    loaded.tokenizer.chat_template += "{% if add_generation_prompt %}<think>\n{% endif %}"
    with pytest.raises(ModelError, match="opens the thinking part whatever is asked"):
        answers(HuggingFaceBackend(loaded), asked(False)[:2], LETTERS)
