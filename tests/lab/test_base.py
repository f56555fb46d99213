"""The lab's models: what ships lies inside its card's intervals, and a build makes a model that loads."""

import dataclasses

import pytest

from fairreason.evaluation.evaluate import evaluate
from fairreason.lab import base, card
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load


@pytest.mark.slow
@pytest.mark.parametrize("name", card.PROMISED)
def test_the_shipped_model_lies_inside_the_intervals_of_its_card(name):
    scores = {(s.benchmark, s.metric, s.condition): s.value for s in card.overall(card.measure(base.folder(name)))}
    promised = card.PROMISED[name].items()
    assert not [(key, scores[key], ends) for key, ends in promised if not ends[0] <= scores[key] <= ends[1]]


def test_the_card_says_what_the_shipped_base_does(tmp_path):
    results = evaluate(HuggingFaceBackend(load("lab")), ["lab-chart"], out=tmp_path)
    (accuracy,) = [score for score in card.overall(results) if score.metric == "accuracy"]
    assert f"| lab-chart | accuracy |  | {accuracy.value:.3f} " in (base.folder("lab") / "README.md").read_text()


def test_base_and_teacher_speak_the_same_tokens():
    """Distillation compares whole token distributions, so kd with mode on_policy refuses another vocabulary."""
    vocabularies = [load(name).tokenizer.get_vocab() for name in card.PROMISED]
    assert vocabularies[0] == vocabularies[1]


@pytest.mark.parametrize("name", card.PROMISED)
def test_the_shipped_weights_are_small_safetensors(name):
    folder = base.folder(name)
    assert (folder / "README.md").exists()
    assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) < 10_000_000
    assert sum(p.numel() for p in load(name).model.parameters()) <= 4_000_000


@pytest.mark.slow
def test_a_build_is_a_model_folder_with_a_card(tmp_path):
    course = base.COURSES["lab"]
    stages = tuple(dataclasses.replace(stage, lessons=96) for stage in course.stages)
    steps = []
    folder = base.build(
        "lab", tmp_path, 0, lambda *at: steps.append(at), {"lab": dataclasses.replace(course, stages=stages)}
    )
    assert load(str(folder)).is_vl and "| lab-math | accuracy |" in (folder / "README.md").read_text()
    assert steps[-1] == (2 * len(stages),) * 2
