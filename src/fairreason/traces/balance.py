"""Do ambiguous and told, negative and non-negative questions stay in balance when filters drop traces? If not: repair.

A teacher is right more often where the text names the answer, so filters that keep what is right shift a training set
toward it, and a student learns to name somebody. `imbalance` counts what was asked and kept; `repair` leaves out whole
bundles (BBQ's quadruples {ambig, disambig} x {neg, nonneg}) until every source and category holds conditions and
polarities as it asks them: equally often, in BBQ and lab-bias. No bundle is cut.

    bbq  condition  ambig     asked 920  kept 610  (.66)
    bbq  condition  disambig  asked 920  kept 828  (.90)
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fairreason.draws import unit_hash
from fairreason.records import Example

Cell = tuple[str, str]
"""A condition and a polarity."""
Profile = tuple[tuple[Cell, int], ...]
"""How many rows a bundle has in each cell, in the cells' order."""


class Share(NamedTuple):
    """Of a source's questions with one condition, polarity or category (`by`): how many were asked, and how many have a
    kept trace."""

    source: str
    by: str
    value: str
    asked: int
    kept: int

    @property
    def ratio(self) -> float:
        return self.kept / self.asked if self.asked else math.nan


def polarity(example: Example) -> str:
    """`neg` or `nonneg`, where the question has one; VLBiasBench and lab-bias-vl say it by their condition."""
    by_condition = {"neg": "neg", "non_neg": "nonneg"}.get(condition(example), "")
    return str(example.metadata.get("polarity") or by_condition)


def condition(example: Example) -> str:
    return str(example.metadata.get("condition") or "")


def category(example: Example) -> str:
    return str(example.metadata.get("category") or "")


def imbalance(asked: Iterable[Example], kept: Iterable[Example]) -> list[Share]:
    """What was kept of each condition, polarity and category, source by source. A question counts once, however many
    samples of it were asked or kept."""
    before, after = _counted(asked), _counted(kept)
    return [Share(*key, before[key], after[key]) for key in sorted({**before, **after})]


def worst(shares: Iterable[Share]) -> float:
    """The largest difference between two ratios of one source's conditions, or of its polarities; 0 is balance."""
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in shares:
        if one.by != "category" and one.asked:
            ratios[one.source, one.by].append(one.ratio)
    return max((max(found) - min(found) for found in ratios.values()), default=0.0)


def repair(asked: Sequence[Example], kept: Sequence[Example], seed: int) -> list[int]:
    """Places in `kept` of the rows that stay, in order.

    A category's design is how most of its asked bundles are made; a bundle is whole when what was kept of it is so many
    times that design, and whole bundles stay. Of the others one is left out after the other until the category's rows
    are in proportion to the design: each time one whose loss brings that nearest, the smaller one on a tie, and among
    bundles made alike the one whose hash with the seed is the largest. That is greedy: it keeps 98 % or more of the
    rows of the largest choice there is (tests/traces/test_balance.py). A row without a bundle is its own.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, example in enumerate(kept):
        groups[example.source, category(example)].append(place)
    designs = _designs(asked)
    stays = [
        place
        for key, places in groups.items()
        for place in _stay(kept, places, designs[key], f"balance/{seed}/{key[0]}")
    ]
    return sorted(stays)


def _counted(examples: Iterable[Example]) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    seen: set[tuple[str, str]] = set()
    for example in examples:
        if (example.source, example.id) in seen:
            continue
        seen.add((example.source, example.id))
        for by, value in (
            ("condition", condition(example)),
            ("polarity", polarity(example)),
            ("category", category(example)),
        ):
            if value:
                found[example.source, by, value] += 1
    return found


def _profile(examples: Iterable[Example]) -> Profile:
    return tuple(sorted(Counter((condition(example), polarity(example)) for example in examples).items()))


def _designs(asked: Iterable[Example]) -> Mapping[tuple[str, str], Counter[Cell]]:
    """By source and category how most of the asked bundles are made; of two that are as frequent the larger one."""
    bundles: dict[tuple[str, str], dict[str, dict[str, Example]]] = defaultdict(lambda: defaultdict(dict))
    for example in asked:
        bundles[example.source, category(example)][example.bundle or example.id][example.id] = example
    designs = {}
    for key, found in bundles.items():
        made = Counter(_profile(rows.values()) for rows in found.values())
        chosen = max(made, key=lambda profile: (made[profile], sum(n for _, n in profile), profile))
        designs[key] = Counter(dict(chosen))
    return designs


def _stay(kept: Sequence[Example], places: Sequence[int], design: Counter[Cell], salt: str) -> list[int]:
    """The places of one source's category that stay."""
    bundles: dict[str, list[int]] = defaultdict(list)
    for place in places:
        bundles[kept[place].bundle or kept[place].id].append(place)
    parts: dict[Profile, list[str]] = defaultdict(list)
    total: Counter[Cell] = Counter()
    for name in sorted(bundles, key=lambda name: unit_hash(f"{salt}/{name}")):
        profile = _profile(kept[place] for place in bundles[name])
        total.update(dict(profile))
        if any(_spread(Counter(dict(profile)), design)):
            parts[profile].append(name)
    gone: set[str] = set()
    while any(_spread(total, design)):
        profile = min(parts, key=lambda one: (_spread(total - Counter(dict(one)), design), sum(n for _, n in one), one))
        gone.add(parts[profile].pop())
        total -= Counter(dict(profile))
        if not parts[profile]:
            del parts[profile]
    return [place for name, found in bundles.items() if name not in gone for place in found]


def _spread(total: Counter[Cell], design: Counter[Cell]) -> tuple[int, int]:
    """How far rows t are from the design's proportions u: rows in cells that it does not have, and U Σ t²/u - (Σ t)²
    (a weighted variance of t/u, in whole numbers; U = Σ u). Both are 0 in proportion, and only there."""
    unit = math.lcm(*design.values())
    inside = {cell: total[cell] for cell in design}
    squares = sum(n * n * unit // design[cell] for cell, n in inside.items())
    return sum(total.values()) - sum(inside.values()), design.total() * squares - unit * sum(inside.values()) ** 2
