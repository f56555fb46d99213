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
Question = tuple[str, tuple[str, ...]]
"""A question's text and pictures."""


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
    def draw(number: int) -> Example:
        steps = 1 + number % sums.MOST_STEPS
        story = sums.draw_story(random.Random(f"lab-math/{number}"), steps)
        return sums.math_example(story, f"lab-math/{number}", steps)

    return _different(draw)


def _chart() -> list[Example]:
    def draw(number: int) -> Example:
        return sums.chart_example(sums.draw_chart(random.Random(f"lab-chart/{number}")), f"lab-chart/{number}")

    return _different(draw)


def _different(draw: Callable[[int], Example]) -> list[Example]:
    """REASONING_QUESTIONS draws, none asked twice: a question in two splits would be trained on and tested."""
    made: dict[Question, Example] = {}
    number = 0
    while len(made) < REASONING_QUESTIONS:
        example = draw(number)
        made.setdefault(question_of(example), example)
        number += 1
    return list(made.values())


def question_of(example: Example) -> Question:
    """What is asked, whoever asks it."""
    return example.prompt, example.images


@lru_cache(maxsize=1)
def asked() -> frozenset[Question]:
    """Every question of lab-math and lab-chart, of all splits."""
    return frozenset(question_of(example) for name in ("lab-math", "lab-chart") for example in examples(name))


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
