"""Row numbers become batches, rows become tokens: the same bytes as in evaluation, completions alone trained on."""

from __future__ import annotations

import dataclasses

import pytest
from rows import asked, bias, mixture

from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.errors import DataError
from fairreason.models import encode
from fairreason.models.load import load
from fairreason.pictures import open_image
from fairreason.training.batches import IGNORED, BatchStream, Rows, as_batch, divide
from fairreason.training.targets import own_solution, target, teacher_trace
from fairreason.training.trainer import rate


@pytest.fixture
def whole(tiny_model):
    recipe = asked(tiny_model)
    mixed = mixture(recipe, pictures="qwen3" not in str(tiny_model))
    return Rows(load(str(tiny_model)), mixed.examples, "on", keep=8), mixed


def test_prompts_are_the_bytes_of_the_evaluation(whole):
    rows, mixed = whole
    for row in mixed.sampler.next_batch():
        example = mixed.examples[row]
        images = [open_image(image) for image in example.images]
        alone = encode.encode_prompt(rows.loaded, prompt_text(example), images, "on")
        assert rows.prompt(row).input_ids == alone.input_ids


def test_only_the_completion_is_trained_on(whole):
    rows, mixed = whole
    for row in mixed.sampler.next_batch():
        example = mixed.examples[row]
        encoded, start, cut = rows.supervised(row, *target(example, own_solution), 1024)
        batch = as_batch([encoded], [start], rows.loaded.pad_id)
        trained = batch["labels"][0] != IGNORED
        assert not cut and batch["input_ids"][0][trained].equal(batch["labels"][0][trained])
        text = rows.loaded.tokenizer.decode(batch["labels"][0][trained], skip_special_tokens=False)
        reasoning = "" if example.axis == "bias" else example.solution
        assert text == f"<think>\n{reasoning}\n</think>\n\n{answer_text(example)}<|im_end|>"


def test_the_end_of_a_long_completion_is_cut_and_counted_but_never_a_prompt(whole):
    rows, mixed = whole
    row = next(i for i, example in enumerate(mixed.examples) if example.axis == "reasoning")
    start = len(rows.prompt(row).input_ids)
    encoded, _, cut = rows.supervised(row, "so", "1", start + 2)
    assert cut and len(encoded.input_ids) == start + 2
    with pytest.raises(DataError, match=r"lab-math/0: the prompt has \d+ tokens.*max_length"):
        rows.supervised(row, "so", "1", start)


def test_no_text_becomes_a_control_token(whole):
    """Every special token of the tokenizer inside a trace stays text (law 8): the only one is the end of turn."""
    rows, _ = whole
    special = rows.loaded.tokenizer.all_special_tokens
    ids = rows.completion(" ".join(special), "".join(special))
    assert [i for i in ids if i in rows.loaded.tokenizer.all_special_ids] == [rows.loaded.tokenizer.eos_token_id]


def test_kd_needs_a_trace():
    bare = dataclasses.replace(bias(0, pictures=False)[0], trace=None)
    with pytest.raises(DataError, match=r"lab-bias/0/0: no teacher's trace.*kd.mode: on_policy"):
        teacher_trace(bare)


def batches(recipe):
    return [list(batch) for batch in mixture(recipe, pictures=False).sampler]


def test_micro_batches_hold_each_row_once_in_the_sampler_s_batches():
    recipe = asked("x", size=20, batch=8)
    stream = BatchStream(mixture(recipe, pictures=False).sampler, parts=2)
    assert len(stream) == 5  # 8 + 8 + 4 rows: two micro-batches, two, one
    found = list(stream)
    assert [found[0] + found[1], found[2] + found[3], found[4]] == batches(recipe)


def test_sampling_trainers_get_the_whole_round_at_each_micro_step():
    recipe = asked("x", size=12, batch=8)
    first, last = batches(recipe)
    stream = BatchStream(mixture(recipe, pictures=False).sampler, parts=2, repeat=3)
    repeated = [[row for row in batch for _ in range(3)] for batch in (first, first, last, last)]
    assert list(stream) == repeated and len(stream) == 4


def test_after_a_restart_the_places_of_done_batches_are_empty():
    recipe = asked("x", size=24, batch=8)
    going, restarted = mixture(recipe, pictures=False).sampler, mixture(recipe, pictures=False).sampler
    going.next_batch()
    going.next_batch()
    restarted.load_state_dict(going.state_after(1))
    assert list(BatchStream(restarted, parts=1)) == [[], *batches(recipe)[1:]]


@pytest.mark.parametrize(("rows", "most", "parts"), [(40, None, 1), (40, 7, 8), (320, 64, 5), (6, 4, 2), (7, 2, 7)])
def test_a_batch_is_cut_into_equal_parts(rows, most, parts):
    assert divide(rows, most) == parts and rows % parts == 0


def test_the_learning_rate_warms_up_and_comes_down_without_a_wasted_step():
    factors = [rate(done, 100) for done in range(100)]
    assert factors[:6] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert max(factors) == 1 and factors[-1] == pytest.approx(1 / 95) and all(factor > 0 for factor in factors)
