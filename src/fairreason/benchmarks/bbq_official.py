"""The rows that BBQ's authors score (their BBQ_calculate_bias_score.R): `fairreason score bbq ... --official`.

Their script drops an answer that names no option and a row without target, also from accuracy; our default keeps both
in n. On what is left the two agree: s_amb, s_dis and accuracy are the authors' numbers / 100
(tests/benchmarks/test_bbq_official.py). Two differences remain: their merge with the metadata counts 64 rows of
Gender_identity twice, here they count once; and an answer that is no option's text they take for the first option
whose first two words it contains, here it is read by the strict reader or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fairreason.benchmarks.bbq_targets import ABSENT, without_metadata
from fairreason.records import Example, Grade


class Official(NamedTuple):
    """The examples and grades that are left, in parallel, and how many were left out for which reason."""

    examples: list[Example]
    grades: list[Grade]
    no_choice: int
    no_target: int

    @property
    def excluded(self) -> int:
        return self.no_choice + self.no_target


def official(examples: Sequence[Example], grades: Sequence[Grade]) -> Official:
    """Without the answers that made no choice (unparsed, truncated, error) and then without the rows that have no
    target. Where additional_metadata.csv is absent these are all rows of the two intersectional categories."""
    chosen = [(e, g) for e, g in zip(examples, grades, strict=True) if g.choice is not None]
    kept = [(e, g) for e, g in chosen if e.metadata.get("target") is not None]
    return Official([e for e, _ in kept], [g for _, g in kept], len(examples) - len(chosen), len(chosen) - len(kept))


def left_out(examples: Sequence[Example], left: Official) -> list[str]:
    """What a reader must know of what the rule left out of these examples, a sentence each."""
    counts = f"{left.no_choice:,} made no choice, {left.no_target:,} have no target"
    said = [f"the authors' rule leaves out {left.excluded:,} answers: {counts}"]
    if gone := sorted(_categories(examples) - _categories(left.examples)):
        said.append(f"the authors' rule leaves nothing of {', '.join(gone)}: no score counts them")
    if untold := without_metadata(examples):
        said.append(f"{' and '.join(untold)}: {ABSENT}")
    return said


def _categories(examples: Sequence[Example]) -> set[str]:
    return {example.metadata["category"] for example in examples}
