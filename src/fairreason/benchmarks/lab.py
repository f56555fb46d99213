"""The lab's four benchmarks: `lab-bias`, `lab-bias-vl`, `lab-math`, `lab-chart`, made by fairreason.world.

They are made by code from fixed seeds, need no files, and are split like every other source, by the hash of the
cluster's name; the category `Season` stands in `test` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from fairreason.benchmarks import bias, reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.draws import split_of
from fairreason.grading.answers import grade_choice, grade_integer
from fairreason.records import Axis, Completion, Example, Grade
from fairreason.world import questions


def load(name: str, split: str, data: Path | None = None) -> list[Example]:
    """One split of a lab benchmark; `data` is not used."""
    return list(_split(name, split))


@lru_cache(maxsize=12)
def _split(name: str, split: str) -> tuple[Example, ...]:
    rows = questions.examples(name)
    return tuple(row for row in rows if (row.metadata.get("split") or split_of(row.cluster)) == split)


def _lab(name: str, axis: Axis, grade: Callable[[Example, Completion], Grade], chance: float) -> Benchmark:
    summarize = bias.summarize if axis == "bias" else reasoning.summarize
    return Benchmark(name, axis, partial(load, name), grade, summarize, chance, licence="Apache-2.0")


LAB_BIAS = _lab("lab-bias", "bias", grade_choice, 1 / 3)
LAB_BIAS_VL = _lab("lab-bias-vl", "bias", grade_choice, 1 / 3)
LAB_MATH = _lab("lab-math", "reasoning", grade_integer, 0.0)
LAB_CHART = _lab("lab-chart", "reasoning", grade_integer, 0.0)
