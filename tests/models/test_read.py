"""Reading many prompts at once gives each one what it gets alone, in all three families of models."""

from __future__ import annotations

import random

import pytest
import torch
from PIL import Image

from fairreason.models import encode
from fairreason.models.load import load
from fairreason.models.read import is_plain, positions, read
from fairreason.models.trees import grow
from fairreason.models.write import write

WORDS = ["Who", "is", "left-handed", "the", "baker", "or", "farmer", "apples", "12", "buys", "30", "more"]


def quadruples(loaded, pictures: bool):
    """(prompt, its pictures' name): two questions on a context and two on the same context with more behind it."""
    rng = random.Random(0)
    found = []
    for story in range(3):
        shown = [Image.new("RGB", (56, 56), ("red", "blue", "gray")[story])] if pictures and story else []
        context = " ".join(rng.choices(WORDS, k=20))
        longer = context + " " + " ".join(rng.choices(WORDS, k=10))
        for text in (context, longer):
            for question in ("Who is left-handed?", "Who buys more apples?"):
                row = encode.encode_prompt(loaded, f"{text}\n{question}\nA. farmer", shown, "off")
                found.append((row, f"story {story}" if shown else ""))
    random.Random(1).shuffle(found)
    return [row for row, _ in found], [name for _, name in found]


def alone(loaded, row):
    inputs = encode.collate([row], loaded.pad_id)
    with torch.inference_mode():
        return loaded.model(**inputs, position_ids=positions(loaded.model, inputs)).logits[0, -1]


@pytest.mark.parametrize("pictures", [False, True])
def test_a_tree_gives_each_prompt_what_it_gets_alone(tiny_model, pictures):
    loaded = load(str(tiny_model))
    prompts, names = quadruples(loaded, pictures and loaded.is_vl)
    assert is_plain(loaded.model)
    assert sum(len(tree.ids) for tree in grow([p.input_ids for p in prompts], names)) < 0.7 * sum(
        len(p.input_ids) for p in prompts
    )
    with torch.inference_mode():
        parts = list(read(loaded.model, prompts, names, cache=False))
    found = {index: logits for part in parts for index, logits in zip(part.prompts, part.logits, strict=True)}
    assert sorted(found) == list(range(12))
    for index, prompt in enumerate(prompts):
        torch.testing.assert_close(found[index], alone(loaded, prompt), atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_answers_written_together_are_those_of_generate(tiny_model, attention):
    """With prompts in trees, several answers to a prompt, and answers that end early and late."""
    loaded = load(str(tiny_model))
    loaded.model.set_attn_implementation(attention)
    prompts, names = quadruples(loaded, loaded.is_vl)
    answers = [i for i in range(12) for _ in range(1 + i % 2)]
    loaded.model.generation_config.eos_token_id = None  # a token that some answers come to soon stands in for the end
    firsts = [loaded.model.generate(**encode.collate([p], 0), max_new_tokens=12, do_sample=False)[0] for p in prompts]
    plain = [ids[len(p.input_ids) :].tolist() for ids, p in zip(firsts, prompts, strict=True)]
    end = plain[0][3]
    expected = [ids[: ids.index(end) + 1] if end in ids else ids for ids in plain]
    assert len({len(ids) for ids in expected}) > 1
    with torch.inference_mode():
        got = write(loaded.model, prompts, names, answers, 12, [end], lambda logits, *_: logits.argmax(-1))
    assert got == [expected[i] for i in answers]
