r"""Lines that list options: each has a letter of its own, so none of them says which is right.

A. The grandfather
B. Cannot be determined      ->  all three
C. The grandson

A. The grandfather: no
B. Cannot be determined: yes  ->  the first line only: `B` is there again
B. Cannot be determined
"""

from __future__ import annotations

import re
from collections import Counter

_ITEM = re.compile(
    r"^[ \t>#]{0,8}((?:[-•*+]|\d{1,2}[.)])[ \t]{1,3})?[*_]{0,3}(?:(?i:option|choice)[ \t])?[(\[]?([A-Z])[*_]{0,3}"
    r"(?:[)\].:][)\].:*_]{0,4}|[ \t][-–—])[ \t]",
    re.MULTILINE,
)
"""A line's bullet or number, its letter, and what leads on to a text."""


def listed(text: str) -> frozenset[int]:
    r"""Where the lines begin whose letter no other line of their kind has, while there are lines with others.

    >>> sorted(listed("A. He\nB. She")), sorted(listed("B. She")), sorted(listed("A. He\nB. She: yes\n\nB. She"))
    ([0, 6], [], [0])
    """
    found = [(match.start(), (match[1] is None, match[2])) for match in _ITEM.finditer(text)]
    lines = Counter(item for _, item in found)
    letters = Counter(kind for kind, _ in lines)
    return frozenset(start for start, item in found if lines[item] == 1 and letters[item[0]] > 1)
