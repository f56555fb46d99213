"""A question that declares its answer is found, and no question of a training split is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_answers import PHONE

from fairreason.benchmarks import get
from fairreason.benchmarks.base import answer_text
from fairreason.traces.leak import leak


@pytest.mark.parametrize("name", ["lab-bias", "lab-bias-vl", "lab-math", "lab-chart"])
def test_no_question_of_the_lab(name: str) -> None:
    benchmark = get(name)
    assert [row.id for row in benchmark.load("train", None) if leak(benchmark, row)] == []


@pytest.mark.data
@pytest.mark.parametrize("name", ["bbq", "gsm8k", "math500", "aime2024", "mathverse-text-only", "mathverse-site"])
def test_no_question_of_real_data(name: str, data_folder: Path) -> None:
    benchmark = get(name)
    found = benchmark.load("train", data_folder)
    assert found
    assert [row.id for row in found if leak(benchmark, row)] == []


@pytest.mark.data
@pytest.mark.parametrize("name", ["bbq", "gsm8k", "math500"])
@pytest.mark.parametrize(
    "form", ["{question}\nThe answer is {answer}.", "{question}\n{answer}", "Answer: {answer}\n{question}"]
)
def test_every_question_that_declares_its_answer(name: str, form: str, data_folder: Path) -> None:
    benchmark = get(name)
    for row in benchmark.load("train", data_folder)[::97]:
        told = replace(row, prompt=form.format(question=row.prompt, answer=answer_text(row)))
        assert leak(benchmark, told), told.prompt


def test_an_empty_box_hides_nothing() -> None:
    bbq = get("bbq")
    told = replace(PHONE, prompt=rf"{PHONE.prompt} Write \boxed{{}}. Answer: {answer_text(PHONE)}")
    assert leak(bbq, told)
    assert leak(bbq, replace(PHONE, prompt=rf"{PHONE.prompt} Write \boxed{{}}.")) is None


def test_the_worked_solution_in_the_question() -> None:
    solution = "First there are 3 eggs in the nest. Then the hen lays 2 more, which makes 3 + 2 eggs."
    asked = replace(
        PHONE, axis="reasoning", options=(), answer="5", solution=solution, prompt="How many eggs are there?"
    )
    gsm8k = get("gsm8k")
    assert leak(gsm8k, asked) is None
    assert leak(gsm8k, replace(asked, prompt=f"Hint: {solution}\nHow many eggs are there?")) == "solution"
