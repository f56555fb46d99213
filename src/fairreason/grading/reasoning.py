r"""Where a reply reasons: its thinking part, or, where it has none, what stands before its final answer."""

from __future__ import annotations

import re

_FINAL = re.compile(
    r"\\f?box(?:ed)?\s*\{|<answer>|####|答案|\b(?:answer|option|choice)[*_]*\s*(?:is\b|[:=：])", re.IGNORECASE
)
"""What declares a final answer; grading/declared.py reads what follows it."""
_SENTENCE = re.compile(r"\n|[.!?。]\s")


def reasoning_of(text: str) -> str:
    r"""The reasoning of a reply without tags and without the final answer; "" where there is none, or where a thinking
    part never ends.

    >>> reasoning_of("<think>\n1 + 1 is 2.\n</think>\n\n\\boxed{2}"), reasoning_of("1 + 1 is 2. So the answer is 2.")
    ('1 + 1 is 2.', '1 + 1 is 2.')
    >>> reasoning_of("<think>1 + 1 is"), reasoning_of("B"), reasoning_of("The text does not say.\nB")
    ('', '', 'The text does not say.')
    """
    thought, closed, final = text.rpartition("</think>")
    thinking = thought.strip().removeprefix("<think>").strip() if closed else ""
    return thinking or ("" if "<think>" in final else _before_the_answer(final.strip()))


def _before_the_answer(final: str) -> str:
    """What stands before the sentence that declares the answer; without such a one, before the last line."""
    marks = [match.start() for match in _FINAL.finditer(final)]
    if not marks:
        return final.rpartition("\n")[0].strip()
    starts = [match.end() for match in _SENTENCE.finditer(final, 0, marks[-1])]
    return final[: starts[-1]].strip() if starts else ""
