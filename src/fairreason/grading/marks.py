r"""Where a reply marks its answer: boxes, answer tags, JSON objects with an answer key; what each says.

    The sum is $\boxed{\frac{1}{2}}$ and \boxed{3}.   ->  \frac{1}{2}, 3
    {"why": "He left.", "answer": "B"}               ->  B

A box that is a part of a formula is unreadable (`\boxed{12}{5}`, `-\boxed{12}`), a `million` behind it belongs to it.
"""

from __future__ import annotations

import json
import re
from itertools import islice

from fairreason.grading.factors import factor, is_scale

_NEAR = 40
_DEEPEST = 3
"""Boxes inside a box that are opened."""
BOX = re.compile(r"\\f?box(?:ed)?\s*\{")
_BARE_BOX = re.compile(
    r"\\(?:boxed|fbox)(?![A-Za-z])[ \t]*(?:([A-Za-z0-9])(?=[ \t]*(?:\$|\\[)\]]|[.!*]*(?:\n|\Z)))"
    r"|(?=[-+−]?(?:\\?\$)?\d|[-+−]?\\(?!f?box)[A-Za-z]|[A-Za-z](?![A-Za-z])))"
)
r"""A box without braces: its one character, or the start of more. `\boxed format` only speaks of boxes."""
_OPTION = re.compile(
    r"(?:\\(?:text|math)\w*\s*\{|\\mbox\s*\{)?[\s(\[]{0,9}(?:[A-Z](?:[)\]]?[.:]?|[)\].:]{1,3}\s.{0,200})"
    r"|(?=[A-Za-z])(?=.*[A-Za-z]{4}|[A-Za-z]{3,} [A-Za-z]{3})[A-Za-z][A-Za-z'’ ,.-]{2,200})[\s}]*"
)
r"""A letter, its text or both, which no number beside it touches: `B`, `\text{(B)}`, `B. The redcap`, `The redcap`."""
_BEFORE = re.compile(
    r"(?:[$=({\[&]\s*[−-]\s*|(?<![:\w*–—-])[−-]|[0-9]|(?:\\pm|\\mp|±)\s*|\\(?:[dt]?frac\s*(?:\{[^{}]*\})?|sqrt)\{\s*)\Z"
)
_BEHIND = re.compile(
    r"[\d{]|[.,:]\d|/ ?(?:\d|\\[dt]?frac|\\sqrt|\\pi)|\*\d|\^(?!\s*\{?\s*(?:\\(?:circ|text|mathrm|mbox)|°|st|nd|rd|th))"
    r"|(?:[ ~]|\\[,;: ]){0,2}(?:\\(?:pi|sqrt|[dt]?frac|times|cdot|div|pm)(?![A-Za-z])"
    r"|[−-] ?\d|\+ ?(?:\d|\\|[A-Za-z](?![A-Za-z])))"
)
r"""What stands at a box that is part of a formula: `-\boxed{12}`, `\boxed{12}^2`; a dash that opens a list is none."""
_BRACE = re.compile(r"\\[{}]|[{}]")
TAG = re.compile(r"<answer>(.*?)(?:</answer>?|\Z)", re.IGNORECASE | re.DOTALL)
_OBJECT = re.compile(r'\{\s*"')
_KEY = re.compile(r'"(?:final[ _-]?)?answer"\s*:', re.IGNORECASE)
_JSON = json.JSONDecoder(object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str)
_MOST_OBJECTS = 100
"""Beginnings of a JSON object that are tried: one that never ends takes as long as the text."""
_UNIT = (
    r"(?:\\(?:text|mbox|textbf|mathrm)\s*\{(?![^{}]*\b(?:and|or)\s*\})[^{}]*\}|(?!(?:and|or|not?|but|is|so)\b)[a-z]+)"
)
_AND = r"(?:and|\\(?:text|mbox|textbf|mathrm)\s*\{[^{}]*\band\s*\})"
_SPACE = r"(?:[\s$&]|\\[,;: ])*"
_JOINT = re.compile(rf"{_SPACE}(?:{_UNIT}{_SPACE})?(?:[,;]|\\q?quad|{_AND})(?:[,;\s$&]|\\[,;: ]|\\q?quad|{_AND})*")
"""What joins two boxes into one set: a comma or `and`, a unit before it (`\\boxed{3} apples and \\boxed{4} pears`)."""


def marked(text: str) -> list[tuple[str | None, str]]:
    """What stands in boxes, answer tags and under answer keys, each with its rule; None for what is never closed or
    cannot be told."""
    found: list[tuple[str | None, str]] = [(candidate, "boxed") for candidate in boxes(text)]
    found += [(_whole(match[1], text, *match.span()), "boxed") for match in _BARE_BOX.finditer(text)]
    found += [(match[1], "tag") for match in TAG.finditer(text) if not has_box(match[1])]
    return found + [(value, "json") for value in keyed(text)]


def has_box(text: str) -> bool:
    """Whether a box is opened anywhere."""
    return BOX.search(text) is not None or _BARE_BOX.search(text) is not None


def boxes(text: str) -> list[str | None]:
    r"""What stands in each `\boxed{}`, boxes joined by a comma or `and` as one; None for one that is never closed.

    >>> boxes(r"\boxed{A} ... \boxed{\frac{1}{2}} and \boxed{3}"), boxes(r"\boxed{4"), boxes(r"\boxed{\boxed{B}}")
    (['A', '\\frac{1}{2}, 3'], [None], ['B'])
    """
    groups: list[list[str | None]] = []
    end, found = 0, BOX.search(text)
    while found:
        close = _closing(text, found.end())
        if close is None:
            return [*map(_one_set, groups), None]
        between = text[end : found.start()] if found.start() - end < _NEAR else "."
        if not (groups and _JOINT.fullmatch(between)):
            groups.append([])
        groups[-1].append(_whole(_innermost(text[found.end() : close].strip()), text, found.start(), close + 1))
        end = close + 1
        found = BOX.search(text, end)
    return [*map(_one_set, groups)]


def keyed(text: str) -> list[str | None]:
    """What the answer key of each JSON object says, None where that is no text and no number.

    >>> keyed('Sure: {"why": "He left.", "answer": "B"}'), keyed('{"answer": 12.0}'), keyed('{"answer": ["A", "B"]}')
    (['B'], ['12.0'], [None])
    """
    found: list[str | None] = []
    end = 0
    for opened in islice(_OBJECT.finditer(text), _MOST_OBJECTS) if _KEY.search(text) else ():
        if opened.start() < end:
            continue
        try:
            pairs, end = _JSON.raw_decode(text, opened.start())
        except (ValueError, RecursionError):
            continue
        if not has_box(text[opened.start() : end]):  # the box is read
            found += [value if isinstance(value, str) else None for key, value in pairs if _KEY.fullmatch(f'"{key}":')]
    return found


def _one_set(group: list[str | None]) -> str | None:
    """The boxes of one set, None where one of them cannot be told."""
    boxed = [one for one in dict.fromkeys(group) if one is not None]
    return None if None in group else ", ".join(boxed)


def _whole(candidate: str | None, text: str, start: int, end: int) -> str | None:
    """What a box from `start` to `end` says, with a `million` behind it; None where it is a part of a formula, or what
    stands behind it calculates; an option is no number. `\\boxed{7} dozens of eggs` counts dozens, as one may."""
    if candidate is None or _OPTION.fullmatch(candidate):
        return candidate
    if _BEFORE.search(text[max(0, start - _NEAR) : start]) or _BEHIND.match(text, end):
        return None
    word = factor(text, end)
    if not word or word.casefold().startswith("dozen"):
        return candidate
    return f"{candidate} {word}" if is_scale(word) else None


def _innermost(candidate: str) -> str:
    """What a box says that holds nothing but another box."""
    for _ in range(_DEEPEST):
        opened = BOX.match(candidate)
        close = _closing(candidate, opened.end()) if opened else None
        if opened is None or close is None or candidate[close + 1 :].strip():
            break
        candidate = candidate[opened.end() : close].strip()
    return candidate


def _closing(text: str, start: int) -> int | None:
    """Where the brace that was opened before `start` is closed."""
    depth = 1
    for match in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return None
