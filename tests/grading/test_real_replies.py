"""The readers on real text: other graders' test cases and models' replies, with every disagreement and its reason.

disagreements.json lists them by case; a test fails when a case joins or leaves the list. The rules are written from the
kinds of reply (the tables in the modules' headers), not from these replies.
"""

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from fairreason.grading.answers import Menu, grade_choice, grade_integer, grade_text, option
from fairreason.grading.declared import declared, final_part
from fairreason.grading.formulas import declared_formula
from fairreason.grading.marks import boxes
from fairreason.grading.maths import compare, grade_math
from fairreason.records import Completion, Example

pytestmark = pytest.mark.data
LISTED = json.loads((Path(__file__).parent / "disagreements.json").read_text())
APART = LISTED["apart: another tool's options"]


def question(answer, *options):
    return Example("q/1", "q", "reasoning", "c", "?", answer, options)


def gold_answer(text):
    """A gold answer as a data set holds it: what its box says, else the text."""
    boxed = boxes(text)
    return boxed[-1] if boxed and boxed[-1] else text


@pytest.fixture(scope="module")
def cases(data_folder):
    return [json.loads(line) for line in (data_folder / "grading_cases" / "cases.jsonl").read_text().splitlines()]


def replies(data_folder, name):
    with gzip.open(data_folder / "model_outputs" / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def test_equivalence_agrees_with_other_graders_tests_but_for_what_is_listed(cases):
    verdicts = [case for case in cases if case["kind"].startswith("equivalence")]
    counted = [case for case in verdicts if str(case["id"]) not in APART]
    grades = {case["id"]: grade_math(question(gold_answer(case["gold"])), Completion(case["pred"])) for case in counted}
    assert not [grade for grade in grades.values() if grade.outcome in ("error", "truncated")]
    differing = {str(c["id"]) for c in counted if (grades[c["id"]].outcome == "correct") != c["expected"]}
    assert differing == set(LISTED["equivalence"])
    assert (len(verdicts), len(counted)) == (267, 253)
    assert 1 - len(differing) / len(counted) >= 0.95


def test_what_stands_apart_tests_an_option_that_is_not_ours(cases):
    def theirs(options):
        return "language" in options or "strict" in options or options.get("precision", 6) != 6

    equivalence = [case for case in cases if case["kind"].startswith("equivalence")]
    assert {str(case["id"]) for case in equivalence if theirs(case["options"])} == set(APART)


def test_extraction_agrees_but_for_what_is_listed(cases):
    menu = Menu({letter: index for index, letter in enumerate("ABCD")}, {})
    differing = set()
    for case in cases:
        if case["kind"] in ("final_answer_extraction", "boxed_extraction"):
            read = declared_formula(case["text"], lambda one, other: bool(compare(one, other).equal)).value
            agrees = read == case["expected"]
        elif case["kind"] == "choice_letter_extraction":
            read = declared(case["pred"], lambda candidate, rule: option(candidate, menu, rule)).value
            agrees = (read == "ABCD".index(case["gold"].strip("(")[0])) == case["expected"]
            assert agrees or read is None  # never another letter
        else:
            continue
        if not agrees:
            differing.add(str(case["id"]))
    assert differing == set(LISTED["extraction"])


def test_nothing_raises(cases):
    for case in cases:
        for text in (case.get("text", case.get("pred")), case.get("gold", "")):
            assert grade_math(question("5"), Completion(text)).outcome in ("correct", "wrong", "unparsed")
            assert grade_integer(question("5"), Completion(text)).outcome in ("correct", "wrong", "unparsed")
            assert grade_text(question("5"), Completion(text)).outcome in ("correct", "wrong", "unparsed")
            assert grade_choice(question(0, "5", "6"), Completion(text)).outcome in ("correct", "wrong", "unparsed")
            assert grade_math(question(text), Completion(r"\boxed{5}")).outcome in ("correct", "wrong")


def test_bbq_replies_are_read_as_their_answer_tag_says(data_folder):
    """Qwen2.5-3B on BBQ; the options stand in the prompt as (a), (b), (c), the answer in <answer>(c)</answer>."""
    counts = Counter()
    for row in replies(data_folder, "fair_rlvr_qwen2.5-3b_baseline_model"):
        options = re.findall(r"^\([abc]\) (.*)$", row["prompt"], re.MULTILINE)
        tag = re.search(r"<answer>\s*\(?([abc])\b", row["model_output"])
        menu = Menu(dict(zip("ABC", range(3), strict=True)), {text.casefold(): i for i, text in enumerate(options)})
        text = final_part(row["model_output"])
        read = None if text is None else declared(text, lambda c, rule, menu=menu: option(c, menu, rule)).value
        assert read == ("abc".index(tag[1]) if tag else None)
        counts["read" if tag else "no tag"] += 1
    assert counts == {"read": 2629, "no tag": 19}


def test_deepseeks_replies_are_read_as_their_publishers_recorded(data_folder):
    """DeepSeek-R1 on questions like Gender_identity's: its steps as one reply, `ans1` written as B. The one that is
    read otherwise opens with an option as its answer and calls the other right in the end."""
    counts = Counter()
    with gzip.open(data_folder / "traces" / "deepseek_r1_mbbq_en_gender_identity_judged.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            options = {row[f"ans{i}"].casefold().replace("’", "'"): i for i in range(3)}
            text = re.sub(r"\bans([012])\b", lambda match: "ABC"[int(match[1])], "\n\n".join(row["cot"]))
            menu = Menu(dict(zip("ABC", range(3), strict=True)), options)
            read = declared(text, lambda c, rule, menu=menu: option(c, menu, rule)).value
            counts["none" if read is None else "same" if read == row["cot_answer"] else "other"] += 1
    assert counts == {"same": 516, "none": 27, "other": 1}


def test_math500_replies_of_a_small_model(data_folder):
    rows = replies(data_folder, "math500_qwen2.5_1.5b_20")
    grades = {row["unique_id"]: grade_math(question(row["gold"]), Completion(row["response"])) for row in rows}
    differing = {
        row["unique_id"] for row in rows if (grades[row["unique_id"]].outcome == "correct") != row["correct_theirs"]
    }
    assert differing == set(LISTED["math500_qwen2.5_1.5b_20"])
    assert [id for id, grade in grades.items() if grade.outcome == "unparsed"] == ["test/algebra/634.json"]  # no value


def test_math500_boxed_answers(data_folder):
    """The first 500 are the gold answers rewritten by a program, so all but the ones it broke are right; the others
    are a model's, without a verdict of their own."""
    rows = replies(data_folder, "math500_rasbt_boxed_answers")
    grades = [grade_math(question(row["gold"]), Completion(row["response"])) for row in rows]
    assert Counter(grade.outcome for grade in grades[500:]) == {"correct": 299, "wrong": 201}
    assert {str(i) for i, grade in enumerate(grades[:500]) if grade.outcome != "correct"} == set(
        LISTED["math500_rasbt_boxed_answers"]
    )


def test_gsm8k_replies_agree_with_the_numbers_that_their_authors_read(data_folder):
    """ToRA 70B and 34B; the authors' verdict is whether their number is the gold one. No disagreement; five
    replies that they read as a wrong number declare none: four boxes apart, two joined, a fraction, two without any."""
    rows = replies(data_folder, "tora_gsm8k")
    grades = [grade_integer(question(row["gold"]), Completion(row["response"])) for row in rows]
    theirs = [_number(row["pred_theirs"]) == _number(row["gold"]) for row in rows]
    assert [grade.outcome == "correct" for grade in grades] == theirs
    assert Counter(grade.outcome for grade in grades) == {"correct": 2174, "wrong": 459, "unparsed": 5}


def _number(text):
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None
