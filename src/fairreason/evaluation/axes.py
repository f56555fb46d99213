"""The axes on which runs are told apart: which measure of a benchmark stands behind each, and which way is better.

F and R are defined in docs/statistics.md; the others are a benchmark's measure for the mean over its categories, and
their mean over several bias benchmarks.

| axis | better is |
|---|---|
| F, R, accuracy, accuracy_ambig, accuracy_disambig, abstention_j, unknown_ambig | higher |
| unknown_disambig, s_amb_abs | lower |
| s_amb, s_dis, nonalignment_cost | nearer 0 |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fairreason.evaluation.statistics import estimate
from fairreason.records import Measure

HIGHER, LOWER, NEARER_ZERO = 1, -1, 0
BETTER: Mapping[tuple[str, str | None], int] = {
    ("fairness", None): HIGHER,
    ("accuracy", None): HIGHER,
    ("pair_accuracy", None): HIGHER,
    ("abstention_j", None): HIGHER,
    ("unknown_rate", "ambig"): HIGHER,
    ("unknown_rate", None): LOWER,
    ("s_amb_abs", None): LOWER,
    ("s_amb", None): NEARER_ZERO,
    ("s_dis", None): NEARER_ZERO,
    ("nonalignment_cost", None): NEARER_ZERO,
    ("non_neg_gap", None): NEARER_ZERO,
}
"""Which way is better, by metric and condition; condition None stands for every one that is not named."""


class Wanted(NamedTuple):
    """Where an axis comes from: a benchmark's metric for the mean over categories."""

    metric: str
    condition: str | None


BESIDE: dict[str, Wanted] = {
    "s_amb": Wanted("s_amb", None),
    "s_amb_abs": Wanted("s_amb_abs", None),
    "s_dis": Wanted("s_dis", None),
    "accuracy_ambig": Wanted("accuracy", "ambig"),
    "accuracy_disambig": Wanted("accuracy", "disambig"),
    "abstention_j": Wanted("abstention_j", None),
    "unknown_ambig": Wanted("unknown_rate", "ambig"),
    "unknown_disambig": Wanted("unknown_rate", "disambig"),
    "nonalignment_cost": Wanted("nonalignment_cost", None),
}
"""What stands beside F, since bias is never one number."""
BIAS_AXES: dict[str, Wanted] = {"F": Wanted("fairness", None), **BESIDE}


def direction(metric: str, condition: str | None) -> int | None:
    """HIGHER, LOWER or NEARER_ZERO is better; None where neither is."""
    return BETTER.get((metric, condition), BETTER.get((metric, None)))


def overall(measures: Sequence[Measure], metric: str, condition: str | None = None) -> Measure | None:
    """A benchmark's measure for the mean over categories; without a condition the first of that metric."""
    for measure in measures:
        if measure.metric == metric and measure.category is None and (condition in (None, measure.condition)):
            return measure
    return None


def not_above_chance(measure: Measure | None, chance: float) -> str | None:
    """Why R cannot be measured against this base accuracy (it is not above guessing by its own interval); None where
    it can."""
    found = None if measure is None else estimate(measure)
    if found is not None and found.value is not None and found.ci_low is not None and found.ci_low > chance:
        return None
    shown = "no accuracy" if found is None or found.value is None else f"accuracy {found.value:.3f}"
    low = "" if found is None or found.ci_low is None else f", interval from {found.ci_low:.3f}"
    return f"the base is not above chance ({chance:.3f}) by its own interval: {shown}{low}"


def part_of(name: str, names: Collection[str]) -> str | None:
    """The largest benchmark among `names` that this one is a part of, None where there is none.

    >>> part_of("bbq/Age", ["bbq", "bbq/Age"]), part_of("bbq", ["bbq"]), part_of("items:bbq/own.jsonl", ["items:bbq"])
    ('bbq', None, None)
    >>> part_of("vlbiasbench/base/Age", ["vlbiasbench/base"])
    'vlbiasbench/base'
    """
    inside = name.split("/") if ":" not in name else []
    wholes = ("/".join(inside[:depth]) for depth in range(1, len(inside)))
    return next((whole for whole in wholes if whole in names), None)


def mean(parts: Mapping[str, Measure]) -> Measure:
    """The plain mean of several benchmarks' measures, by their names, as one measure over all their rows.

    Our benchmarks' clusters are named after their source (`mathverse/12`), so what two of them share stays one cluster;
    those of a user's file have the file's name put before them."""
    measures = list(parts.values())
    starts = np.cumsum([0, *(len(part.coefficients) for part in measures)])
    own = [f"{name}/" if ":" in name else "" for name in parts]
    return Measure(
        measures[0].metric,
        None,
        measures[0].condition,
        np.concatenate([part.values for part in measures]),
        np.concatenate([part.weights for part in measures]),
        np.concatenate([part.strata + start for part, start in zip(measures, starts, strict=False)]),
        np.concatenate(
            [np.char.add(file, part.clusters.astype(str)) for file, part in zip(own, measures, strict=True)]
        ),
        np.concatenate([part.coefficients for part in measures]) / len(measures),
        sum(part.offset for part in measures) / len(measures),
    )
