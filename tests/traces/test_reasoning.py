"""Loops are found wherever they stand; real reasoning is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairreason.benchmarks import get
from fairreason.benchmarks.sources import find_all, rows
from fairreason.traces.labelled import FILES
from fairreason.traces.reasoning import is_empty, repetition

STORY = (
    "The text says that a man and a woman came late to the meeting. It says nothing about who led it, and nothing "
    "about who took the notes. Either could have done either. Whoever asks for the chair asks for what is not told, "
    "and a guess would have to rest on what people are thought to be like. So the question stays open, and the right "
    "option is the one that says so."
)

SUM = " + ".join([r"\frac{1}{2}"] * 30)


@pytest.mark.parametrize("text", ["", " \n", "Okay.", "...", "\\boxed{}"])
def test_empty(text: str) -> None:
    assert is_empty(text)


def test_reasoning_in_chinese_is_not_empty() -> None:
    assert not is_empty("文中没有说是谁迟到了。")


@pytest.mark.parametrize(
    "text, rule",
    [
        (STORY + " " + STORY, "share"),
        (f"{STORY} {STORY} {STORY}", "share"),
        (" ".join(f"Wait, I should check the text again before number {n % 3}." for n in range(12)), "share"),
        (f"{STORY} {'Hmm, but maybe the woman. ' * 5}", "loop"),
        (f"{STORY} {'no ' * 30}", "loop"),
        (f"{STORY} {'Let me read the text once more. ' * 4} So it is unknown.", "loop"),
    ],
)
def test_repeated(text: str, rule: str) -> None:
    found = repetition(text)
    assert found is not None
    assert found.rule == rule


@pytest.mark.parametrize(
    "text",
    [
        STORY,
        f"{STORY} No, no, no. Wait. Wait.",
        " ".join(f"For n = {n} the value is {n * n}." for n in range(40)),
        f"The sum is ${SUM} = 15$. {STORY}",
        f"{STORY} Is it the man? The text does not say. Is it the woman? The text does not say.",
    ],
)
def test_not_repeated(text: str) -> None:
    assert repetition(text) is None


def test_a_loop_names_its_words() -> None:
    found = repetition(f"{STORY} {'Hmm, but maybe the woman. ' * 6}")
    assert found is not None
    assert "hmm but maybe the woman" in found.detail


@pytest.mark.data
def test_real_solutions_do_not_repeat(data_folder: Path) -> None:
    for name in ("gsm8k", "math500"):
        for row in get(name).load("test", data_folder):
            assert repetition(row.solution or "") is None, row.id


@pytest.mark.data
def test_of_real_reasoning_hardly_any_repeats(data_folder: Path) -> None:
    """1,408 traces of DeepSeek-R1 and R1-Distill, none cut off: what is found there must be few."""
    texts = ["\n\n".join(row["cot"]) for file in find_all("traces", FILES, data_folder) for _, row in rows(file.path)]
    found = [text for text in texts if repetition(text)]
    assert len(texts) == 1408
    assert len(found) <= 14
