"""Answers that are LaTeX: which rule decides, what is the same value, and that nothing hangs or raises."""

import threading
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairreason.grading import maths
from fairreason.grading.maths import compare, grade_math, number
from fairreason.grading.worker import Worker
from fairreason.records import Completion, Example


def question(answer):
    return Example("q/1", "q", "reasoning", "c", "?", answer)


@pytest.mark.parametrize(
    ("gold", "answer", "rule"),
    [
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3, \dfrac{\pi}{2})", "same text"),
        (r"10,\!080", "10 080", "same text"),
        (r"\$36", "36", "same text"),
        ("2516_8", "2516", "same text"),
        ("10", r"10\%", "same text"),
        (r"\text{east}", "East", "words"),
        (r"\text{(C)}", "C", "words"),
        (r"\text{(C)}", r"\textbf{(C)}\ 12", "words"),
        ("5", "5.0", "number"),
        (r"1\frac{4}{5}", "9/5", "number"),
        (r"\frac{1}{3}", "0.333333", "number"),
        ("073", "73", "number"),
        ("p - q", "-q + p", "math-verify"),
        ("x=5", "5", "math-verify"),
        ("5", "x = 5", "math-verify"),
        ("y = 2x + 3", "2x+3", "math-verify"),
        ("30", r"\theta = 30^\circ", "math-verify"),
        ("1,-2", "-2, 1", "math-verify"),
        ("3,-2", r"x = 3 \text{ or } x = -2", "math-verify"),
        (r"1 \pm \sqrt{19}", r"1-\sqrt{19}, 1+\sqrt{19}", "math-verify"),
        ("(3,4]", r"3 < x \le 4", "math-verify"),
        (r"(2,12) \cup (12,102)", r"(2, 102) \setminus \{12\}", "math-verify"),
        (r"\cot x", r"\frac{\cos x}{\sin x}", "math-verify"),
        (
            r"\begin{pmatrix} -1/3 \\ 2/3 \end{pmatrix}",
            r"\begin{bmatrix} -\frac13 \\ \frac23 \end{bmatrix}",
            "math-verify",
        ),
        ("5x - 7y + 4 = 0", "10x - 14y + 8 = 0", "math-verify"),
        (r"3\sqrt{13}", r"\sqrt{117}", "math-verify"),
    ],
)
def test_the_same_value_and_the_rule_that_says_so(gold, answer, rule):
    assert compare(gold, answer) == (True, rule)


@pytest.mark.parametrize(
    ("gold", "answer", "rule"),
    [
        (r"12\text{ cm}", r"12\text{ m}", "units differ"),
        (r"\$18.90", r"18.90\text{ cents}", "units differ"),
        ("2516_8", "2516_9", "units differ"),
        (r"864 \mbox{ inches}^2", r"864\text{ inches}", "units differ"),
        (r"\text{even}", "odd", "words"),
        (r"\text{three}", "3", "words"),
        ("0.5", r"50\%", "number"),
        (r"\frac{1}{3}", "0.33", "number"),
        (".0000672", "0.000067", "number"),  # decimals are compared exactly
        (r"\frac{11}{2}", r"11\sqrt2", "math-verify"),
        (r"3\sqrt{13}", "313", "math-verify"),  # what a grader that drops the LaTeX takes for equal
        ("6 - 5i", "5", "math-verify"),
        ("(1,2)", "(2,1)", "math-verify"),
        ("(3,4]", "(3,4)", "math-verify"),
        ("x=5", "y=5", "math-verify"),
        ("5m", "5", "math-verify"),  # a variable
        ("1", "32, 1", "math-verify"),
    ],
)
def test_another_value_and_the_rule_that_says_so(gold, answer, rule):
    assert compare(gold, answer) == (False, rule)


def test_numbers():
    assert [number(text) for text in (".5", "0.5", "1/2", r"\frac12", r"\frac{1}{2}", r"\frac 1 2")] == [0.5] * 6
    assert number(r"-1\frac{4}{5}") == -Fraction(9, 5) and number("1 4/5") == Fraction(9, 5)
    assert [number(text) for text in ("", "x", "1/0", r"\frac{1}{0}", "1/2/3", "--1", "9" * 50, "1.2.3")] == [None] * 8


@pytest.mark.parametrize(
    ("text", "outcome", "answer", "rule"),
    [
        (r"So it is \boxed{\frac12}.", "correct", r"\frac12", "boxed/number"),
        (r"\boxed{0.5} = \boxed{\frac{1}{2}}", "correct", "0.5", "boxed/same text"),  # two ways to say one answer
        (r"\boxed{0.5} or \boxed{2}", "unparsed", None, "two different answers"),
        (r"\boxed{2}", "wrong", "2", "boxed/number"),
        (r"The answer is $\frac{2}{4}$.", "correct", r"\frac{2}{4}", "statement/number"),
        (r"<think>\boxed{0.5}</think> \boxed{2}", "wrong", "2", "boxed/number"),
        (r"<think>\boxed{2}</think> \boxed{.5}", "correct", ".5", "boxed/number"),
        (r"<think>\boxed{0.5}", "unparsed", None, "thinking not closed"),
        (r"\boxed{\sin \frac{\pi}{6}}", "correct", r"\sin \frac{\pi}{6}", "boxed/math-verify"),
    ],
)
def test_a_reply_is_graded_with_the_rule_that_decided(text, outcome, answer, rule):
    grade = grade_math(question("0.5"), Completion(text))
    assert (grade.outcome, grade.answer) == (outcome, answer)
    assert grade.rule == rule or (rule, grade.rule) == ("boxed/same text", "boxed/same text")


def test_a_cut_or_failed_answer_is_never_read():
    assert grade_math(question("5"), Completion(r"\boxed{5}", "length")).outcome == "truncated"
    assert grade_math(question("5"), Completion(r"\boxed{5}", "error")).outcome == "error"


def test_what_takes_too_long_or_too_much_is_a_counted_error(monkeypatch):
    monkeypatch.setattr(maths, "_WORKER", Worker("fairreason.grading.equivalence:same_value", 0.5, 1024))
    maths._compare.cache_clear()
    grade = grade_math(question("1"), Completion(r"\boxed{9^{9^{9^9}}}"))
    assert (grade.outcome, grade.answer, grade.rule) == ("error", "9^{9^{9^9}}", "boxed/math-verify: over 0.5 s")
    both = grade_math(question("1"), Completion(r"\boxed{9^{9^{9^9}}} so \boxed{9^{9^{9^8}}}"))
    assert (both.outcome, both.rule) == ("error", "math-verify: over 0.5 s")
    assert grade_math(question("2"), Completion(r"\boxed{\sqrt{4}}")).outcome == "correct"  # the next is served
    maths._compare.cache_clear()


def test_more_forms_of_one_answer_than_anyone_writes_are_none():
    forms = " ".join(rf"\boxed{{\sqrt{{{n * n}}}/{n}}}" for n in range(1, 40))
    assert grade_math(question("1"), Completion(forms)).outcome == "unparsed"


def test_it_grades_off_the_main_thread():
    grades = []
    thread = threading.Thread(
        target=lambda: grades.append(grade_math(question("2"), Completion(r"\boxed{\sqrt[3]{8}}")))
    )
    thread.start()
    thread.join()
    assert grades[0].outcome == "correct" and grades[0].rule == "boxed/math-verify"


@settings(max_examples=60)
@given(st.text() | st.text(r"\{}()[]$^_,.=+-/0123x ", max_size=40).map(lambda inner: rf"\boxed{{{inner}}}"))
def test_any_text_is_graded_without_an_exception(text):
    grade = grade_math(question("12"), Completion(text))
    assert grade.outcome in ("correct", "wrong", "unparsed") or "over 3 s" in grade.rule


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{A}" + " " * 200_000 + r"\boxed{B}",
        r"\boxed{" * 100_000,
        r"\boxed{" + "{" * 100_000 + "}" * 100_001,
        r"\boxed{" + " " * 500_000 + "}",
        r"\boxed{" + r"\text{" * 100_000,
        "answer" + " " * 200_000,
        "answer: " * 50_000,
        r"answer: \[" * 50_000,
        "answer: $$ " * 50_000,
        r"\[" * 200_000,
        r"\( $ " * 100_000,
        "$" * 500_000,
        "is $1" * 100_000,
        "Therefore " + "is " * 200_000,
        "so " * 200_000 + "= ",
        "1,234" * 100_000,
        "9" * 500_000,
        "9\n" * 200_000,
        " \n" * 200_000,
        "<answer>" * 50_000,
        "".join(f"answer: {n:x} " + "word " * 390 + "= =\n" for n in range(500)),
        "so " + "we add " * 270 + "$12$",
        r"\boxed{1} half" + " " * 900_000 + "x",
        r"-\boxed{1} " * 90_000,
        "\0" * 500_000,
        "x" * 50_000_000,
    ],
)
def test_hostile_text_takes_no_time(text):
    start = time.process_time()
    grade_math(question(r"\frac{\sqrt{3}}{2}"), Completion(text))
    assert time.process_time() - start < 10  # seconds of a slow machine; a quadratic reader takes minutes
