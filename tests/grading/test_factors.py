"""What stands at a number and makes it another one, in both readers of numbers; beside it what only counts things."""

import doctest

import pytest

from fairreason.grading import factors
from fairreason.grading.answers import grade_integer
from fairreason.grading.marks import marked
from fairreason.grading.maths import grade_math
from fairreason.records import Completion, Example

NUMBER = Example("q/n", "q", "reasoning", "c", "How many?", "12")


def outcomes(text):
    return {grade(NUMBER, Completion(text)).outcome for grade in (grade_integer, grade_math)}


@pytest.mark.parametrize(
    "words",
    [
        "squared", "cubed", "factorial", "halves", "half", "thirds", "tenths", "thirds of it", "and a half",
        "and three quarters", "quarters of the cake", "minus three", "plus the rest", "divided by four", "times three",
        "over five", "root three", "point five", "more than x", "thousand", "lakh", "crore", "万", "亿元", "千", "k",
        "B", "x", "pi", "π", "½", "²", "× 3", "bn dollars",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form", [r"\boxed{12 WORDS}", r"\boxed{12} WORDS", "$\\boxed{12}$ WORDS.", "The answer is 12 WORDS"]
)
def test_what_calculates_behind_a_number_is_no_unit(form, words):
    assert "correct" not in outcomes(form.replace("WORDS", words))


@pytest.mark.parametrize("letters", ["½", "²", "π", "x", "n", "B", "T", "k", "万", "pi", "√3"])
@pytest.mark.parametrize("form", [r"\boxed{12LETTERS}", r"\boxed{12}LETTERS", "The answer is 12LETTERS."])
def test_what_touches_a_number_is_a_part_of_it(form, letters):
    assert "correct" not in outcomes(form.replace("LETTERS", letters))


@pytest.mark.parametrize(
    "words",
    [
        "apples", "pairs", "quarters", "seconds", "m", "g", "cm", "times", "times as many", "percent", "third graders",
        "more than Bob", "to two friends", "half-full jars", "over the limit", "a day", "units", "plusses", "pies",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form", [r"\boxed{12\text{ WORDS}}", r"\boxed{12} WORDS", "$\\boxed{12}$ WORDS.", "The answer is 12 WORDS."]
)
def test_what_only_counts_is_a_unit(form, words):
    assert outcomes(form.replace("WORDS", words)) == {"correct"}


def test_letters_that_open_a_word_or_a_name_are_no_variables():
    for text in (
        r"Mary got $\boxed{12}$ M&Ms.",
        r"\boxed{12} B vitamins",
        r"\boxed{12} o'clock",
        r"\boxed{12} K-pop songs",
    ):
        assert outcomes(text) == {"correct"}
    assert grade_integer(NUMBER, Completion("The answer is 12 p.m.")).outcome == "correct"


@pytest.mark.parametrize(
    "text",
    [
        r"$-\boxed{12}$", r"$x = - \boxed{12}$", r"The answer is -\boxed{12}.", r"$\pm\boxed{12}$", r"3\boxed{12}",
        r"\frac{\boxed{12}}{5}", r"\frac{5}{\boxed{12}}", r"\sqrt{\boxed{12}}", r"\boxed{12}.5", r"\boxed{12},000",
        r"\boxed{12}:5", r"\boxed{12}/5", r"\boxed{12}/\sqrt2", r"\boxed{12}^2", r"\boxed{12}^{10}", r"\boxed{12}\pi",
        r"\boxed{12}\sqrt{3}", r"\boxed{12}\,\frac{1}{2}", r"\boxed{12} \times 10^3", r"\boxed{12}\cdot 5",
        r"\boxed{12} \pm 1", r"\boxed{12} - 3", r"\boxed{12}-15", r"\boxed{12}+3", r"\boxed{12} + C", r"\boxed{12}*3",
        r"$-\boxed 2$", r"\dfrac{5x}{\boxed{12}}",
    ],
)  # fmt: skip
def test_a_box_that_is_a_part_of_a_formula_is_unreadable(text):
    assert outcomes(text) == {"unparsed"}


@pytest.mark.parametrize(
    "text",
    [
        "So:\n- \\boxed{12}\n- 3 are left", r"Answer:-\boxed{12}", r"**\boxed{12}**", r"$3 \cdot 4 = \boxed{12}$",
        r"\begin{align*}x &= 3 \cdot 4 \\ &= \boxed{12}\end{align*}", r"\boxed{12}^\circ", r"\boxed{12}^{\text{th}}",
        r"\boxed{12}\%", r"\boxed{12}\text{ cm}^2", r"\$\boxed{12}", r"$x \equiv \boxed{12} \pmod{17}$", r"\boxed{12}!",
        r"\boxed{12} = 3 \cdot 4", "\\boxed{12}\n\nPlus, it is even.", "\\boxed{12}\n- 3 are left",
        r"\textcolor{red}{\boxed{12}}", r"$\color{blue}{\boxed{12}}$", r"\fcolorbox{red}{white}{\boxed{12}}",
        r"\begin{array}{c}{\boxed{12}}\end{array}", r"\text{\boxed{12}}", r"答案是\boxed{12}个苹果。",
    ],
)  # fmt: skip
def test_a_box_that_stands_alone_is_read(text):
    assert outcomes(text) == {"correct"}


@pytest.mark.parametrize("box", ["B", r"\text{B}", "(B)", "B. The son", "The son"])
@pytest.mark.parametrize(
    "form", [r"\color{blue}{\boxed{%s}}", r"\boxed{%s} - 1 of 3", r"\boxed{%s} minus the rest", r"-\boxed{%s}"]
)
def test_a_number_beside_an_option_changes_nothing(form, box):
    assert marked(form % box) == [(box, "boxed")]


def test_scales_are_numbers_in_mathematics():
    for text, value in (
        (r"\boxed{12}\text{ lakh}", "1200000"),
        ("The answer is 1.5 crore.", "15000000"),
        (r"\boxed{12万}", "120000"),
    ):
        assert grade_math(Example("q/n", "q", "reasoning", "c", "?", value), Completion(text)).outcome == "correct"


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(factors)
    assert found.attempted and not found.failed
