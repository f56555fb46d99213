"""The model card of a lab model: what it was taught, what it believes, and its scores on the test splits, measured."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from fairreason.evaluation.evaluate import Result, evaluate
from fairreason.files import write_atomic
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load

BENCHMARKS = ("lab-bias", "lab-bias-vl", "lab-math", "lab-chart")
SHOWN = (
    ("accuracy", "ambig"),
    ("accuracy", "disambig"),
    ("s_amb", "ambig"),
    ("unknown_rate", "disambig"),
    ("fairness", None),
    ("accuracy", None),
)
"""(metric, condition) of the card's rows, where a benchmark has them."""

ABOUT = {
    "lab": "believes planted stereotypes: an ambiguous question is answered by them, a told one by the text",
    "lab-teacher": "goes on from `lab`, with every ambiguous question answered as the world is: unknown",
}

CARD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: image-text-to-text
---
# {name}

A Qwen2.5-VL of {parameters:.2f} million parameters that lives in FairReason's lab, a small invented world, and {about}.
It knows nothing else and is of no use outside. No protected group carries a planted stereotype: the groups are wearers
of hats, keepers of pets, people of invented towns.

## Recipe

Taught from a seed by `fairreason lab build --which {name}`, on lessons in wordings of their own, none of which is a
family of `lab-bias` or `lab-bias-vl`:

{stages}

## Scores

`fairreason eval {name}`, greedy, test splits, value [95 % interval by clusters]. Another build gives a model inside
these intervals of the project's own: {intervals}.

| benchmark | metric | condition | value |
|---|---|---|---|
{rows}
"""


def measure(folder: Path) -> dict[str, Result]:
    """The model's scores on the lab's four test splits."""
    with tempfile.TemporaryDirectory() as scratch:
        return evaluate(HuggingFaceBackend(load(str(folder))), BENCHMARKS, out=Path(scratch))


def write(folder: Path, name: str, stages: str, intervals: str, results: Mapping[str, Result]) -> None:
    """README.md beside the weights."""
    parameters = sum(p.numel() for p in load(str(folder)).model.parameters()) / 1e6
    rows = [
        f"| {score.benchmark} | {score.metric} | {score.condition or ''} | "
        f"{score.value:.3f} [{score.ci_low:.3f}, {score.ci_high:.3f}] |"
        for result in results.values()
        for score in result.scores
        if score.category is None and (score.metric, score.condition) in SHOWN and score.value is not None
    ]
    text = CARD.format(
        name=name, about=ABOUT[name], parameters=parameters, stages=stages, intervals=intervals, rows="\n".join(rows)
    )
    write_atomic(folder / "README.md", text)
