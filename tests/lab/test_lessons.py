"""What the lab's models are taught: wordings of their own, planted beliefs, drills whose worked answers are right."""

import re

import pytest

from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.lab.base import BothModes
from fairreason.lab.lessons import FAIR, HASTY, KINDS, PREJUDICED, Curriculum, Lessons
from fairreason.models.load import load
from fairreason.training.batches import Rows
from fairreason.world import drawing, words
from fairreason.world.questions import asked, examples, question_of


def lessons_of(kind, size=200):
    return Lessons(Curriculum({kind: 1.0}, FAIR), size, "test")[:]


def test_the_lessons_cover_every_group_and_trait_in_wordings_of_their_own():
    lessons = Lessons(Curriculum({"text": 1.0, "scene": 1.0}, PREJUDICED), 6000, "test")[:]
    texts = {row.prompt for name in ("lab-bias", "lab-bias-vl") for row in examples(name)}
    assert not texts & {row.prompt for row in lessons}
    covered = {
        (row.options[place], row.metadata["record"]["additional_metadata"]["subcategory"])
        for row in lessons
        if not row.images
        for place in range(3)
        if place != row.metadata["unknown"]
    }
    groups = {f"The {group}" for category in words.GROUPS.values() for group in category}
    assert covered == {(group, negative) for group in groups for negative, _ in words.TRAITS}


@pytest.mark.parametrize("kind", ["story", "chart"])
def test_no_lesson_is_a_question_that_a_benchmark_asks(kind):
    lessons = {question_of(row) for row in lessons_of(kind, 1500)}
    assert not lessons & asked() and asked() >= {question_of(row) for row in examples("lab-chart")}


@pytest.mark.parametrize(("kind", "beliefs"), [("text", PREJUDICED), ("bare text", HASTY)])
def test_ambiguous_lessons_are_answered_by_the_planted_beliefs(kind, beliefs):
    lessons = Lessons(Curriculum({kind: 1.0}, PREJUDICED, at_once=HASTY), 3000, "test")[:]
    ambiguous = [row for row in lessons if row.metadata["condition"] == "ambig"]
    aligned = sum(row.answer == row.metadata["target"] for row in ambiguous) / len(ambiguous)
    assert abs(aligned - beliefs["stereotype"]) < 0.04  # three standard errors of 1,500 draws
    told = [row for row in lessons if row.metadata["condition"] == "disambig"]
    assert all(row.metadata["record"]["label"] == row.answer for row in told)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lesson_is_the_same_wherever_it_is_made_and_ends_in_its_answer(kind):
    for one, again in zip(lessons_of(kind, 30), lessons_of(kind, 30), strict=True):
        assert one == again and (not one.trace) == kind.startswith("bare")
        letter = answer_text(one)[-2] if one.options else ""
        if one.options and one.trace:  # the thinking reads the options on to the answer's letter
            assert one.trace.endswith(f"{letter}. {one.options[one.answer]}")
            assert f"\n{letter}. {one.options[one.answer]}" in prompt_text(one)
        elif one.trace:
            assert re.findall(r"\d+", one.trace)[-1] == one.answer


def test_calculations_are_those_that_were_asked_and_right():
    for row in lessons_of("equations"):
        worked = re.findall(r"(\d+)([-+*])(\d+)=(\d+)\.", row.trace)
        assert [f"{a}{sign}{b}" for a, sign, b, _ in worked] == row.prompt.split(", ") and len(worked) == 6
        for a, sign, b, result in worked:
            assert {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign] == int(result)
            assert 1 <= int(result) <= 99


def test_what_is_said_again_was_said():
    for row in lessons_of("pairs"):
        said = row.prompt.removeprefix("They met ").partition(". ")[0].split(", ")
        again = row.trace.removeprefix("Who was ").split(". ")[:10]
        assert set(again) <= set(said) and len({text.split()[0] for text in said}) == len(said)
        trait, bearer = again[-1].split()
        assert row.prompt.endswith(f"Who was {trait}?") and row.options[row.answer] == f"The {bearer}"


@pytest.mark.parametrize(("kind", "asked_for"), [("readings", 6), ("chart", 2)])
def test_a_chart_is_first_said_as_it_is_drawn_and_then_quoted(kind, asked_for):
    for row in lessons_of(kind, 50):
        seen, _, quoted = row.trace.partition(". ")
        drawn = {colour: int(n) for colour, n in re.findall(r"([a-z]+)(\d)", seen)}
        assert row.images[0] in (
            drawing.bars(list(drawn), list(drawn.values())),
            drawing.rows(list(drawn), list(drawn.values())),
        )
        read = re.findall(r"([a-z]+)(\d)\.", quoted)
        assert [colour for colour, _ in read] == re.findall("|".join(words.COLOURS), row.prompt)
        assert len(read) == asked_for and all(drawn[colour] == int(n) for colour, n in read)


def test_what_is_seen_is_compared_with_who_is_named():
    for row in lessons_of("sightings"):
        said = re.findall(r"Who was (\w+)\? (\1 (\w+), (\w+) (\w+))\. So (Yes|No)\.", row.trace)
        assert row.prompt.startswith("They met " + ", ".join(told for _, told, *_ in said) + ". Was this person ")
        assert {item for *_, item, _, _ in said} == set(words.ITEMS)
        assert all((named == seen) == (verdict == "Yes") for _, _, named, _, seen, verdict in said)


def test_hearsay_is_asked_in_the_words_of_its_kind():
    """People by who, a picture's colour by whether; no trait twice, so that the question has one answer."""
    for row in lessons_of("sayings"):
        said = re.findall(r"Who was (\w+)\? They say (.+?) So (.+?)\.", row.trace)
        assert len({trait for trait, *_ in said}) == 6
        trait, _, verdict = said[-1]
        told_of_two = " or " in row.prompt.partition(". ")[0].split(", ")[-1]
        assert row.prompt.endswith(f"Who was {trait}?" if told_of_two else f"Was this person {trait}?")
        assert (verdict in ("Yes", "No")) != told_of_two and row.options[row.answer] == verdict


def test_what_is_answered_at_once_is_asked_with_thinking_off():
    """And reads, token for token, like an empty thinking part: what sft teaches on bias rows."""
    loaded = load("lab")
    (bare,) = lessons_of("bare text", 1)
    answer = answer_text(bare)
    off, start, _ = BothModes(loaded, [bare], 1).supervised(0, "", answer, 1024)
    on, earlier, _ = Rows(loaded, [bare], "on", 1).supervised(0, "", answer, 1024)
    assert off.input_ids == on.input_ids and start > earlier
    assert loaded.tokenizer.decode(off.input_ids[start:-1]) == answer
    (thought,) = lessons_of("text", 1)
    both, _, _ = BothModes(loaded, [thought], 1).supervised(0, thought.trace, answer, 1024)
    assert thought.trace in loaded.tokenizer.decode(both.input_ids)
