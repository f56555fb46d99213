"""The lab's world: schemas of the public benchmarks, splits by family, pictures that the text does not give away."""

import re
from collections import Counter, defaultdict

import pytest

from fairreason.benchmarks.lab import load as examples
from fairreason.pictures import open_image
from fairreason.world import people, words
from fairreason.world.questions import REASONING_QUESTIONS, WORLD, question_of

SPLITS = ("train", "dev", "test")
BBQ_FIELDS = {
    "example_id", "question_index", "question_polarity", "context_condition", "category", "answer_info",
    "additional_metadata", "context", "question", "ans0", "ans1", "ans2", "label",
}  # fmt: skip  # Parrish et al. 2022, data/*.jsonl
VLBIAS_FIELDS = {
    "context", "question", "question_neg", "ans0", "ans1", "ans2", "label", "label_neg", "condition", "category",
    "image_path", "idx",
}  # fmt: skip  # VLBiasBench, close-ended json


def everything(name):
    return [row for split in SPLITS for row in examples(name, split)]


@pytest.mark.parametrize("name", WORLD)
def test_ids_are_unique_and_no_cluster_lies_in_two_splits(name):
    clusters = [{row.cluster for row in examples(name, split)} for split in SPLITS]
    assert len(set.union(*clusters)) == sum(map(len, clusters))
    ids = [row.id for row in everything(name)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ("lab-math", "lab-chart"))
def test_no_reasoning_question_is_asked_twice(name):
    """A question in two splits would be trained on and tested; every one is a cluster, so its name cannot tell."""
    assert len({question_of(row) for row in everything(name)}) == len(everything(name)) == REASONING_QUESTIONS


@pytest.mark.parametrize("name", ("lab-bias", "lab-bias-vl"))
def test_the_test_split_has_at_least_40_families(name):
    assert len({row.cluster for row in examples(name, "test")}) >= 40


@pytest.mark.parametrize("name", ("lab-math", "lab-chart"))
def test_the_test_split_has_at_least_1000_questions(name):
    assert len(examples(name, "test")) >= 1000


def test_one_category_and_24_families_stand_in_no_training_split():
    train = {row.cluster for row in examples("lab-bias", "train")}
    kept = {row.cluster for split in ("dev", "test") for row in examples("lab-bias", split)}
    assert words.HELD_OUT not in {row.metadata["category"] for row in examples("lab-bias", "train")}
    assert len({c for c in kept - train if not c.startswith(words.HELD_OUT)}) >= 24
    assert len(words.GROUPS) >= 6


def test_lab_bias_has_the_fields_of_bbq_in_whole_quadruples():
    bundles = defaultdict(list)
    for row in everything("lab-bias"):
        assert set(row.metadata["record"]) == BBQ_FIELDS
        bundles[row.bundle].append(row.metadata["record"])
    for rows in bundles.values():
        assert Counter((r["question_polarity"], r["context_condition"]) for r in rows) == {
            (polarity, condition): 1 for polarity in ("neg", "nonneg") for condition in ("ambig", "disambig")
        }


def test_unknown_has_ten_wordings_at_every_position():
    seen = {(row.options[row.metadata["unknown"]], row.metadata["unknown"]) for row in everything("lab-bias")}
    assert {text for text, _ in seen} == set(words.UNKNOWN) and {place for _, place in seen} == {0, 1, 2}


def test_targets_turn_with_the_polarity():
    for row in everything("lab-bias"):
        target = row.metadata["record"]["answer_info"][f"ans{row.metadata['target']}"][1]
        stereotyped = row.metadata["record"]["additional_metadata"]["stereotyped_groups"]
        assert (target in stereotyped) == (row.metadata["polarity"] == "neg")


def test_lab_bias_vl_has_the_fields_of_vlbiasbench_and_a_target():
    for row in everything("lab-bias-vl"):
        assert set(row.metadata["record"]) == VLBIAS_FIELDS | {"target", "target_neg"}


def test_the_text_of_a_picture_question_does_not_give_the_answer_away():
    by_text = defaultdict(list)
    for row in everything("lab-bias-vl"):
        by_text[row.bundle, row.prompt].append(row)
    for rows in by_text.values():
        assert len({row.metadata["seen"] for row in rows}) == len(rows) == 2
        assert {row.metadata["target"] for row in rows} == {0, 1}
        if rows[0].metadata["condition"] != "ambig":
            assert {row.answer for row in rows} == {0, 1}


def test_the_pictured_colour_covers_a_large_part_of_the_picture():
    for row in examples("lab-bias-vl", "dev"):
        pixels = Counter(open_image(row.images[0]).get_flattened_data())
        assert pixels[words.COLOURS[row.metadata["seen"]]] >= 150


@pytest.mark.parametrize("name", ("lab-math", "lab-chart"))
def test_every_step_of_a_worked_solution_is_right_and_the_last_is_the_answer(name):
    for row in examples(name, "dev"):
        steps = re.findall(r"(\d+)([-+*])(\d+)=(\d+)\.", row.solution)
        for a, sign, b, result in steps:
            assert {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign] == int(result)
        assert row.answer == steps[-1][3]


def test_stories_have_one_to_four_steps_equally_often():
    steps = Counter(row.metadata["steps"] for row in everything("lab-math"))
    assert set(steps) == {1, 2, 3, 4} and len(set(steps.values())) == 1


def test_every_group_is_said_to_have_some_trait():
    for groups in words.GROUPS.values():
        assert {words.stereotyped(groups, trait) for trait in range(len(words.TRAITS))} == set(groups)


def test_families_use_different_wordings():
    wordings = [wording for category in words.GROUPS for wording in people.FAMILIES.of(category)]
    assert len(set(wordings)) == len(wordings)
