r"""Lines that list options: none of them says which is right, nor does a heading that leads to the first one.

A. The grandfather
B. Cannot be determined      ->  all three
C. The grandson

A. The grandfather: no
B. Cannot be determined: yes  ->  the first two: `B` alone is no list
B. Cannot be determined

Correct option:
- The grandfather             ->  a list by its bullets
- The grandson
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

_ITEM = re.compile(
    r"^[ \t>#]{0,8}((?:[-•*+]|\d{1,2}[.)])[ \t]{1,3})?[*_]{0,3}(?:(?i:option|choice)[ \t])?[(\[]?([A-Z])[*_]{0,3}"
    r"(?:[)\].:][)\].:*_]{0,4}|[ \t][-–—])[ \t]",
    re.MULTILINE,
)
"""A line's bullet or number, its letter, and what leads on to a text."""
_BULLET = re.compile(r"[ \t]*([-•*+])[ \t]")
_NEAR = 60
_HEADED = re.compile(r"(?:^|\n)[#*_ ]{0,9}(?:\w+ ){0,2}answer[#*_ ]*\s*\Z", re.IGNORECASE)
"""A heading without a colon, above an answer: `### Final Answer`."""

IsAnswer = Callable[[str], bool]
"""Whether a line is nothing but an answer."""


def listed(text: str) -> frozenset[int]:
    r"""Where the lines begin that list options: lines of a kind, with bullets or without, whose letters go up, or whose
    letter no other line of their kind has, while there are lines with others.

    >>> sorted(listed("A. He\nB. She")), sorted(listed("B. She")), sorted(listed("A. He\nB. She: yes\n\nB. She"))
    ([0, 6], [], [0, 6])
    """
    kinds: dict[bool, list[re.Match[str]]] = {}
    for match in _ITEM.finditer(text):
        kinds.setdefault(match[1] is None, []).append(match)
    found: set[int] = set()
    for items in kinds.values():
        times = Counter(item[2] for item in items)
        if len(times) > 1:
            found.update(item.start() for item in items if times[item[2]] == 1)
        found.update(item.start() for pair in pairwise(items) if pair[0][2] < pair[1][2] for item in pair)
    return frozenset(found)


def headings(text: str, is_answer: IsAnswer | None = None) -> Callable[[int], bool]:
    r"""Tells of what a heading leads to, which begins inside the line at a place, whether it is the first line of a
    list. It is the answer where no list goes on at once, and where, among the lines with letters, it alone is nothing
    but an answer.

    >>> leads = headings("Answer:\n- He\n- She")
    >>> leads(10), headings("Answer:\n- He\n\nHe left.")(10)
    (True, False)
    """
    items = listed(text)
    bare = {at for at in items if is_answer is None or is_answer(_without_bullet(text, at))}

    def leads_to_list(place: int) -> bool:
        at = text.rfind("\n", 0, place) + 1
        after = _next_line(text, at)
        bullet, next_bullet = _BULLET.match(text, at), _BULLET.match(text, after)
        if bullet and next_bullet and bullet[1] == next_bullet[1]:
            first, second = (is_answer and is_answer(_to_end(text, one.end())) for one in (bullet, next_bullet))
            return not first or bool(second)
        adjacent = after in items and text.count("\n", at, after) == 1
        return at in items and (adjacent or bare != {at})

    return leads_to_list


def in_lists(text: str, is_answer: IsAnswer) -> frozenset[int]:
    r"""The listed lines but for one under the heading `Answer` that is no list's first.

    >>> text = "### Answer\nA. He\n\nWhy?\nB. She: no"
    >>> sorted(listed(text)), sorted(in_lists(text, lambda line: ":" not in line))
    ([11, 23], [23])
    """
    items = listed(text)
    headed = [at for at in items if _HEADED.search(text[max(0, at - _NEAR) : at])]
    leads_to_list = headings(text, is_answer) if headed else None
    return items.difference(at for at in headed if leads_to_list and not leads_to_list(at))


def _next_line(text: str, at: int) -> int:
    """Where the next line begins that is not blank; the end of the text without one."""
    end = text.find("\n", at)
    while end >= 0:
        at, end = end + 1, text.find("\n", end + 1)
        if _to_end(text, at).strip():
            return at
    return len(text)


def _without_bullet(text: str, at: int) -> str:
    """The line at `at` without its bullet or number."""
    item = _ITEM.match(text, at)
    return _to_end(text, item.end(1) if item and item[1] else at)


def _to_end(text: str, start: int) -> str:
    """The rest of the line."""
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)]
