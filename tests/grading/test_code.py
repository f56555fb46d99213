"""Grades by tests: right, wrong with its reason, unparsed, truncated, error; and nothing without permission."""

import pytest

from fairreason.benchmarks.base import answer_text
from fairreason.errors import RunError, UsageError
from fairreason.grading import sandbox
from fairreason.grading.code import grade_code
from fairreason.records import Completion, Example

pytestmark = pytest.mark.bwrap
PRELUDE = 'from typing import List\n\n\ndef total(xs: List[int]) -> int:\n    """The sum."""\n'
BODY = "    return sum(xs)\n"
TESTS = (
    "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0, 'empty'\n\ncheck(total)"
)
EXAMPLE = Example(
    "own/1",
    "own",
    "reasoning",
    "own/1",
    "Complete it.",
    PRELUDE + BODY,
    metadata={"form": "code", "entry_point": "total", "prelude": PRELUDE, "tests": TESTS},
)


@pytest.fixture(autouse=True)
def permission(monkeypatch):
    monkeypatch.setenv(sandbox.ALLOWED, "1")


def graded(text: str, finish_reason="stop"):
    grade = grade_code(EXAMPLE, Completion(text, finish_reason))
    return grade.outcome, grade.rule


@pytest.mark.parametrize(
    "reply",
    [
        answer_text(EXAMPLE),
        f"<think>\n```python\ndef total(xs): return 0\n```\n</think>\n\n{answer_text(EXAMPLE)}",
        "```python\ndef total(xs: List[int]) -> int:\n    return sum(xs)\n```",  # List is the question's import
        BODY,
        "def total(xs):\n    return sum(xs)",
        "```python\ntotal = sum\n```",
    ],
)
def test_right(reply):
    assert graded(reply)[0] == "correct"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("pass", "failed assert"),
        ("return xs and 3", "failed assert: empty"),
        ("return missing", "raised NameError: name 'missing' is not defined"),
        ("return (", "raised SyntaxError"),
        ("import os; os._exit(0)", "left before its tests were done (exit code 0)"),
    ],
)
def test_wrong_says_why(body, reason):
    outcome, rule = graded(f"```python\ndef total(xs):\n    {body}\n```")
    assert outcome == "wrong" and rule.startswith("block: ") and reason in rule


def test_what_holds_no_program_and_what_was_cut():
    assert graded("") == ("unparsed", "no program")
    assert graded(f"<think>{answer_text(EXAMPLE)}") == ("unparsed", "thinking not closed")
    assert graded(answer_text(EXAMPLE), "length") == ("truncated", "")
    assert graded(answer_text(EXAMPLE), "error")[0] == "error"
    assert graded("```python\ndef total(xs): return '\0\ud800'\n```")[0] == "wrong"


def test_the_program_that_was_read_stands_in_the_grade():
    assert grade_code(EXAMPLE, Completion(BODY)).answer == BODY
    assert grade_code(EXAMPLE, Completion("I cannot.")).answer is None


def test_a_sandbox_that_fails_is_an_error_not_a_wrong_answer(monkeypatch):
    sandbox.check("own")
    monkeypatch.setattr(sandbox, "_judge", lambda: "raise SystemExit('no judge today')")
    assert graded(BODY) == ("error", "sandbox: no verdict (exit code 1); no judge today")


def test_no_grade_without_permission_or_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.delenv(sandbox.ALLOWED)
    for reply in (BODY, ""):
        with pytest.raises(
            UsageError, match="own: grading runs programs that a model wrote; pass --allow-code-execution"
        ):
            graded(reply)
    monkeypatch.setenv(sandbox.ALLOWED, "1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="bubblewrap"):
        graded(BODY)
