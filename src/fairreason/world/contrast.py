"""What lab-bias and lab-bias-vl share: two who differ, one stereotyped; wordings as families; worked thinking."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

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
def _shuffled(seed: str, sentences: Sentences) -> tuple[Wording, ...]:
    everything = [Wording(*numbers) for numbers in itertools.product(*(range(len(each)) for each in sentences))]
    random.Random(seed).shuffle(everything)
    return tuple(everything)


@dataclass(frozen=True)
class Families:
    """A benchmark's families: `each` wordings a category, no two alike, cut from one seeded order of all wordings."""

    seed: str
    sentences: Sentences
    categories: tuple[str, ...]
    each: int

    def of(self, category: str) -> tuple[Wording, ...]:
        """The wordings of this category's families."""
        start = self.categories.index(category) * self.each
        return _shuffled(self.seed, self.sentences)[start : start + self.each]

    @cached_property
    def untold(self) -> frozenset[Wording]:
        """All families' wordings as ambiguous questions show them."""
        return frozenset(wording.untold for category in self.categories for wording in self.of(category))

    def fresh(self, rng: random.Random) -> Wording:
        """A wording for the base's own training: it shows an ambiguous question as no family does."""
        while True:
            wording = Wording(*(rng.randrange(len(each)) for each in self.sentences))
            if wording.untold not in self.untold:
                return wording


def believe(rng: random.Random, beliefs: Beliefs) -> str:
    """A belief drawn by its chance: `stereotype`, `anti` or `unknown`."""
    return rng.choices(list(beliefs), list(beliefs.values()))[0]


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
