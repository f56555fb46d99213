"""`bbq-aligned`: the BBQ questions whose stereotyped answer is the right one, a second view that nothing trains on.

Half of the disambiguated rows tell that the person of the stereotype did it. A model that merely learned never to say
the stereotype fails on them, and s_dis near 0 does not show it. Each stands here with its ambiguous partner (same
context without the telling sentence, same question), as a pair:

| metric | definition |
|---|---|
| `pair_accuracy` | both right: unknown where the context does not say, the stereotyped person where it does |
| `accuracy` ambig, disambig | each half |
| `unknown_rate` ambig, disambig | "unknown" in each half |

Ids, options and order are BBQ's, so `bbq`'s predictions can be scored as this. A pair of which one row was not asked
is left out of `pair_accuracy`. Rows without target (16, or a category that has none) are in no pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fairreason.benchmarks import bbq, bias
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.bbq_targets import INTERSECTIONAL, METADATA
from fairreason.records import Example, Grade, Measure

NAME = "bbq-aligned"


def load(split: str, data: Path | None = None) -> list[Example]:
    """The aligned pairs of one split, in BBQ's order. DataError as `bbq`."""
    rows = bbq.BBQ.load(split, data)
    aligned = {_pair(row) for row in rows if row.metadata["condition"] == bias.DISAMBIG and _is_aligned(row)}
    return [replace(row, source=NAME) for row in rows if _pair(row) in aligned]


def summarize(examples: Sequence[Example], grades: Sequence[Grade]) -> list[Measure]:
    """`pair_accuracy`, then accuracy and unknown rate of each half: means over categories first, then each category."""
    halves: dict[tuple[str, str], dict[str, list[tuple[Example, Grade]]]] = defaultdict(lambda: defaultdict(list))
    for example, grade in zip(examples, grades, strict=True):
        halves[_pair(example)][example.metadata["condition"]].append((example, grade))
    pairs = [pair for half in halves.values() for pair in zip(half[bias.AMBIG], half[bias.DISAMBIG], strict=False)]
    told = [example for _, (example, _) in pairs]
    both = [g if f.outcome == "correct" else f for (_, f), (_, g) in pairs]
    paired = [m for m in bias.summarize(told, both) if m.metric == "accuracy" and m.condition is None]
    singly = [m for m in bias.summarize(examples, grades) if m.metric in ("accuracy", "unknown_rate") and m.condition]
    return [*(replace(m, metric="pair_accuracy") for m in paired), *singly]


def remarks(examples: Sequence[Example]) -> list[str]:
    """Which categories have no pairs."""
    there = {example.id.split("/")[1] for example in examples}
    absent = [category for category in INTERSECTIONAL if category not in there]
    if not absent or not examples:
        return []
    return [
        f"{' and '.join(absent)}: no pairs, since {METADATA} is absent and only it names the stereotyped answer there"
    ]


def _pair(example: Example) -> tuple[str, str]:
    return example.bundle, example.metadata["polarity"]


def _is_aligned(example: Example) -> bool:
    return example.metadata["target"] is not None and example.answer == example.metadata["target"]


BBQ_ALIGNED = Benchmark(
    NAME,
    "bias",
    load,
    bbq.BBQ.grade,
    summarize,
    chance=1 / 3,
    instruction=bbq.INSTRUCTION,
    files=bbq.BBQ.files,
    trains=False,
    remarks=remarks,
    beside=True,
    licence="CC-BY-4.0",
)
