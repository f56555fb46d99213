r"""The strict reader: which final answer a reply declares. One reader for evaluation, reward and trace filter.

Only what follows the last `</think>` is read, and a reply whose thinking part never ends has no answer. Four places
count; the first that is there decides:

| rule | what it is |
|---|---|
| `boxed` | `\boxed{B}`, `\boxed{12}`, `\boxed{\text{The redcap}}`; joined by a comma or `and`, boxes are one set |
| `tag` | `<answer>B</answer>`, read as a box |
| `statement` | `Answer: B`, `The answer is (B).`, `**Final answer:** 12`, `#### 12`, `答案是 B。` |
| `line` | a line that is nothing but the answer: `B`, `(B)`, `B.`, `B. The redcap`, `The redcap`, `12` |

Two different final answers are none: they are `unparsed`, as is a box that names no option. A statement beside a box
must agree with it. A lower-case letter counts in a box or in brackets only, so the article "a" is never an option.
Answers that are LaTeX are found in the same places by grading/formulas.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

NO_ANSWER = "no final answer"
TWO_ANSWERS = "two different answers"
UNREADABLE = "a box that is no answer"
OPEN_THINKING = "thinking not closed"

LONGEST = 1_000_000
"""Characters above which a final part is not read: no answer is that long."""
_NEAR = 40

_BOX = re.compile(r"\\f?box(?:ed)?\s*\{")
_TAG = re.compile(r"<answer>(.*?)(?:</answer>?|\Z)", re.IGNORECASE | re.DOTALL)
_UNIT = (
    r"(?:\\(?:text|mbox|textbf|mathrm)\s*\{(?![^{}]*\b(?:and|or)\s*\})[^{}]*\}|(?!(?:and|or|not?|but|is|so)\b)[a-z]+)"
)
_AND = r"(?:and|\\(?:text|mbox|textbf|mathrm)\s*\{[^{}]*\band\s*\})"
_SPACE = r"(?:[\s$&]|\\[,;: ])*"
_JOINT = re.compile(rf"{_SPACE}(?:{_UNIT}{_SPACE})?(?:[,;]|\\q?quad|{_AND})(?:[,;\s$&]|\\[,;: ]|\\q?quad|{_AND})*")
"""What joins two boxes into one set: a comma or `and`, a unit before it (`\\boxed{3} apples and \\boxed{4} pears`)."""
_STATEMENT = re.compile(
    r"(?:\b(?:answer|option|choice)[*_]*\s*(?:is\b[*_]*\s*:?|[:=：])|####|答案[*_]*\s*(?:[是为]\s*[:：]?|[:：]))[*_\s]*",
    re.IGNORECASE,
)


Parse = Callable[[str, str], int | str | None]
"""(candidate, rule) -> the value that it declares, None where it is none."""


class Read(NamedTuple):
    """What a reply declares (None: nothing that counts) and the rule that fired, or why none did."""

    value: int | str | None
    rule: str


def final_part(text: str) -> str | None:
    """What follows the last `</think>`; None when a thinking part stays open.

    >>> final_part("<think>B, surely</think> A"), final_part("<think>B"), final_part("B")
    (' A', None, 'B')
    """
    tail = text[text.rfind("</think>") + len("</think>") :] if "</think>" in text else text
    return None if "<think>" in tail else tail


def declared(text: str, parse: Parse, free: bool = False) -> Read:
    """The one final answer of a final part, as `parse` reads it. Where any text can be one (`free`), words after
    "answer is" need not be, so they are not held against a box."""
    if len(text) > LONGEST:
        return Read(None, NO_ANSWER)
    marks = marked(text)
    stated = [] if marks and free else statements(text)
    said = [value for value in (parse(candidate, "statement") for candidate in stated) if value is not None]
    if marks:
        values = [None if candidate is None else parse(candidate, "boxed") for candidate, _ in marks]
        if len({*values, *said}) > 1:
            return Read(None, TWO_ANSWERS)
        return Read(values[0], UNREADABLE if values[0] is None else marks[0][1])
    if said:
        return Read(None, TWO_ANSWERS) if len(set(said)) > 1 else Read(said[0], "statement")
    lines = {
        value for value in (parse(line, "line") for line in text.splitlines() if line.strip()) if value is not None
    }
    if len(lines) == 1:
        return Read(lines.pop(), "line")
    return Read(None, TWO_ANSWERS if lines else NO_ANSWER)


def marked(text: str) -> list[tuple[str | None, str]]:
    """What stands in boxes and answer tags, each with its rule; None for a box that is never closed."""
    found: list[tuple[str | None, str]] = [(candidate, "boxed") for candidate in boxes(text)]
    return found + [(match[1], "tag") for match in _TAG.finditer(text) if not has_box(match[1])]


def answer_start(text: str) -> int | None:
    """Where the last box or answer tag of a final part opens, else where the last statement begins; None without any.

    >>> answer_start("It is late. The answer is B."), answer_start("late")
    (16, None)
    """
    for pattern in (_BOX, _TAG), (_STATEMENT,):
        found = [match.start() for one in pattern for match in one.finditer(text)]
        if found:
            return max(found)
    return None


def has_box(text: str) -> bool:
    """Whether a box is opened anywhere."""
    return _BOX.search(text) is not None


def boxes(text: str) -> list[str | None]:
    r"""What stands in each `\boxed{}`, boxes joined by a comma or `and` as one; None for one that is never closed.

    >>> boxes(r"\boxed{A} ... \boxed{\frac{1}{2}} and \boxed{3}"), boxes(r"\boxed{4")
    (['A', '\\frac{1}{2}, 3'], [None])
    """
    groups: list[list[str]] = []
    end, found = 0, _BOX.search(text)
    while found:
        close = _closing(text, found.end())
        if close is None:
            return [*(", ".join(dict.fromkeys(group)) for group in groups), None]
        between = text[end : found.start()] if found.start() - end < _NEAR else "."
        if not (groups and _JOINT.fullmatch(between)):
            groups.append([])
        groups[-1].append(text[found.end() : close].strip())
        end = close + 1
        found = _BOX.search(text, end)
    return [", ".join(dict.fromkeys(group)) for group in groups]


def statements(text: str) -> list[str]:
    """What stands after each `answer:`, `answer is`, `####`, up to the line's end.

    >>> statements("The answer is B.")
    ['B.']
    """
    return [text[start:stop].partition("\n")[0] for start, stop in statement_spans(text)]


def statement_spans(text: str) -> list[tuple[int, int]]:
    """From where to where each statement goes: from behind its `answer is` to the next one, or the end."""
    found = list(_STATEMENT.finditer(text))
    stops = [match.start() for match in found[1:]] + [len(text)]
    return [(match.end(), stop) for match, stop in zip(found, stops, strict=False)]


def _closing(text: str, start: int) -> int | None:
    """Where the brace that was opened before `start` is closed."""
    depth = 1
    for match in re.compile(r"\\[{}]|[{}]").finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return None
