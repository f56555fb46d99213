"""Options that stand inside a question's text: `A) ...` on lines of their own, or `Options: A. 4, B. 8` in one line.

Only a run A, B, C, ... without a gap counts, two options at least, all different.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fairreason.draws import LETTERS

_LINE = re.compile(r"^[ \t>*-]*\(?([A-Z])[*]{0,2}[).:][*]{0,2}[ \t]+(\S.*)$", re.MULTILINE)
_HEADER = re.compile(r"\**\b(?:answer\s+)?(?:options|choices)\s*\**\s*:\s*\**\s*", re.IGNORECASE)
_INLINE = re.compile(r"(?:^|(?<=[\s,;]))\(?([A-Z])[).:]\s+")


class Asked(NamedTuple):
    """A question without its options, and the options in the order in which they stand; () where it has none."""

    stem: str
    options: tuple[str, ...] = ()


def choices(question: str) -> Asked:
    """The question taken apart.

    >>> choices("How many are left? Options: A. 4, B. 8, C. 2, D. 6")
    Asked(stem='How many are left?', options=('4', '8', '2', '6'))
    >>> choices("Which one?\\nA) iron\\nB) gold\\nGive the letter.")
    Asked(stem='Which one?\\nGive the letter.', options=('iron', 'gold'))
    >>> choices("A. Smith said: what is 1 + 1?").options
    ()
    """
    return _on_lines(question) or _in_a_line(question) or Asked(question.strip())


def _on_lines(question: str) -> Asked | None:
    run = _run(list(_LINE.finditer(question)))
    if run is None:
        return None
    stops = [match.start() for match in run[1:]] + [run[-1].end()]
    options = [question[match.start(2) : stop].strip() for match, stop in zip(run, stops, strict=True)]
    return _asked(question[: run[0].start()], options, question[run[-1].end() :])


def _in_a_line(question: str) -> Asked | None:
    folded = question.casefold()
    headers = list(_HEADER.finditer(question)) if "options" in folded or "choices" in folded else []
    if not headers:
        return None
    start = headers[-1].end()
    line, _, rest = question[start:].partition("\n")
    run = _run(list(_INLINE.finditer(line)))
    if run is None or run[0].start():
        return None
    stops = [match.start() for match in run[1:]] + [len(line)]
    options = [line[match.end() : stop].strip(" \t,;") for match, stop in zip(run, stops, strict=True)]
    return _asked(question[: headers[-1].start()], options, rest)


def _run(markers: list[re.Match[str]]) -> list[re.Match[str]] | None:
    """The last markers that go A, B, C, ... without a gap."""
    starts = [number for number, match in enumerate(markers) if match[1] == "A"]
    if not starts:
        return None
    run = [match for match, letter in zip(markers[starts[-1] :], LETTERS, strict=False) if match[1] == letter]
    return run if len(run) > 1 and run == markers[starts[-1] : starts[-1] + len(run)] else None


def _asked(before: str, options: list[str], after: str) -> Asked | None:
    if not all(options) or len(set(options)) < len(options):
        return None
    header = _HEADER.search(before)
    stem = before[: header.start()] if header and header.end() == len(before) else before
    parts = [part for part in (stem.strip(), after.strip()) if part]
    return Asked("\n".join(parts), tuple(options)) if parts else None
