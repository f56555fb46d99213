"""The examples a run may train on, put together into pools of whole bundles, and what it will really draw of them.

`build` loads the training split of every source that the recipe's shares can ask for, refuses a source that is too
small before anything is trained, and hands back the examples with the sampler that orders them. With `split: rows` the
rows of all clusters are split one by one, as the paper did: near-copies then stand on both sides, so the mixture
carries the mark `leaky`.

grpo draws only rows whose answer a rule can check: those that say `checkable: False` in their metadata are dropped, and
those whose check runs a program (they bring `tests`) as long as no sandbox is allowed. Which rows were dropped, and
which a source's own loader left out, stands with its reason in `Mixture.left_out`. `mixture.checkable` asks the same of
every strategy, so that strategies that are compared draw the same rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fairreason import benchmarks
from fairreason.benchmarks.base import Cut, split_examples
from fairreason.benchmarks.items import path_of
from fairreason.data.bundles import AXES, Pool
from fairreason.data.control import Controller, controller
from fairreason.data.sampler import Sampler, too_few
from fairreason.errors import DataError, UsageError
from fairreason.grading import sandbox
from fairreason.records import Axis, Example

if TYPE_CHECKING:
    from fairreason.recipe import Recipe

LEAKY = "leaky"
UNCHECKABLE = "no rule can check the answer"
NO_SANDBOX = "checking the answer runs a program, which --allow-code-execution allows"


class LeftOut(NamedTuple):
    """How many rows of a source's training split cannot be drawn, and why."""

    source: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Mixture:
    """`examples` are all rows that may be drawn, `sampler` orders them, `marks` are warnings that travel with every
    number of the run, `left_out` are rows of the training splits that cannot be drawn."""

    examples: list[Example]
    sampler: Sampler
    marks: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def rows(self) -> list[int]:
        """The positions that the run draws, in order, were the controller never to see a metric."""
        return [row for batch in self.sampler.fresh() for row in batch]


class Count(NamedTuple):
    """What one source (source "": the whole axis) brings: rows drawn, rows there are, shares of the run."""

    axis: Axis
    source: str
    examples: int
    available: int
    share: float


def build(recipe: Recipe, data: Path | None = None) -> Mixture:
    """The recipe's training examples and their order. Raises DataError (too few, absent) and UsageError."""
    mixture = recipe.mixture
    steering = controller(mixture.controller.type, mixture.bias_share, mixture.controller.points)
    examples: list[Example] = []
    left_out: list[LeftOut] = []
    pools: list[Pool] = []
    asked = {_place(one.name) for name in recipe.evaluation.benchmarks for one in benchmarks.behind(name)}
    for axis, weights in _asked(steering, {"bias": mixture.bias, "reasoning": mixture.reasoning}).items():
        for source, weight in weights.items():
            if _whole(source) & asked:
                raise UsageError(f"{source}: trained on and evaluated, but not split. Give its rows a cluster")
            found = training_examples(source, axis, mixture.split, data)
            missing = Counter(benchmarks.get(source).left_out("train", data))
            if mixture.checkable or recipe.strategy.type == "grpo":
                found, dropped = checked(found)
                missing += dropped
            left_out += [LeftOut(source, reason, rows) for reason, rows in sorted(missing.items())]
            if not found:
                raise DataError(_none(source, missing) or too_few(source, 0, max(1, round(mixture.size * weight))))
            pools.append(pool(source, axis, weight, found, start=len(examples), cut=mixture.split == "rows"))
            examples += found
    _unique(examples)
    sampler = Sampler(pools, steering, recipe.strategy.batch, mixture.size, recipe.seed, mixture.repeat)
    built = Mixture(examples, sampler, (LEAKY,) if mixture.split == "rows" else (), tuple(left_out))
    built.rows()  # a source that is too small is an error now, not after an hour of training
    return built


def _place(name: str) -> str:
    """A benchmark's name, or where a file of the user's own really lies: it can be spelled in several ways."""
    own = path_of(name)
    return name if own is None else str(own.resolve())


def _whole(source: str) -> set[str]:
    """The places of the benchmarks behind a source that are not split: all of their questions may be trained on."""
    return {_place(one.name) for one in benchmarks.behind(source) if one.splits == ("test",)}


def training_examples(source: str, axis: Axis, cut: Cut, data: Path | None) -> list[Example]:
    """The rows of one source that a run may train on."""
    benchmark = benchmarks.get(source)
    if benchmark.axis != axis:
        raise UsageError(f"mixture.{axis}: {source} is a {benchmark.axis} source; put it there")
    if not benchmark.trains:
        raise UsageError(f"mixture.{axis}: {source} is for evaluation alone; nothing trains on it")
    return split_examples(benchmark, "train", data, cut)


def checked(examples: Sequence[Example]) -> tuple[list[Example], Counter[str]]:
    """The rows whose answer can be checked here, and how many cannot, by reason."""
    dropped: Counter[str] = Counter()
    runs = sandbox.allowed()
    kept = []
    for example in examples:
        if not example.metadata.get("checkable", True):
            dropped[UNCHECKABLE] += 1
        elif not runs and example.metadata.get("tests"):
            dropped[NO_SANDBOX] += 1
        else:
            kept.append(example)
    return kept, dropped


def _none(source: str, left_out: Mapping[str, int]) -> str:
    """The message for a source of which nothing can be drawn because of what was left out, "" where nothing was."""
    reasons = "; ".join(f"{rows:,} {reason}" for reason, rows in sorted(left_out.items()))
    return f"{source}: none of its training rows can be drawn ({reasons})" if reasons else ""


def pool(
    source: str, axis: Axis, weight: float, examples: Sequence[Example], start: int = 0, cut: bool = False
) -> Pool:
    """One source's bundles: positions, counted from `start`, of rows that share `bundle`; `cut`: row by row."""
    places: dict[str, list[int]] = {}
    for position, example in enumerate(examples, start):
        places.setdefault(example.id if cut else example.bundle or example.id, []).append(position)
    rows = np.fromiter((row for bundle in places.values() for row in bundle), dtype=np.int64, count=len(examples))
    starts = np.zeros(len(places) + 1, dtype=np.int64)
    np.cumsum([len(bundle) for bundle in places.values()], out=starts[1:])
    return Pool(source, axis, weight, tuple(places), rows, starts)


def counts(mixture: Mixture, rows: Sequence[int] | None = None) -> list[Count]:
    """Rows drawn by source, each axis followed by its total (source "")."""
    drawn = mixture.rows() if rows is None else rows
    by_source: dict[tuple[Axis, str], int] = {(one.axis, one.source): 0 for one in mixture.sampler.pools}
    ends = np.cumsum([len(one.rows) for one in mixture.sampler.pools])
    owners = np.searchsorted(ends, np.asarray(drawn), side="right")
    for i, n in zip(*np.unique(owners, return_counts=True), strict=True):
        one = mixture.sampler.pools[int(i)]
        by_source[one.axis, one.source] = int(n)
    available = {(one.axis, one.source): len(one.rows) for one in mixture.sampler.pools}
    size = max(len(drawn), 1)
    table: list[Count] = []
    for axis in AXES:
        keys = [key for key in by_source if key[0] == axis]
        table += [Count(axis, key[1], by_source[key], available[key], by_source[key] / size) for key in keys]
        total = sum(by_source[key] for key in keys)
        table.append(Count(axis, "", total, sum(available[key] for key in keys), total / size))
    return table


def _asked(steering: Controller, axes: Mapping[str, Mapping[str, float]]) -> dict[Axis, dict[str, float]]:
    """The sources with a weight on the axes that the controller can ever ask for."""
    low, high = steering.bounds()
    asked: dict[Axis, dict[str, float]] = {}
    for axis, most in zip(AXES, (high, 1 - low), strict=True):
        weights = {source: weight for source, weight in axes[axis].items() if weight > 0}
        if most <= 0:
            continue
        if not weights or not math.isfinite(sum(weights.values())):
            raise UsageError(f"mixture.{axis}: the bias share asks for {axis} rows, but no source has a weight above 0")
        asked[axis] = weights
    return asked


def _unique(examples: Sequence[Example]) -> None:
    """A row stands in one source alone (bbq holds those of bbq/Age, and of traces on it); files of items number theirs
    as they like."""
    files: dict[str, str] = {}
    seen: dict[tuple[str, str], str] = {}
    for example in examples:
        asked = str(example.metadata.get("benchmark", example.source))
        if asked not in files:
            files[asked] = _place(asked) if path_of(asked) is not None else ""
        key = (files[asked], example.id)
        if key in seen:
            more = f", in {seen[key]} too" if seen[key] != example.source else ""
            raise DataError(f"{example.source}: the id {example.id} stands twice in the mixture's sources{more}")
        seen[key] = example.source
