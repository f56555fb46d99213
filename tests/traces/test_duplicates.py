"""Near-copies against the definition, computed pair by pair; quadruples keep their four rows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairreason.benchmarks import get
from fairreason.traces.duplicates import GRAM, Copy, Text, near_copies
from fairreason.traces.grams import codes, grams, words


def plain(texts: list[Text], near: float) -> dict[int, Copy]:
    """The same by the definition: Python sets of word tuples, every pair."""
    sets = []
    for row in texts:
        said = words(row.text)
        n = min(GRAM, len(said)) or 1
        sets.append({tuple(said[i : i + n]) for i in range(len(said) - n + 1)})
    found: dict[int, Copy] = {}
    for place, own in enumerate(sets):
        for other in range(place):
            same_bundle = texts[place].bundle == texts[other].bundle
            if other in found or (same_bundle and texts[place].question != texts[other].question):
                continue
            if own and len(own & sets[other]) / len(own | sets[other]) >= near:
                found[place] = Copy(other, len(own & sets[other]) / len(own | sets[other]))
                break
    return found


@st.composite
def collections(draw: st.DrawFn) -> list[Text]:
    """Texts that are edits of a few others, so that many pairs lie about the threshold."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    vocabulary = [f"w{i}" for i in range(draw(st.integers(1, 40)))]
    texts: list[Text] = []
    for number in range(draw(st.integers(0, 25))):
        said = (
            words(rng.choice(texts).text)
            if texts and rng.random() < 0.7
            else rng.choices(vocabulary, k=rng.randrange(80))
        )
        for _ in range(rng.randrange(4)):
            if said:
                said[rng.randrange(len(said))] = rng.choice(vocabulary)
        texts.append(Text(number, rng.randrange(8), " ".join(said)))
    return texts


@settings(max_examples=200)
@given(collections(), st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_the_index_misses_no_pair(texts: list[Text], near: float) -> None:
    assert near_copies(texts, near) == plain(texts, near)


def test_grams_depend_on_words_alone() -> None:
    assert grams(codes(words("One, two - three!")), 3).tolist() == grams(codes(["one", "two", "three"]), 3).tolist()
    assert grams(codes(["a", "b"]), 2)[0] != grams(codes(["b", "a"]), 2)[0]
    assert len(grams(codes(["a"]), 2)) == 0


def test_samples_of_one_question_are_compared() -> None:
    text = "The text says that a man and a woman came late and nothing about who led the meeting."
    assert near_copies([Text("q", "b", text), Text("q", "b", text)]) == {1: Copy(0, 1.0)}
    assert near_copies([Text("q", "b", text), Text("r", "b", text)]) == {}
    assert near_copies([Text("q", "b", text), Text("r", "c", text)]) == {1: Copy(0, 1.0)}


def test_a_copy_of_a_copy_is_measured_against_the_one_that_is_kept() -> None:
    one = [f"w{i}" for i in range(100)]
    two = [*one[:50], "x", *one[51:]]  # 5 of 96 grams differ: 91 / 101 = .90
    three = [*two[:20], "y", *two[21:40], "z", *two[41:]]  # two more: 81 / 111 = .73 of one, 86 / ... of two above .8
    texts = [Text(number, number, " ".join(said)) for number, said in enumerate((one, two, three))]
    assert list(near_copies(texts)) == [1]


@pytest.mark.data
def test_quadruples_of_bbq_stay_whole(data_folder: Path) -> None:
    """Every row answered in the same words: only what BBQ itself asks in nearly the same words again is dropped."""
    rows = [row for row in get("bbq").load("train", data_folder) if row.metadata["category"] == "Age"]
    texts = [
        Text(row.id, row.bundle, f"{row.prompt}\n{template(row.answer == row.metadata['unknown'])}") for row in rows
    ]
    found = near_copies(texts)
    assert all(texts[place].bundle != texts[copy.of].bundle for place, copy in found.items())


def template(unknown: bool) -> str:
    return (
        "The text does not say who it was, so it stays open." if unknown else "The text says who it was, so that is it."
    )


@pytest.mark.parametrize("name", ["lab-bias", "lab-bias-vl", "lab-math", "lab-chart"])
def test_what_the_lab_asks_is_no_copy_in_a_bundle(name: str) -> None:
    rows = get(name).load("train", None)
    texts = [Text(row.id, row.bundle or row.id, f"{row.prompt}\n{row.trace}") for row in rows]
    assert all(texts[place].bundle != texts[copy.of].bundle for place, copy in near_copies(texts).items())
