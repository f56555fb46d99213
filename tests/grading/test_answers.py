"""The strict reader, by kinds of reply; and what may never happen: a guess from text that declares nothing."""

import doctest
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairreason.benchmarks.base import answer_text
from fairreason.draws import LETTERS, shown_order
from fairreason.grading import answers, marks, sentences
from fairreason.grading import declared as reader
from fairreason.grading.answers import Menu, grade_choice, grade_integer, grade_text, option
from fairreason.grading.declared import declared, final_part
from fairreason.grading.maths import grade_math
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
        ("The answer is B, because A and C are not right.", 0, "statement"),
        ("My choice is B", 0, "statement"),
        ("I choose B.", 0, "statement"),
        ("He missed the bus. So I would go with B.", 0, "statement"),
        ("I'd go with option (B), since he missed the bus.", 0, "statement"),
        ("We pick **B**", 0, "statement"),
        ("I choose B. The redcap.", 0, "statement"),
        ("I choose A.", 2, "statement"),
        ("B is correct.", 0, "statement"),
        ("A is correct.", 2, "statement"),
        ("A man was late.\nTherefore, (B) is correct.", 0, "statement"),
        ("**B is the correct answer**", 0, "statement"),
        ("The option B is the right one because A man saw him.", 0, "statement"),
        ("Only B is the answer.", 0, "statement"),
        ("Answer: B is correct.", 0, "statement"),
        ("Based on the text, B is correct.", 0, "statement"),
        ("The answer is B or C. B is correct.", 0, "statement"),
        ("B is correct.\n\n\\boxed{B}", 0, "boxed"),
        ('{"answer": "B"}', 0, "json"),
        ('```json\n{\n  "reason": "He {maybe} ran.",\n  "answer": "The redcap"\n}\n```', 0, "json"),
        ('Here it is: {"Final Answer": "b"}', 0, "json"),
        (r"\boxed{\boxed{B}}", 0, "boxed"),
        (r"$\boxed{ \fbox{\boxed{\text{B}}} }$", 0, "boxed"),
        (r"\boxed B", 0, "boxed"),
        (r"The answer is $\boxed B$.", 0, "boxed"),
        (r"I put it into \boxed as asked: \boxed{B}", 0, "boxed"),
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
        ("x" * 1_000_001 + r"\boxed{B}", "more than 1,000,000 characters"),
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
        ("The answer is A, but B is also right", reader.NO_ANSWER),
        ("The answer is A. B is also right. That is all.", reader.NO_ANSWER),
        ("Answer: A, though B could also be right.", reader.NO_ANSWER),
        ("The answer is A, and so is B.", reader.NO_ANSWER),
        ("The answer is A, but also B.", reader.NO_ANSWER),
        ("A man is correct.", reader.NO_ANSWER),
        ("A is a man.", reader.NO_ANSWER),
        ("I choose A man.", reader.NO_ANSWER),
        ("I think B is correct.", reader.NO_ANSWER),
        ("If B is correct, he was late.", reader.NO_ANSWER),
        ("Is B correct?", reader.NO_ANSWER),
        ("B is correct?", reader.NO_ANSWER),
        ("B is not correct.", reader.NO_ANSWER),
        ("It is open whether\nB is correct.", reader.NO_ANSWER),
        ("The man said: B is correct.", reader.NO_ANSWER),
        ("According to him, B is correct.", reader.NO_ANSWER),
        ("B is correctly named.", reader.NO_ANSWER),
        ("B is correct. But he may not have been late.", reader.NO_ANSWER),
        ("B or C is correct.", reader.NO_ANSWER),
        ("B and C are correct.", reader.NO_ANSWER),
        ("Neither A nor B is correct.", reader.NO_ANSWER),
        ("B is also correct.", reader.NO_ANSWER),
        ("B is correct, but C is also correct.", reader.NO_ANSWER),
        ("B is correct because C is also right.", reader.NO_ANSWER),
        ("I would not choose B.", reader.NO_ANSWER),
        ("I would go with B or C.", reader.NO_ANSWER),
        ("I choose D.", reader.NO_ANSWER),
        ("I choose B. The bluecap.", reader.NO_ANSWER),  # its letter is C
        ("I choose B. I choose C.", reader.NO_ANSWER),
        ("A is correct. B is correct.", reader.TWO_ANSWERS),
        ("I choose A. Wait.\nB is correct.", reader.TWO_ANSWERS),
        ("The answer is A. B is correct.", reader.TWO_ANSWERS),
        ("The answer is A. Wait, no.\nB is correct.", reader.TWO_ANSWERS),
        ('{"answer": "A"}\n{"answer": "B"}', reader.TWO_ANSWERS),
        ('{"answer": "A", "answer": "B"}', reader.TWO_ANSWERS),
        ('{"answer": ["B"]}', reader.UNREADABLE),
        ('{"answer": "B or C"}', reader.UNREADABLE),
        ('{"answer": true}', reader.UNREADABLE),
        ('{"answer": "B"', reader.NO_ANSWER),
        ('{"question": "B"}', reader.NO_ANSWER),
        (r"\boxed{A}. So B is correct.", reader.TWO_ANSWERS),
        (r"\boxed{\boxed{A}, \boxed{B}}", reader.UNREADABLE),
        (r"\boxed A person", reader.UNREADABLE),
        (r"\boxed AB", reader.NO_ANSWER),
        ("\\boxed A\n\\boxed B", reader.TWO_ANSWERS),
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
        (r"\boxed{\boxed{12}}", "12"),
        (r"\boxed 7", "7"),
        ('{"answer": 12}', "12"),
        ('{"answer": "12 apples"}', "12"),
        ("#### 12", "12"),
        ("The answer is $12.", "12"),
        ("The answer is 12 apples.", "12"),
        ("7+5=12.\n12", "12"),
        ("12.", "12"),
        ("The answer is:\n\n- 12 apples", "12"),
        ("The answer is:\n-3", "-3"),
        ("The answer should be 3 digits long.", None),
        ("The answer must be a number.\n12", "12"),
        ("The answer is 7 + 5 = 12", None),
        ("The answer is 12 or 13", None),
        ("So there are 12 apples left.", None),
        (r"\boxed{\frac{1}{2}}", None),
        (r"\boxed{7+5}", None),
        (r"\boxed{11} so \boxed{12}", None),
        (r"\boxed{11}, \boxed{12}", None),
        (r"\boxed{1, 2}", None),
        (r"\boxed 12", None),  # LaTeX would box the 1
        ("\\boxed 12\n12", None),
        (r"\boxed 7/2", None),
        (r"\boxed -3", None),
        ('{"answer": "7 + 5"}', None),
        ("I choose 12.", None),
        ("Answer: 11. Answer: 12", None),
        ("11\n12", None),
    ],
)
def test_what_declares_a_number(text, answer):
    grade = grade_integer(SUM, Completion(text))
    assert grade.answer == answer
    assert grade.outcome == ("unparsed" if answer is None else "correct" if answer == "12" else "wrong")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("#### 12", "correct"),
        ("7 + 5\n#### 12\n", "correct"),
        ("7 + 5\n####\n12", "correct"),
        ("#### $12\n\nI hope that this helps!", "correct"),
        ("#### **12**\n\nDone.", "correct"),
        ("#### 12 apples", "correct"),
        ("#### 12\n#### 13", "unparsed"),
        ("#### 1. Count\n7\n#### 2. Add\n\\boxed{12}", "correct"),
        ("#### 1) Count\n7\n#### 2) Add\n\n#### 12", "correct"),
        ("#### 7 boxes\nEach has one.\n\nThe answer is 12.", "correct"),
        ("#### Step 1: count\nThere are 7.\n\nThe final answer is $\\boxed{12}$.", "correct"),
        ("#### 12 boxes\nEach has four.", "unparsed"),
        ("#### 1.\nThere are 7 and 5.", "unparsed"),
        ("#### 1. Count the apples\n7 + 5 = 12\n\nSo there are more apples.", "unparsed"),
    ],
)
def test_hashes_mark_an_answer_or_open_a_heading(text, outcome):
    assert grade_integer(SUM, Completion(text)).outcome == grade_math(SUM, Completion(text)).outcome == outcome


def test_a_heading_of_an_option_chooses_none():
    listed = "#### A. Can't be determined\nNo.\n#### B. The redcap\nYes.\n#### C. The bluecap\nNo.\n\n"
    assert read(listed + r"\boxed{B}") == (0, "boxed") and read(listed + "Answer: B") == (0, "statement")
    assert read(listed + "So it is the second.").value is None and read("#### B") == (0, "statement")


def test_texts_are_compared_without_case_and_edge_punctuation():
    capital = Example("q/3", "q", "reasoning", "c", "Capital of France?", "Paris")
    for text in (
        "paris",
        "Answer: Paris.",
        r"\boxed{\text{Paris}}",
        "**Paris**",
        r"The answer is clear: \boxed{Paris}",
        "The answer is **Paris**.",
        'The answer is "Paris".',
        "`Paris`.",
        r"The answer is $\text{Paris}$.",
        "“Paris.”",
    ):
        assert grade_text(capital, Completion(text)).outcome == "correct"
    assert grade_text(capital, Completion("Rome")).outcome == "wrong"
    assert grade_text(SUM, Completion(r"\boxed{12.0}")).outcome == "correct"  # a number is compared as one


def test_only_what_follows_the_last_end_of_thinking_is_read():
    gold = LETTERS[shown_order(CHOICE).index(2)]
    other = LETTERS[shown_order(CHOICE).index(0)]
    assert grade_choice(CHOICE, Completion(rf"<think>\boxed{{{other}}}</think> \boxed{{{gold}}}")).outcome == "correct"
    assert grade_choice(CHOICE, Completion(rf"x</think>\boxed{{{other}}}</think>\boxed{{{gold}}}")).outcome == "correct"
    for text in (
        rf"<think>\boxed{{{gold}}}",
        rf"\boxed{{{gold}}}</think>",
        rf"<think></think><think>\boxed{{{gold}}}",
        rf"<thinking>x</thinking><Thinking>\boxed{{{gold}}}",
    ):
        grade = grade_choice(CHOICE, Completion(text))
        assert (grade.outcome, grade.choice) == ("unparsed", None)
    assert final_part("<think>never closed") is None


@pytest.mark.parametrize("end", ["<|im_end|>", "</s>", "<|endoftext|>", "<end_of_turn>\n", "<|im_end|>\n<|endoftext|>"])
def test_what_ends_a_turn_is_no_part_of_the_answer(end):
    gold = LETTERS[shown_order(CHOICE).index(2)]
    for reply in (gold, f"<think>B?</think>\n\n{gold}", rf"\boxed{{{gold}}}", f"The answer is {gold}.", OPTIONS[2]):
        assert grade_choice(CHOICE, Completion(f"{reply} {end}")).outcome == "correct"
    assert grade_integer(SUM, Completion(f"12{end}")).outcome == "correct"
    assert grade_choice(CHOICE, Completion(f"{gold}{end}and more")).outcome == "unparsed"
    assert final_part("1 < 2") == "1 < 2"


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
        "<|im_end|>" * 100_000,
        " \n" * 400_000 + "</s>",
        r"\boxed{" * 100_000 + "}" * 100_000,
        r"\boxed " * 100_000 + "B",
        '{"answer": ' * 90_000,
        '{"answer": ' + "[" * 900_000 + "}",
        '{"answer": "B", ' + '"\\"{' * 200_000 + "}",
        "B is correct. " * 70_000,
        "I choose B" + " " * 900_000,
        "." + " " * 900_000 + "B is",
        "The answer is A, but B is" + " also" * 190_000,
        "A. x\n" * 200_000,
        "answer must be" + " " * 900_000 + "A",
        "answer:\n- " * 100_000,
        "answer:\nA. x\nB. y\n" * 50_000,
        "# answer\nA. Can't be determined\nx\nB. y\n" * 25_000,
        "answer:\nA. x" + " \n" * 400_000,
        "The answer is A. " + "It could be B. " * 60_000,
        "The answer is A, " + "i.e. " * 180_000,
        r"\boxed{A}" + "\n}" * 400_000,
        "<think>" * 140_000,
        r"\boxed{" + "( " * 400_000 + "}",
        r"\boxed{\text{(" + "\t" * 800_000 + "}}",
        "#### " * 200_000,
        "####" + "9" * 100 + "\n#### x" * 150_000,
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

    for module in (answers, reader, marks, sentences, base, bbq_families):
        found = doctest.testmod(module)
        assert found.attempted and not found.failed
