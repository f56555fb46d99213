"""Reasoning that is none: empty, or the same again and again.

Where a reply's reasoning stands says grading/reasoning.py. Empty: fewer than FEWEST words. Repeated, by either of two
measures over word n-grams, with the thresholds that are stated here:

| rule | what | source |
|---|---|---|
| `share` | above .3 of the 8-grams stand before, half prose each | seq-rep-n, Welleck et al. 2019, arXiv 1908.04319 |
| `loop` | up to 60 words stand four times in a row, 24 words and more in all, half of them prose | ours |

`share` finds text that goes round; `loop` finds the stretch in which a long text got stuck, however small its share.
Quoting the question, or weighing the options one by one in the same form, reaches neither; a sum of equal fractions is
no prose. Texts of fewer than 50 words have no share worth measuring.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from fairreason.traces.grams import codes, grams, words

FEWEST = 3
"""Words below which reasoning counts as empty. The lab's shortest worked answers have more."""
GRAM, MOST_REPEATED, SHORT = 8, 0.3, 50
LONGEST_BLOCK, TIMES, LOOP_WORDS = 60, 4, 24
_COMMAND = re.compile(r"\\[A-Za-z]+")


class Repetition(NamedTuple):
    """`rule`: share or loop. `detail`: the share, or the words that stand again and again."""

    rule: str
    detail: str


def is_empty(reasoning: str) -> bool:
    """Whether it says nothing.

    >>> is_empty("Okay."), is_empty("The text does not say.")
    (True, False)
    """
    return len(words(reasoning)) < FEWEST


def repetition(reasoning: str) -> Repetition | None:
    """How the reasoning repeats itself, None where it does not.

    >>> repetition("Let me check the numbers again before I go on. " * 6).rule
    'share'
    """
    said = words(_COMMAND.sub(" ", reasoning))
    codes_W = codes(said)
    grams_G = grams(codes_W, GRAM)
    prose_W = np.array([len(word) > 1 and word.isalpha() for word in said], int)
    prose_G = grams_G[_windows(prose_W, GRAM) * 2 >= GRAM]
    repeated = (len(prose_G) - len(np.unique(prose_G))) / max(1, len(grams_G))
    if not repeated:
        return None
    if repeated > MOST_REPEATED and len(said) >= SHORT:
        return Repetition("share", f"{repeated:.2f} of the {GRAM}-grams stand before")
    block = _loop(said, codes_W, prose_W)
    return Repetition("loop", f"{TIMES} times or more in a row: {' '.join(block)}") if block else None


def _loop(said: list[str], codes_W: np.ndarray, prose_W: np.ndarray) -> list[str]:
    """The words that stand TIMES in a row, the shortest such block; [] where none do."""
    for block in range(1, min(LONGEST_BLOCK, len(said) // TIMES) + 1):
        long = max(block * TIMES, LOOP_WORDS)
        same = _windows((codes_W[block:] == codes_W[:-block]).astype(int), long - block) == long - block
        starts = np.flatnonzero(same & (_windows(prose_W, long) * 2 >= long))
        if len(starts):
            return said[starts[0] : starts[0] + block]
    return []


def _windows(values_W: np.ndarray, n: int) -> np.ndarray:
    """The sum of every n values in a row."""
    sums = np.concatenate(([0], np.cumsum(values_W)))
    return sums[n:] - sums[:-n]
