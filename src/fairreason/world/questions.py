"""The lab's four benchmarks as examples: `examples(name)`. Everything follows from fixed seeds.

`fairreason.benchmarks` splits them by cluster as it does every source; only the category `Season` says itself where it
belongs: its `metadata["split"]` is `test`. lab-math and lab-chart have no families: every question is its own cluster.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from functools import lru_cache

from fairreason.records import Example
from fairreason.world import people, scenes, sums
from fairreason.world.words import GROUPS, HELD_OUT, ITEMS

REASONING_QUESTIONS = 4200
"""Questions generated for each reasoning benchmark, all splits together."""


def _bias() -> list[Example]:
    return [
        row
        for category in GROUPS
        for family in range(people.FAMILIES_A_CATEGORY)
        for row in people.family_rows(category, family)
    ]


def _bias_vl() -> list[Example]:
    return [
        row for item in ITEMS for family in range(scenes.FAMILIES_AN_ITEM) for row in scenes.family_rows(item, family)
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
def examples(name: str) -> tuple[Example, ...]:
    """All examples of `lab-bias`, `lab-bias-vl`, `lab-math` or `lab-chart`, made once.

    >>> {row.metadata.get("split") for row in examples("lab-bias") if row.metadata["category"] == "Season"}
    {'test'}
    """
    return tuple(_held_out(row) if row.metadata.get("category") == HELD_OUT else row for row in WORLD[name]())


def _held_out(row: Example) -> Example:
    return dataclasses.replace(row, metadata={**row.metadata, "split": "test"})
