r"""Sentences that choose a letter without calling it the answer; the reply must end with one.

| kind | examples |
|---|---|
| who answers chooses | `I choose B.`, `I would go with option (B), since ...`, `My pick is B` |
| the letter is called correct | `B is correct.`, `So option B is the right one as ...`, `Only (B) is the answer` |

The letter is a capital and stands where a sentence has its word: behind the verb, or as its subject. So `A is correct`
names option A and `A man is correct` nobody. What is asked (`Is B correct?`), supposed (`If I choose B`), denied,
thought (`I think B is right`) or left open (`B or C is correct`) chooses nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_OPENING = (
    r"(?:(?<![\w,]\n)(?<![\w,] \n)^|(?<=[.!?;]) {1,3}|(?i:\b(?:answer|choice|conclusion)[*_]{0,2}:) {0,3})"
    r"[*_>#\- ]{0,6}"
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
_LETTER = r"""[*_"“(\[]{0,3}[A-Z](?![\w'’])["”)\]*_]{0,3}[.:)]?"""
_CALLED = (
    r" (?i:is|must be)(?: (?i:clearly|definitely|therefore|thus|indeed))?"
    r" (?i:(?:the )?(?:(?:only|most|best|final|right|correct) ){0,2}(?:answer|option|choice|one)\b|correct\b)"
)
_REST = r"[^.!?\n]*"
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
    found = list(_SENTENCE.finditer(text, 0, end))
    if not found or found[-1].end() < end:
        return []
    return [Choosing(match[1] or match[2] + match[3], match.end() == end) for match in found]
