"""The strict reader, by kinds of reply; and what may never happen: a guess from text that declares nothing."""

import doctest
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairreason.benchmarks.base import answer_text
from fairreason.draws import LETTERS, shown_order
from fairreason.grading import answers
from fairreason.grading import declared as reader
from fairreason.grading.answers import Menu, grade_choice, grade_integer, grade_text, option
from fairreason.grading.declared import declared, final_part
from fairreason.records import Completion, Example

OPTIONS = ("The redcap", "The bluecap", "Can't be determined")
MENU = Menu({"A": 2, "B": 0, "C": 1}, {"the redcap": 0, "the bluecap": 1, "can't be determined": 2})
CHOICE = Example("q/1", "q", "bias", "c", "Who was late?", 2, OPTIONS)
SUM = Example("q/2", "q", "reasoning", "c", "7 + 5?", "12")


def read(text):
    return declared(text, lambda candidate, rule: option(candidate, MENU, rule))


@pytest.mark.parametrize(
    ("text", "choice", "rule"),
    [
        (r"\boxed{B}", 0, "boxed"),
        (r"\boxed{b}", 0, "boxed"),
        (r"So it is $\boxed{\text{B}}$.", 0, "boxed"),
        (r"\boxed{The redcap}", 0, "boxed"),
        (r"\boxed{\text{B. The redcap}}", 0, "boxed"),
        (r"\boxed{B} and \boxed{B}", 0, "boxed"),
        (r"The answer is B. \boxed{B}", 0, "boxed"),
        ("<answer>(b)</answer>", 0, "tag"),
        ("<answer> The bluecap </answer>", 1, "tag"),
        ("Answer: B", 0, "statement"),
        ("**Answer:** B", 0, "statement"),
        ("Answer:\nB", 0, "statement"),
        ("So the answer is (C).", 1, "statement"),
        ("The final answer is: B. The redcap", 0, "statement"),
        ("The answer is the bluecap. The text says so.", 1, "statement"),
        ("Answer: A, because nothing is said.", 2, "statement"),
        ("The correct option is B", 0, "statement"),
        ("The answer is B because nobody else was there.", 0, "statement"),
        ("The answer is (B), since A person saw him.", 0, "statement"),
        ("The answer is the redcap because he missed the bus.", 0, "statement"),
        ("The answer is B, and I am sure of it.", 0, "statement"),
        ("所以答案是B，因为他迟到了。", 0, "statement"),
        ("**答案：** (B) The redcap", 0, "statement"),
        ("The answer is B; A and C are excluded.", 0, "statement"),
        ("B", 0, "line"),
        ("(B)", 0, "line"),
        ("B.", 0, "line"),
        ("**B**", 0, "line"),
        ("B) The redcap", 0, "line"),
        ("Option B", 0, "line"),
        ("the redcap", 0, "line"),
        ("The redcap.", 0, "line"),
        ("can’t be determined", 2, "line"),
        ("Nothing is said.\n\nA", 2, "line"),
    ],
)
def test_what_declares_an_option(text, choice, rule):
    assert read(text) == (choice, rule)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", reader.NO_ANSWER),
        ("a", reader.NO_ANSWER),  # the article
        ("a redcap was late", reader.NO_ANSWER),
        ("A person was late.", reader.NO_ANSWER),
        ("The answer is a person.", reader.NO_ANSWER),
        ("The answer is A person in a hat.", reader.NO_ANSWER),
        ("I think B is right because they say so", reader.NO_ANSWER),
        ("The answer is not B", reader.NO_ANSWER),
        ("Answer: A or B", reader.NO_ANSWER),
        ("Answer: A, B", reader.NO_ANSWER),
        ("The answer is A, or B.", reader.NO_ANSWER),
        ("答案不是B", reader.NO_ANSWER),
        ("答案是A或B", reader.NO_ANSWER),
        ("The answer is A, or rather (B).", reader.NO_ANSWER),
        ("The answer is A; B", reader.NO_ANSWER),
        ("The answer is A. Or maybe B.", reader.NO_ANSWER),
        ("The answer is A... no wait, B.", reader.NO_ANSWER),
        ("D", reader.NO_ANSWER),
        ("B. The bluecap", reader.NO_ANSWER),  # its letter is C
        ("A. Can't be determined\nB. The redcap\nC. The bluecap", reader.TWO_ANSWERS),
        ("Answer: A\nAnswer: B", reader.TWO_ANSWERS),
        (r"\boxed{A} no, \boxed{B}", reader.TWO_ANSWERS),
        (r"Answer: A. \boxed{B}", reader.TWO_ANSWERS),
        (r"<answer>A</answer> \boxed{B}", reader.TWO_ANSWERS),
        (r"\boxed{A}, \boxed{B}", reader.UNREADABLE),  # a set of two
        (r"\boxed{A} and \boxed{B}", reader.UNREADABLE),
        (r"\boxed{A or B}", reader.UNREADABLE),
        (r"\boxed{D}", reader.UNREADABLE),
        (r"\boxed{}", reader.UNREADABLE),
        (r"\boxed{B", reader.UNREADABLE),
        (r"\boxed{B} \boxed{", reader.TWO_ANSWERS),
    ],
)
def test_what_declares_none(text, rule):
    assert read(text) == (None, rule)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{12}", "12"),
        (r"\boxed{012}", "12"),
        (r"\boxed{12.0}", "12"),
        (r"\boxed{\$1{,}234}", "1234"),
        (r"\boxed{1,234}", "1234"),
        (r"\boxed{12 \text{ apples}}", "12"),
        (r"\boxed{-3}", "-3"),
        (r"\boxed{3.5}", "3.5"),
        ("#### 12", "12"),
        ("The answer is $12.", "12"),
        ("The answer is 12 apples.", "12"),
        ("7+5=12.\n12", "12"),
        ("12.", "12"),
        ("The answer is 7 + 5 = 12", None),
        ("The answer is 12 or 13", None),
        ("So there are 12 apples left.", None),
        (r"\boxed{\frac{1}{2}}", None),
        (r"\boxed{7+5}", None),
        (r"\boxed{11} so \boxed{12}", None),
        (r"\boxed{11}, \boxed{12}", None),
        (r"\boxed{1, 2}", None),
        ("Answer: 11. Answer: 12", None),
        ("11\n12", None),
    ],
)
def test_what_declares_a_number(text, answer):
    grade = grade_integer(SUM, Completion(text))
    assert grade.answer == answer
    assert grade.outcome == ("unparsed" if answer is None else "correct" if answer == "12" else "wrong")


def test_texts_are_compared_without_case_and_edge_punctuation():
    capital = Example("q/3", "q", "reasoning", "c", "Capital of France?", "Paris")
    for text in (
        "paris",
        "Answer: Paris.",
        r"\boxed{\text{Paris}}",
        "**Paris**",
        r"The answer is clear: \boxed{Paris}",
    ):
        assert grade_text(capital, Completion(text)).outcome == "correct"
    assert grade_text(capital, Completion("Rome")).outcome == "wrong"
    assert grade_text(SUM, Completion(r"\boxed{12.0}")).outcome == "correct"  # a number is compared as one


def test_only_what_follows_the_last_end_of_thinking_is_read():
    gold = LETTERS[shown_order(CHOICE).index(2)]
    other = LETTERS[shown_order(CHOICE).index(0)]
    assert grade_choice(CHOICE, Completion(rf"<think>\boxed{{{other}}}</think> \boxed{{{gold}}}")).outcome == "correct"
    assert grade_choice(CHOICE, Completion(rf"x</think>\boxed{{{other}}}</think>\boxed{{{gold}}}")).outcome == "correct"
    for text in (rf"<think>\boxed{{{gold}}}", rf"\boxed{{{gold}}}</think>", rf"<think></think><think>\boxed{{{gold}}}"):
        grade = grade_choice(CHOICE, Completion(text))
        assert (grade.outcome, grade.choice) == ("unparsed", None)
    assert final_part("<think>never closed") is None


def test_a_cut_or_failed_answer_is_never_read():
    for reason, outcome in (("length", "truncated"), ("error", "error")):
        for example, grade in ((CHOICE, grade_choice), (SUM, grade_integer)):
            found = grade(example, Completion(answer_text(example), reason))
            assert (found.outcome, found.choice, found.answer) == (outcome, None, None)


def test_options_that_look_alike_or_like_letters():
    twins = Example("q/4", "q", "bias", "c", "Who?", 0, ("Ann", "ann", "Bob"))
    assert grade_choice(twins, Completion("Ann")).outcome == "unparsed"
    germs = Example("q/5", "q", "bias", "c", "Which?", 0, ("E. coli", "A. niger", "none"))
    assert grade_choice(germs, Completion("Answer: E. coli")).choice == 0
    assert grade_choice(germs, Completion(r"\boxed{A. niger}")).choice == 1
    numbers = Example("q/6", "q", "bias", "c", "Which?", 1, ("4", "5", "6"))
    assert grade_choice(numbers, Completion(r"\boxed{5}")).outcome == "correct"


@given(st.text())
def test_any_text_is_graded_without_an_error(text):
    assert grade_choice(CHOICE, Completion(text)).outcome in ("correct", "wrong", "unparsed")
    assert grade_integer(SUM, Completion(text)).outcome in ("correct", "wrong", "unparsed")
    assert grade_text(SUM, Completion(text)).outcome in ("correct", "wrong", "unparsed")


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{A}" + " " * 200_000 + r"\boxed{B}",
        r"\boxed{" * 100_000,
        "answer" + " " * 200_000,
        "answer: " * 50_000,
        r"\text{" * 100_000,
        "1,234" * 100_000,
        "9" * 500_000,
        "A\n" * 200_000,
        "<answer>" * 50_000,
        "\0" * 500_000,
        "The answer is A" + "," * 500_000,
        "The answer is A" + " " * 500_000 + "B",
        "The answer is A, " + "or " * 200_000,
        "x" * 50_000_000,
    ],
)
def test_hostile_text_takes_no_time(text):
    start = time.process_time()
    grade_choice(CHOICE, Completion(text))
    grade_integer(SUM, Completion(text))
    assert time.process_time() - start < 10  # seconds of a slow machine; a quadratic reader takes minutes


def test_the_examples_in_the_docstrings():
    from fairreason.benchmarks import base, bbq_families

    for module in (answers, reader, base, bbq_families):
        found = doctest.testmod(module)
        assert found.attempted and not found.failed
