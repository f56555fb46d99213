r"""Where the reasoning of a reply is: its thinking part, or else what it says before its final answer.

    <think>\nThe text says who was late.\n</think>\n\n\boxed{B}     ->  The text says who was late.
    The text says who was late. So the answer is \boxed{B}.       ->  The text says who was late.

The final answer begins where the strict reader finds it (grading/declared.py): the last box or answer tag, else the
last statement ("The answer is B"), else a last line of a few words. What explains an answer behind it is no
reasoning: it was written when the answer stood. A thinking part that never ends is reasoning up to its end.
"""

from __future__ import annotations

import re

from fairreason.grading.declared import THOUGHT, answer_start

LINE_WORDS = 5
"""A last line of at most so many words is the answer alone: `B`, `B. The redcap`, `12 apples`."""
_LEAD_LENGTH = 120
_LEAD = re.compile(
    r"(?:\b(?:so|thus|therefore|hence|then|and|the|my|our|final|correct|right|best|answer|option|choice|is|be)\b"
    r"|[\s:,;]|(?<![\w.,!?)])(?:[*_#(\[]+|\\[\[(]))+\Z",
    re.IGNORECASE,
)
"""What leads up to an answer and says nothing without it: `Therefore, the correct answer is: **`."""
_OPEN_FORMULA = re.compile(r"\$+\s*\Z")


def reasoning_of(text: str) -> str:
    r"""The reasoning of a reply, "" where there is none.

    >>> reasoning_of("<think>\nHe was late.\n</think>\n\n\\boxed{A}"), reasoning_of("The answer is \\boxed{A}.")
    ('He was late.', '')
    >>> reasoning_of("2 + 3 = 5. Therefore, the answer is $\\boxed{5}$."), reasoning_of("It was the man.\nB")
    ('2 + 3 = 5.', 'It was the man.')
    """
    tags = list(THOUGHT.finditer(text))
    closed = next((tag for tag in reversed(tags) if "/" in tag[0]), None)
    if closed:
        inside, visible = text[: closed.start()].strip(), text[closed.end() :]
    else:
        inside, visible = (text[tags[0].start() :], "") if tags else ("", text)
    opened = THOUGHT.match(inside)
    return inside[opened.end() if opened else 0 :].strip() or _before_answer(visible)


def _before_answer(text: str) -> str:
    start = answer_start(text)
    if start is None:
        before, _, last = text.strip().rpartition("\n")
        return before.strip() if len(last.split()) <= LINE_WORDS else text.strip()
    before = text[:start].lstrip()
    if before.count("$") % 2:
        before = _OPEN_FORMULA.sub("", before)
    return before[:-_LEAD_LENGTH] + _LEAD.sub("", before[-_LEAD_LENGTH:]).rstrip()
