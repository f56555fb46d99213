"""Where reasoning stands: read off replies by hand."""

from __future__ import annotations

import pytest

from fairreason.benchmarks import get
from fairreason.benchmarks.base import answer_text
from fairreason.grading.reasoning import reasoning_of
from fairreason.traces.reasoning import is_empty


@pytest.mark.parametrize(
    "reply, reasoning",
    [
        ("<think>\nThe text says it.\n</think>\n\n\\boxed{B}", "The text says it."),
        ("<think>One.</think> said <think>Two.</think> \\boxed{B}", "One.</think> said <think>Two."),
        ("<think>\n\n</think>\n\nThe text says it, so the answer is \\boxed{B}.", "The text says it"),
        ("The text says it.\n\n**Answer:** B", "The text says it."),
        ("The text says it.\n\n**Final answer:** \\boxed{B}", "The text says it."),
        ("2 + 3 = 5 and 5 + 1 = 6.\n#### 6", "2 + 3 = 5 and 5 + 1 = 6."),
        ("2 + 3 = 5.\n<answer>5</answer>", "2 + 3 = 5."),
        ("The text says it.\nB. The redcap", "The text says it."),
        ("The area is $3 \\cdot 4 = \\boxed{12}$ squares.", "The area is $3 \\cdot 4 ="),
        ("The sum is $5$. The answer is $\\boxed{5}$", "The sum is $5$."),
        ("First \\boxed{A}. But the text says the man: \\boxed{B}", "First \\boxed{A}. But the text says the man"),
        ("\\boxed{B} because the text says that it was the man.", ""),
        ("B", ""),
        ("", ""),
        ("<think>\nIt was the", "It was the"),
        ("<thinking>The text says it.</thinking> B", "The text says it."),
        ("[THINK]The text says it.[/THINK]\\boxed{B}", "The text says it."),
        ("<THINK>It was the", "It was the"),
        ("The text names nobody so that none is known", "The text names nobody so that none is known"),
    ],
)  # fmt: skip
def test_reasoning_of(reply: str, reasoning: str) -> None:
    assert reasoning_of(reply) == reasoning


def test_a_loop_of_small_words_takes_no_time() -> None:
    assert reasoning_of("so " * 200_000 + "much \\boxed{B}").startswith("so so")


@pytest.mark.parametrize("name", ["lab-bias", "lab-bias-vl", "lab-math", "lab-chart"])
def test_the_labs_worked_answers_are_reasoning(name: str) -> None:
    rows = get(name).load("train", None)
    for row in rows:
        assert not is_empty(reasoning_of(f"{row.trace}\n{answer_text(row)}")), row.id


def test_a_bare_answer_has_none() -> None:
    rows = get("lab-bias").load("train", None)
    assert all(is_empty(reasoning_of(answer_text(row))) for row in rows)
