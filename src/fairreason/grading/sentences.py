r"""Sentences that choose a letter without calling it the answer; the reply must end with one.

| kind | examples |
|---|---|
| who answers chooses | `I choose B.`, `I would go with option (B), since ...`, `My pick is B` |
| the letter is called correct | `B is correct.`, `So option B is the right one because ...`, `Only (B) is the answer` |

The letter is a capital and stands where a sentence has its word: behind the verb, or as its subject. So `A is correct`
names option A and `A man is correct` nobody. What is asked (`Is B correct?`), supposed (`If I choose B`), denied,
thought (`I think B is right`) or left open (`B or C is correct`) chooses nothing, nor does a sentence behind a colon or
a semicolon, in quotes or a list, or behind one that supposes or says what others think (grading/doubts.py).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fairreason.grading.doubts import doubted, misled

_OPENING = (
    r"(?:(?<![\w,]\n)(?<![\w,] \n)^|(?<=[.!?]) {1,3}|(?i:\b(?:answer|choice|conclusion)[*_]{0,2}:) {0,3})"
    r"[*_# ]{0,6}"
    r"(?:(?i:so|thus|hence|therefore|then|and|finally|overall|in conclusion|based on (?:the|this|these) \w+)\b"
    r"[*_]{0,2},? ){0,2}"
)
"""Where a sentence starts: not in the middle of one that goes on over lines, nor where somebody is quoted."""
_CHOOSING = (
    r"(?i:(?:I|we)(?:['’](?:d|ll|m|ve)| would| will| am| have| must| have to)?(?: therefore| thus| then)? "
    r"(?:choose|chose|chosen|pick|picked|select|selected|go with|going with|went with|opt for|answer)"
    r"|my (?:pick|selection) is):? "
)
_KIND = r"(?i:(?:the )?(?:option|choice|answer) )?"
_LETTER = r"""[*_(\[]{0,3}(?:["“][A-Z][.]?["”]|[A-Z](?![\w'’]))[)\]*_]{0,3}[.:)]?"""
_CALLED = (
    r" (?i:is|must be)(?: (?i:clearly|definitely|therefore|thus|indeed))?"
    r" (?i:(?:the )?(?:(?:only|most|best|final|right|correct) ){0,2}(?:answer|option|choice|one)\b|correct\b)"
)
_REST = r"[^.!?\n]*"
_NEAR = 80
_HEADING = re.compile(r"(?:answer|choice|conclusion|decision|result)[*_]{0,2}:[*_]{0,2}$", re.IGNORECASE)
"""A line that leads to the answer."""
_SENTENCE = re.compile(
    rf"{_OPENING}(?:{_CHOOSING}{_KIND}({_LETTER}{_REST})"
    rf"|(?i:only )?{_KIND}({_LETTER}[^.!?\n]{{0,200}}?){_CALLED}({_REST}))[.!*_\"”)]*",
    re.MULTILINE,
)


class Choosing(NamedTuple):
    """A letter with what the sentence says of it, and whether the reply ends there."""

    candidate: str
    last: bool


def choosing(text: str) -> list[Choosing]:
    """The sentences of a reply that choose a letter; none where it does not end with one.

    >>> choosing("A man left early. So B is correct, because he stayed.")
    [Choosing(candidate='B, because he stayed', last=True)]
    >>> choosing("B is correct. Or is it?")
    []
    """
    end = len(text.rstrip())
    found = [match for match in _SENTENCE.finditer(text, 0, end) if _is_said(text, match)]
    if not found or found[-1].end() < end:
        return []
    return [Choosing(match[1] or match[2] + match[3], match.end() == end) for match in found]


def _is_said(text: str, match: re.Match[str]) -> bool:
    """Whether a sentence that chooses a letter stands for what the reply says itself."""
    led = text[max(0, match.start() - _NEAR) : match.start()].rstrip()
    if led.rstrip("*_").endswith(":") and not _HEADING.search(led):
        return False
    letter = match.start(1 if match[1] else 2)
    return not doubted(text, letter) and not misled(text, letter)
