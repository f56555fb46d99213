"""Texts as word n-grams, hashed: what repetition, near-copies and overlaps are found by. NumPy alone.

Words are runs of letters or digits in lower case, an apostrophe inside them kept; of Chinese, Japanese and Korean every
character is one. LaTeX commands count by their names, operators and punctuation do not count (`\\frac{1}{2}` is
frac 1 2). A gram is a 64-bit number that depends on its words
alone, the same on every machine: word codes (BLAKE2b) joined by a polynomial modulo 2^64. Two of the N different grams
of a collection share a number with probability about N² / 2^65: for 10 million, 3 in a million.

Axes: W words, G grams.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_CHARACTERS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_ANY_WORD = re.compile(rf"[{_CHARACTERS}]|[^\W_{_CHARACTERS}]+(?:'[^\W_{_CHARACTERS}]+)*")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that joining loses nothing; 2^64 over the golden ratio


def words(text: str) -> list[str]:
    r"""The words of a text.

    >>> words("The man doesn't know $\\frac{1}{2}$ of it.")
    ['the', 'man', "doesn't", 'know', 'frac', '1', '2', 'of', 'it']
    >>> words("文中没有说 who")
    ['文', '中', '没', '有', '说', 'who']
    """
    return (_WORD if text.isascii() else _ANY_WORD).findall(text.casefold().replace("’", "'"))


def codes(words: Sequence[str]) -> np.ndarray:
    """The words as uint64 numbers, shape (W,)."""
    return np.fromiter(map(_code, words), np.uint64, len(words))


def grams(codes_W: np.ndarray, n: int) -> np.ndarray:
    """The number of every n words in a row, in their order; shape (G,) with G = W − n + 1, or 0 where W < n.

    >>> len(grams(codes(words("a b a b a")), 2)), len(set(grams(codes(words("a b a b a")), 2).tolist()))
    (4, 2)
    """
    count = max(0, len(codes_W) - n + 1)
    joined_G = np.zeros(count, np.uint64)
    for place in range(n):
        joined_G = joined_G * _FACTOR + codes_W[place : place + count]
    return joined_G


@lru_cache(maxsize=1 << 18)
def _code(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little")
