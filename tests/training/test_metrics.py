"""Metrics by source, and when a run is called collapsed."""

from __future__ import annotations

from collections import defaultdict

import pytest
import torch
from rows import asked, bias, mixture, sums

from fairreason.benchmarks.base import answer_text
from fairreason.files import read_jsonl
from fairreason.models import encode
from fairreason.models.load import load
from fairreason.records import Completion, Grade
from fairreason.training.batches import Rows
from fairreason.training.metrics import Step, collapsed_at
from fairreason.training.targets import own_solution, target
from fairreason.training.train import train_on


def rows(*rates):
    return [{"step": step, "unknown_disambig": rate} for step, rate in enumerate(rates, 1)]


@pytest.mark.parametrize(
    ("rates", "step"),
    [
        ((0.95, 0.95, 0.95), 3),
        ((0.95, 0.95, 0.9, 0.95, 0.95), None),  # .9 is not above .9
        ((0.95, None, 0.95, None, 0.95), 5),  # steps without disambiguated rows say nothing
        ((0.1, 1.0, 1.0, 1.0, 0.0), 4),  # what comes later does not undo it
        ((), None),
    ],
)
def test_a_run_collapses_after_three_logged_steps_above_nine_tenths(rates, step):
    assert collapsed_at(rows(*rates)) == step


def test_given_answers_count_as_right_where_the_model_would_have_chosen_them(taught_vl, tmp_path):
    """Against the model's own logits: the answer's tokens and the end of turn, each given all that stands before it."""
    recipe = asked(taught_vl / "checkpoint", size=8, type="sft", sft={"learning_rate": 1e-9})
    train_on(recipe, mixture(recipe), tmp_path)
    (row,) = read_jsonl(tmp_path / "metrics.jsonl")
    loaded, made = load(str(taught_vl / "checkpoint")), mixture(recipe)
    found = defaultdict(list)
    for example in (made.examples[place] for place in made.sampler.next_batch()):
        taught = Rows(loaded, [example], "on", keep=1)
        whole, _, _ = taught.supervised(0, *target(example, own_solution), 1024)
        answer = len(encode.encode_completion(loaded, answer_text(example)))
        with torch.no_grad():
            logits = loaded.model(**encode.collate([whole], loaded.pad_id)).logits[0]
        found[example.source].append(logits[-answer - 1 : -1].argmax(-1).tolist() == whole.input_ids[-answer:])
    expected = {source: sum(right) / len(right) for source, right in found.items()}
    assert {source: values["answers_chosen"] for source, values in row["sources"].items()} == expected
    assert 0 < sum(expected.values()) < 2  # some are right, some wrong


def test_a_step_by_hand():
    """Two prompts with two completions each: an ambiguous row (both unknown: right) and a sum (one right)."""
    step, unknown, total = Step(), bias(0, False)[0], sums(1, False)[0]
    for example, grade in (
        (unknown, Grade("correct", choice=2)),
        (unknown, Grade("correct", choice=2)),
        (total, Grade("correct", answer="1")),
        (total, Grade("truncated")),
    ):
        step.add_grade(example, Completion("", "stop", 5, 3), grade)
        tally = step.of(example)
        tally.replies, tally.tokens = tally.replies + 1, tally.tokens + 3
    for example, rewards in ((unknown, [1.0, 1.0]), (total, [1.0, -1.0])):
        step.of(example).n += 1
        step.add_group(example, rewards)
    row = step.row(2, 4, 0.5, 1e-3, None)
    assert (row["step"], row["progress"], row["loss"]) == (2, 0.5, 0.5)
    assert (row["share_examples"], row["share_tokens"], row["unknown_disambig"]) == (0.5, 0.5, None)
    expected = {"n": 1, "tokens": 6, "length": 3.0, "accuracy": 1.0, "truncated": 0.0, "unknown_rate": 1.0}
    assert row["sources"]["lab-bias"] == {**expected, "reward": 1.0, "zero_variance": 1.0}
    assert row["sources"]["lab-math"]["reward"] == 0.0
    assert row["sources"]["lab-math"]["zero_variance"] == 0.0
    assert row["sources"]["lab-math"]["truncated"] == 0.5
    assert "unknown_rate" not in row["sources"]["lab-math"]
