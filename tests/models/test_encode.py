"""The tokens that every part asks and answers with, on the three families."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from fairreason.errors import ModelError
from fairreason.models import encode
from fairreason.models.load import load

RED, BLUE = Image.new("RGB", (56, 56), "red"), Image.new("RGB", (112, 56), "blue")
QUESTION = "Who is left-handed?\nA. the baker\nB. the farmer"


def by_the_template(loaded, text, images, thinking):
    """The same prompt by `processor.apply_chat_template`, in one go."""
    content = [*({"type": "image", "image": i} for i in images), {"type": "text", "text": text}]
    rendered = loaded.processor.apply_chat_template(
        [{"role": "user", "content": content if loaded.is_vl else text}],
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        add_generation_prompt=True,
        enable_thinking=thinking == "on",
    )
    return dict(rendered)


@pytest.mark.parametrize("thinking", ["on", "off"])
def test_prompts_equal_the_chat_template(tiny_model, thinking):
    loaded = load(str(tiny_model))
    for images in [[], [RED], [RED, BLUE]] if loaded.is_vl else [[]]:
        ours = encode.encode_prompt(loaded, QUESTION, images, thinking)
        theirs = by_the_template(loaded, QUESTION, images, thinking)
        assert ours.input_ids == theirs.pop("input_ids")[0].tolist()
        theirs.pop("attention_mask")
        for name in ours.fields:
            expected = theirs[name][0] if name in encode.TOKEN_FIELDS else theirs[name]
            assert torch.equal(ours.fields[name], expected), name


def test_no_control_token_comes_out_of_a_text(tiny_model):  # law 8
    loaded = load(str(tiny_model))
    added = {i: t.content for i, t in loaded.tokenizer.added_tokens_decoder.items()}
    for token in added.values():
        text = f"before {token}{token} after"
        ids = encode.encode_text(loaded, text)
        assert not set(ids) & set(added), token
        assert loaded.tokenizer.decode(ids) == text
        plain = encode.encode_prompt(loaded, "", [], "on").input_ids
        assert len(encode.encode_prompt(loaded, text, [], "on").input_ids) == len(plain) + len(ids)


def test_a_picture_slot_in_a_question_stays_text(tiny_picture_model):
    loaded = load(str(tiny_picture_model))
    slot = loaded.processor.image_token
    row = encode.encode_prompt(loaded, f"Is {slot} here?", [RED], "on")
    assert row.input_ids.count(loaded.processor.image_token_id) == 4  # the one real picture's


def test_completion_keeps_think_tags_and_splits_the_rest(tiny_model):
    loaded = load(str(tiny_model))
    text = encode.completion_text("so <|im_end|> B", "\\boxed{B}", False, "on")
    ids = encode.encode_completion(loaded, text)
    assert ids[-1] == loaded.tokenizer.eos_token_id and ids.count(ids[-1]) == 1
    assert encode.decode(loaded, ids) == text
    tag = loaded.tokenizer.convert_tokens_to_ids("</think>")
    if tag in loaded.tokenizer.added_tokens_decoder:
        assert ids.count(tag) == 1


def test_a_trace_cannot_close_its_own_frame():
    text = encode.completion_text("hm </think> B", "A", False, "on")
    assert text.count("</think>") == 1 and text.endswith("</think>\n\nA")


def test_pictures_for_a_text_model_are_refused(tiny_qwen3):
    with pytest.raises(ModelError, match="takes no pictures"):
        encode.encode_prompt(load(str(tiny_qwen3)), QUESTION, [RED], "on")


def test_a_mixed_batch_equals_its_rows_alone(tiny_picture_model):
    loaded = load(str(tiny_picture_model))
    pictures = [[RED], [], [BLUE, RED]]
    texts = (QUESTION, "short", "two pictures")
    rows = [encode.encode_prompt(loaded, *each, "on") for each in zip(texts, pictures, strict=True)]
    for side in ("left", "right"):
        batch = encode.collate(rows, loaded.pad_id, side)
        with torch.no_grad():
            logits_BTV = loaded.model(**batch).logits
        for i, row in enumerate(rows):
            alone = encode.collate([row], loaded.pad_id)
            with torch.no_grad():
                expected_TV = loaded.model(**alone).logits[0]
            torch.testing.assert_close(
                logits_BTV[i][batch["attention_mask"][i].bool()], expected_TV, atol=1e-4, rtol=1e-4
            )


def test_think_tags_survive_where_a_tokenizer_calls_them_special(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    loaded.tokenizer.add_special_tokens({"extra_special_tokens": ["<|im_start|>", "<think>", "</think>"]})
    text = encode.completion_text("so", "B", False, "on")
    ids = encode.encode_completion(loaded, text)
    assert loaded.tokenizer.decode(ids, skip_special_tokens=True) != text  # as trainers decode: the tags are gone
    assert encode.decode(loaded, ids) == text


def test_a_prompt_that_opens_or_closes_the_thinking_part_is_known(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    assert not encode.prompt_ends_in_think(loaded, "on") and not encode.prompt_ends_in_think(loaded, "off")
    opening = load(str(tiny_qwen3))
    opening.tokenizer.chat_template += "{% if add_generation_prompt %}<think>\n{% endif %}"
    assert encode.prompt_ends_in_think(opening, "on")
    row = encode.encode_prompt(opening, "hello", [], "on")
    assert row.input_ids[-2] == opening.tokenizer.convert_tokens_to_ids("<think>")


def test_a_template_that_drops_the_text_is_refused(tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    loaded.tokenizer.chat_template = "hello"
    with pytest.raises(ModelError, match="exactly once"):
        encode.encode_prompt(loaded, "hello", [], "on")
