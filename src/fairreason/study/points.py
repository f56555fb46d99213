"""Runs become points: one configuration each (everything but the seed), its value the mean over its seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fairreason.evaluation.axes import BESIDE
from fairreason.recipe import Recipe
from fairreason.records import Axis
from fairreason.study import frontier
from fairreason.study.numbers import Measures, Numbers, grounds, relative

NOT_THE_CONFIGURATION = ("seed", "study", "note", "marks")


@dataclass(frozen=True)
class Evaluated:
    """A finished run: its folder's name, what it measured, what it cost."""

    name: str
    recipe: Recipe
    measures: Measures
    cost: Mapping[str, Any] = field(default_factory=dict)
    collapsed_at: int | None = None

    @property
    def label(self) -> str:
        return self.recipe.strategy.label()

    @property
    def share(self) -> float | None:
        """The bias share; None for a schedule and for a model that is only evaluated."""
        fixed = self.recipe.mixture.controller.type == "fixed"
        return self.recipe.mixture.bias_share if fixed and self.label != "none" else None


@dataclass
class Point:
    """A configuration. `values` holds every number's estimate and draws (D), `runs_SD` those of each run."""

    name: str
    runs: list[Evaluated]
    runs_SD: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    axes: Mapping[str, Axis]

    @property
    def label(self) -> str:
        return self.runs[0].label

    @property
    def share(self) -> float | None:
        return self.runs[0].share

    @property
    def seeds(self) -> list[int]:
        return [run.recipe.seed for run in self.runs]

    @cached_property
    def family(self) -> str:
        """What the points of one share curve have in common: all that changes a result, but share and seed."""
        recipe = self.runs[0].recipe  # copied, not checked: a mixture with sources on one axis has no share between
        mixture = recipe.mixture.model_copy(update={"bias_share": 0.5})
        return configuration(recipe.model_copy(update={"mixture": mixture}))

    @cached_property
    def conditions(self) -> str:
        """What two strategies must share to be compared: model, mixture, evaluation, all but strategy and seed."""
        everything = self.runs[0].recipe.to_dict()
        return configuration(Recipe.parse({**everything, "strategy": {"type": "sft"}}))

    def estimate(self, key: str, run: int | None = None) -> dict[str, Any] | None:
        """Value, standard error, interval, and a run's answers (n) and clusters as JSON; None where there is no number.
        With `run` those of this one run. A ratio in which no draw differs (R0 at share 0, an R of 0) has neither error
        nor interval."""
        if key not in self.values:
            return None
        ground = grounds(self.runs[run or 0].measures, self.axes, key)
        values_D = self.values[key] if run is None else self.runs_SD[key][run]
        runs_SD = self.runs_SD[key] if run is None else values_D[None]
        drawn = frontier.interval(values_D)
        ends = drawn if drawn[0] < drawn[1] else ground.own  # where no draw differs: what the measures say themselves
        return {
            "value": float(values_D[0]),
            "stderr": frontier.standard_error(runs_SD) if ends else None,
            "ci_low": max(ends[0], ground.lowest) if ends else None,
            "ci_high": min(ends[1], ground.highest) if ends else None,
            "n": ground.n,
            "clusters": ground.clusters,
        }


def gather(
    runs: Sequence[Evaluated],
    found: Sequence[Numbers],
    base: Numbers,
    reasoning: Sequence[str],
    axes: Mapping[str, Axis],
    noise: frontier.SeedNoise,
    names: Mapping[str, str] | None = None,
) -> list[Point]:
    """The points of these runs, in the order of their first runs, with R against the base and R0 against the same
    family's share-0 runs of the same seeds. `names` are `point_names` of all runs of the study, the failed ones too, so
    that a name does not hang on what has finished."""
    grouped: dict[str, list[int]] = defaultdict(list)
    for index, run in enumerate(runs):
        grouped[configuration(run.recipe)].append(index)
    names = {**point_names([run.recipe for run in runs]), **(names or {})}
    points = []
    for key, members in grouped.items():
        members.sort(key=lambda index: runs[index].recipe.seed)
        for index in members:
            if (R := relative(found[index], base, reasoning)) is not None:
                found[index]["R"] = R
        keys = [key for key in found[members[0]] if all(key in found[index] for index in members)]
        runs_SD = {key: np.stack([found[index][key] for index in members]) for key in keys}
        points.append(Point(names[key], [runs[index] for index in members], runs_SD, {}, axes))
    for point in points:
        _add_R0(point, points, reasoning)
        point.values = {key: frontier.over_seeds(each, point.seeds, noise) for key, each in point.runs_SD.items()}
    return points


def base_point(run: Evaluated, found: Numbers, axes: Mapping[str, Axis]) -> Point:
    """The untouched model: one run, no seeds."""
    return Point("base", [run], {key: values[None] for key, values in found.items()}, dict(found), axes)


def bias_axes(point: Point) -> dict[str, Any]:
    """The bias numbers that stand beside F (law 5)."""
    return {key: point.estimate(key) for key in BESIDE}


def _add_R0(point: Point, points: Sequence[Point], reasoning: Sequence[str]) -> None:
    zero = next((p for p in points if p.share == 0 and p.label == point.label and p.family == point.family), None)
    if zero is None or point.share is None or not set(point.seeds) <= set(zero.seeds):
        return
    rows = []
    for s, seed in enumerate(point.seeds):
        own = {key: rows_SD[s] for key, rows_SD in point.runs_SD.items()}
        reference = {key: rows_SD[zero.seeds.index(seed)] for key, rows_SD in zero.runs_SD.items()}
        if (R0 := relative(own, reference, reasoning)) is None:
            return
        rows.append(R0)
    point.runs_SD["R0"] = np.stack(rows)


def _settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe without what does not make a configuration; of the strategy only its active block."""
    settings = {key: value for key, value in recipe.to_dict().items() if key not in NOT_THE_CONFIGURATION}
    unused = {"sft", "kd", "grpo"} - {recipe.strategy.type}
    settings["strategy"] = {key: value for key, value in settings["strategy"].items() if key not in unused}
    return settings


def configuration(recipe: Recipe) -> str:
    """Everything that changes a result, but the seed: what makes two runs one point."""
    return recipe.model_copy(update={"seed": 0}).fingerprint()


def point_names(recipes: Sequence[Recipe]) -> dict[str, str]:
    """A name for each configuration of these recipes. Those of one name get their notes behind it, where each has
    one of its own ("kd-b0.2 a teacher over a server"), else the settings in which they differ: "sft-b0.2
    strategy.sft.learning_rate=0.001"."""
    same: dict[str, dict[str, Recipe]] = defaultdict(dict)
    for recipe in recipes:
        name = recipe.name() if recipe.strategy.type == "none" else recipe.name().rpartition("-s")[0]
        same[name][configuration(recipe)] = recipe
    names: dict[str, str] = {}
    for name, twins in same.items():
        notes = {recipe.note for recipe in twins.values()}
        if len(twins) > 1 and "" not in notes and len(notes) == len(twins):
            names |= {key: f"{name} {recipe.note}" for key, recipe in twins.items()}
            continue
        flat = {key: _flat(_settings(recipe)) for key, recipe in twins.items()}
        settings = dict.fromkeys(setting for one in flat.values() for setting in one)
        differing = [key for key in settings if len({str(one.get(key)) for one in flat.values()}) > 1]
        if "model" in differing:  # a hub name's commit says no more
            differing = [key for key in differing if key != "revision"]
        for key, one in flat.items():
            names[key] = name + "".join(f" {setting}={one.get(setting)}" for setting in differing)
    return names


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat
