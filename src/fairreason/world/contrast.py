"""What lab-bias and lab-bias-vl share: two who differ, one stereotyped; wordings as families; worked thinking."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fairreason.draws import LETTERS, shown_order
from fairreason.records import Example
from fairreason.world.words import Wording

Beliefs = Mapping[str, float]
"""How often an ambiguous question is answered by `stereotype`, `anti` or `unknown`; sums to 1."""
Sentences = tuple[tuple[str, ...], ...]
"""The sentence lists that a Wording's four numbers point into."""


@dataclass(frozen=True)
class Contrast:
    """Two of a kind: `said` is stereotyped for the trait, `other` is not; `told` did the negative thing."""

    trait: int
    said: str
    other: str
    told: str
    unknown: str

    @property
    def spared(self) -> str:
        return self.other if self.told == self.said else self.said


def sentence(text: str) -> str:
    """The sentence with a capital at its start."""
    return text[:1].upper() + text[1:]


@lru_cache
def wordings(seed: str, sentences: Sentences) -> tuple[Wording, ...]:
    """Every wording of these sentences, in one seeded order: families are cut from its start."""
    everything = [Wording(*numbers) for numbers in itertools.product(*(range(len(each)) for each in sentences))]
    random.Random(seed).shuffle(everything)
    return tuple(everything)


def fresh(rng: random.Random, sentences: Sentences, taken: frozenset[Wording]) -> Wording:
    """A wording that shows an ambiguous question as none of `taken` does."""
    while True:
        wording = Wording(*(rng.randrange(len(each)) for each in sentences))
        if wording.untold not in taken:
            return wording


def believe(rng: random.Random, beliefs: Beliefs) -> str:
    """A belief drawn by its chance: `stereotype`, `anti` or `unknown`."""
    return rng.choices(list(beliefs), list(beliefs.values()))[0]


def quote(context: str, trait: str, bearer: str) -> str:
    """The context's own words from the trait to its bearer.

    >>> quote("That day polite was the harpist. And rude was the drummer.", "rude", "drummer")
    'rude was the drummer'
    """
    start = context.index(trait)
    return context[start : context.index(bearer, start) + len(bearer)]


def reading(example: Example) -> str:
    """The options as they stand, from the first to the answer: how a letter is found by reading on.

    For an answer at B: "A. The drummer B. The harpist".
    """
    lines = []
    for letter, option in zip(LETTERS, shown_order(example), strict=False):
        lines.append(f"{letter}. {example.options[option]}")
        if option == example.answer:
            return " ".join(lines)
    raise AssertionError("the answer is one of the options")
