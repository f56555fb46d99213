"""Leaked test questions are found in questions and reasoning; what a source shares by template is no leak."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_answers import PHONE

from fairreason.benchmarks import get
from fairreason.errors import DataError
from fairreason.records import Example
from fairreason.traces import withheld
from fairreason.traces.overlap import GRAM, Hit, Withheld
from fairreason.traces.withheld import index_withheld, read_withheld

LONG = (
    "A farmer has seven fields and plants four trees in every second field of the valley each spring, "
    "and how many is that?"
)
SHORT = "Compute the sine of 45 degrees."
MIDDLE = "How many of the nine old ships came home safely?"


def asked(prompt: str, id: str = "other/0", images: tuple[str, ...] = ()) -> Example:
    return Example(id, "s", "reasoning", id, prompt, "1", images=images)


def found(tests: Withheld, example: Example, reasoning: str = "") -> Hit:
    hit = tests.find(example, reasoning)
    assert hit is not None
    return hit


@pytest.fixture
def tests() -> Withheld:
    return index_withheld({"s": [asked(LONG, "s/long"), asked(SHORT, "s/short"), asked(MIDDLE, "s/middle")]})


@pytest.mark.parametrize("id", ["other/0", "s/0"])
def test_a_question_asked_again(tests: Withheld, id: str) -> None:
    hit = found(tests, asked(LONG.upper().replace(" ", "\n"), id))
    assert (hit.rule, hit.test) == ("same question", "s/long")
    assert found(tests, asked("Compute the sine of 45 degrees", id)).test == "s/short"


def test_thirteen_words_in_a_row(tests: Withheld) -> None:
    said = LONG.split()
    hit = found(tests, asked("Say: " + " ".join(said[2 : 2 + GRAM]) + " and so on"))
    assert hit == Hit("question", "s/long", " ".join(said[2 : 2 + GRAM]))
    assert tests.find(asked("Say: " + " ".join(said[2 : 1 + GRAM]) + " and so on")) is None


def test_a_shorter_question_counts_whole_and_a_very_short_one_by_itself(tests: Withheld) -> None:
    hit = found(tests, asked("Another?"), f"They asked: {MIDDLE} Five did.")
    assert (hit.rule, hit.test) == ("reasoning", "s/middle")
    assert tests.find(asked("Another?"), "How many of the nine old ships came home?") is None
    assert tests.find(asked("Another?"), f"First {SHORT.lower()} Then double it.") is None


def test_inside_a_source_the_split_decides_what_questions_may_share(tests: Withheld) -> None:
    own = asked(f"Once more. {LONG}", "s/train")
    assert tests.find(own) is None
    assert tests.find(own, f"The question is: {LONG} So one.") is None
    assert found(tests, own, f"It is like the other one: {MIDDLE}").test == "s/middle"
    assert found(tests, replace(own, id="other/0")).rule == "question"


@pytest.mark.parametrize("kind", ["items", "multiple-choice", "short-answer", "traces"])
def test_a_file_of_ones_own_is_no_benchmark_whatever_its_ids(tests: Withheld, kind: str) -> None:
    own = asked(f"Once more. {LONG}", "s/long")
    assert tests.find(own) is None
    hit = found(tests, replace(own, source=f"{kind}:own.jsonl"))
    assert (hit.rule, hit.test) == ("question", "s/long")


def test_what_two_sources_ask_belongs_to_neither(tests: Withheld) -> None:
    both = index_withheld({"s": [asked(LONG, "s/long")], "t": [asked(LONG, "t/long")]})
    assert found(both, asked(f"Once more. {LONG}", "s/train")).rule == "question"


@pytest.mark.parametrize("at_once", [1, 2, withheld.AT_ONCE])
def test_template_text_is_no_leak_and_a_copied_cluster_is(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withheld, "AT_ONCE", at_once)
    ending = "Tell me, if you can, what all of it would then have cost them both."
    test = asked(f"Ann buys a kite. {ending}", "s/a")
    twice = index_withheld({"s": [test]}, {"s": [asked(f"Ben buys a bell. {ending}", "s/b")]})
    others = [asked(f"Ben buys {what}. {ending}", f"s/{what}") for what in ("bells", "oil")]
    thrice = index_withheld({"s": [test]}, {"s": others})
    assert found(twice, asked(f"Cid buys milk. {ending}")).rule == "question"
    assert thrice.find(asked(f"Cid buys milk. {ending}")) is None
    assert thrice.template == {"s": 3}  # 15 words have three 13-grams
    assert found(thrice, asked(test.prompt)).rule == "same question"


def test_the_words_of_a_picture_question_are_half_of_it() -> None:
    tests = index_withheld({"s": [asked("Find x.", "s/a", ("a.png",)), asked(LONG, "s/b", ("b.png",))]})
    assert tests.find(asked("Find x.")) is None
    assert found(tests, asked(LONG, images=("c.png",))).rule == "same question"
    assert tests.find(asked(LONG, "s/c", ("c.png",))) is None


def test_options_and_instruction_are_no_part_of_a_question() -> None:
    tests = index_withheld({"bbq": [PHONE]})
    assert tests.find(replace(PHONE, id="other/0", prompt="Two people met.\nWho was late?")) is None


def test_no_test_questions_at_all(tmp_path: Path) -> None:
    tests = read_withheld(["math500"], tmp_path)
    assert tests.find(asked(LONG), LONG) is None


def test_what_is_not_at_hand_is_named(tmp_path: Path) -> None:
    tests = read_withheld(["lab-math", "math500"], tmp_path)
    assert set(tests.absent) == {"math500"}
    assert "test.jsonl" in tests.absent["math500"]
    assert tests.sizes == {"lab-math": len(get("lab-math").load("test", None))}


def test_a_broken_file_is_named_with_its_reason_and_is_not_absent(tmp_path: Path) -> None:
    (tmp_path / "math500").mkdir()
    (tmp_path / "math500/test.jsonl").write_text("{}\n")
    with pytest.raises(DataError):
        get("math500").load("test", tmp_path)
    found = read_withheld(["math500", "gsm8k"], tmp_path)
    assert found.broken.keys() == {"math500"} and "test.jsonl:1: needs problem" in found.broken["math500"]
    assert found.absent.keys() == {"gsm8k"} and not found.sizes


@pytest.fixture(scope="module")
def all_tests(data_folder: Path) -> Withheld:
    return read_withheld(data=data_folder)


@pytest.mark.data
def test_every_test_question_of_real_data_is_found(all_tests: Withheld, data_folder: Path) -> None:
    for name in ("bbq", "gsm8k", "math500", "aime2024"):
        for row in get(name).load("test", data_folder):
            assert found(all_tests, row).rule == "same question"
            assert found(all_tests, replace(row, id=f"other/{row.id}")).rule == "same question"


@pytest.mark.data
def test_math500_in_a_file_of_ones_own_is_found_under_its_own_ids(all_tests: Withheld, data_folder: Path) -> None:
    rows = [row for row in get("math500").load("test", data_folder) if len(row.prompt.split()) > 25][:200]
    for row in rows:
        own = replace(row, source="items:own.jsonl", prompt=f"{row.prompt} Give your answer as a number.")
        assert found(all_tests, own).rule == "question"
    assert len(rows) == 200


@pytest.mark.data
@pytest.mark.parametrize("name", ["bbq", "gsm8k", "lab-bias", "lab-bias-vl", "lab-math", "lab-chart"])
def test_no_training_question_of_real_data_overlaps(name: str, all_tests: Withheld, data_folder: Path) -> None:
    """Nor does a worked solution; BBQ's reasoning here is the question, quoted, as models do."""
    for row in get(name).load("train", data_folder):
        assert all_tests.find(row, f"The question is: {row.prompt} {row.solution or row.trace or ''}") is None, row.id


@pytest.mark.data
def test_sources_against_math500_aime_and_mathverse(tmp_path: Path, data_folder: Path) -> None:
    """Records in the published formats of Mixture-of-Thoughts and LLaVA-CoT, some of which quote a test question."""
    against = read_withheld(["math500", "aime2024", "mathverse-text-only"], data_folder)
    math, aime, verse = (get(name).load("test", data_folder)[7].prompt for name in against.sizes)
    own = "How many apples are left of twelve when Ann eats four and gives half of the rest to her brother Tom?"
    replies = {math: "Yes.", f"Solve this. {aime} Explain.": "Yes.", own: "Yes.", f"{own} Why?": f"As in {math}, so."}
    (tmp_path / "mixture-of-thoughts/math").mkdir(parents=True)
    (tmp_path / "mixture-of-thoughts/math/train.jsonl").write_text("".join(thought(*pair) for pair in replies.items()))
    source = get("mixture-of-thoughts/math")
    rows = [row for split in source.splits for row in source.load(split, tmp_path)]
    hits = {row.id: against.find(row, row.trace or "") for row in rows}
    assert [hit and hit.rule for _, hit in sorted(hits.items())] == ["same question", "question", None, "reasoning"]
    (tmp_path / "llava-cot/images").mkdir(parents=True)
    (tmp_path / "llava-cot/train.jsonl").write_text(staged(verse))
    llava = get("llava-cot")
    (row,) = (row for split in llava.splits for row in llava.load(split, tmp_path))
    assert found(against, row).rule == "same question"


def thought(question: str, thinking: str) -> str:
    reply = f"<think>\n{thinking}\n</think>\n\n\\boxed{{1}}"
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return json.dumps({"messages": turns, "num_tokens": 9, "source": "open-r1/OpenR1-Math-220k"}) + "\n"


def staged(question: str) -> str:
    stages = "".join(f"<{name}> 4 </{name}>\n\n" for name in ("SUMMARY", "CAPTION", "REASONING", "CONCLUSION"))
    turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": stages}]
    return json.dumps({"id": "a", "conversations": turns}) + "\n"
