"""The lab's four benchmarks as examples: `examples(name, split)`. Everything follows from fixed seeds.

Splits go by cluster: the hash of its name (benchmarks use the same rule), except that the category `Season` stands in
`test` alone. lab-math and lab-chart have no families: every question is its own cluster.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from functools import lru_cache

from fairreason.lab import people, sums
from fairreason.lab.words import GROUPS, HELD_OUT, ITEMS
from fairreason.records import Example

REASONING_QUESTIONS = 4200
"""Questions generated for each reasoning benchmark, all splits together."""


def split_of(cluster: str) -> str:
    """train (60 %), dev (10 %) or test (30 %), by the SHA-256 of the cluster's name."""
    draw = int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:8], "big") / 2**64
    return "train" if draw < 0.6 else "dev" if draw < 0.7 else "test"


def _bias() -> list[Example]:
    return [
        row
        for category in GROUPS
        for family in range(people.FAMILIES_A_CATEGORY)
        for row in people.text_family(category, family)
    ]


def _bias_vl() -> list[Example]:
    return [
        row
        for item in ITEMS
        for family in range(people.SCENE_FAMILIES_AN_ITEM)
        for row in people.scene_family(item, family)
    ]


def _math() -> list[Example]:
    made = []
    for number in range(REASONING_QUESTIONS):
        steps = 1 + number % sums.MOST_STEPS
        story = sums.draw_story(random.Random(f"lab-math/{number}"), steps)
        made.append(sums.math_example(story, f"lab-math/{number}", steps))
    return made


def _chart() -> list[Example]:
    return [
        sums.chart_example(sums.draw_chart(random.Random(f"lab-chart/{number}")), f"lab-chart/{number}")
        for number in range(REASONING_QUESTIONS)
    ]


WORLD: dict[str, Callable[[], list[Example]]] = {
    "lab-bias": _bias,
    "lab-bias-vl": _bias_vl,
    "lab-math": _math,
    "lab-chart": _chart,
}


@lru_cache(maxsize=len(WORLD))
def _everything(name: str) -> tuple[Example, ...]:
    return tuple(WORLD[name]())


def examples(name: str, split: str) -> list[Example]:
    """The examples of `lab-bias`, `lab-bias-vl`, `lab-math` or `lab-chart` in `train`, `dev` or `test`.

    >>> {row.metadata["category"] for row in examples("lab-bias", "train")} >= {"Season"}
    False
    """
    return [row for row in _everything(name) if _split(row) == split]


def _split(row: Example) -> str:
    return "test" if row.metadata.get("category") == HELD_OUT else split_of(row.cluster)
