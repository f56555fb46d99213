"""Two runs on the same questions: for every metric the paired, clustered difference, its p-value and a verdict on B.

Which way is better stands in evaluation/axes.py; where neither is, the verdict says `differs`. Of a score that is best
at 0 the change of its size is judged, abs(B) - abs(A); both signs stand in `a` and `b`. Else `difference` is B - A.

A verdict goes by the row's own interval, as everywhere (evaluation/decisions.py). `p_holm` says what survives among
many: p-values are adjusted together (Holm 1979) over the rows of one family; all means over categories are one, the
categories of one metric another.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fairreason.evaluation import statistics
from fairreason.evaluation.axes import LOWER, NEARER_ZERO, direction
from fairreason.evaluation.sides import Side
from fairreason.records import Measure

SURE = 0.05
"""A verdict of `better`, `worse` or `differs` survives among many where its p_holm is at most this."""


def compare(
    pairs: Mapping[str, tuple[Side, Side]], margin: float = 0.02, by_category: bool = False
) -> list[dict[str, Any]]:
    """A row for every metric that both sides have: means over categories, and with `by_category` each category."""
    rows = []
    for name, (a, b) in pairs.items():
        others = {_key(measure): measure for measure in b.measures()}
        for measure in a.measures():
            if (measure.category is None or by_category) and _key(measure) in others:
                rows.append({"benchmark": name, **_row(measure, others[_key(measure)])})
    _judge(rows, margin)
    return rows


def toward_zero(measure: Measure, value: float | None) -> Measure:
    """The measure of abs(value): turned by the sign that was observed, which is taken as known."""
    sign = -1.0 if value is not None and value < 0 else 1.0
    return dataclasses.replace(measure, coefficients=measure.coefficients * sign, offset=measure.offset * sign)


def _key(measure: Measure) -> tuple[str, str | None, str | None]:
    return measure.metric, measure.category, measure.condition


def _row(a: Measure, b: Measure) -> dict[str, Any]:
    of_a, of_b = statistics.estimate(a).value, statistics.estimate(b).value
    if direction(a.metric, a.condition) == NEARER_ZERO:
        a, b = toward_zero(a, of_a), toward_zero(b, of_b)
    found = statistics.difference(b, a)
    return {
        "metric": a.metric,
        "category": a.category,
        "condition": a.condition,
        "a": of_a,
        "b": of_b,
        "difference": found.estimate.value,
        "stderr": found.estimate.stderr,
        "ci_low": found.estimate.ci_low,
        "ci_high": found.estimate.ci_high,
        "p": found.p,
        "p_holm": None,
        "n": found.estimate.n,
        "clusters": found.estimate.clusters,
        "verdict": "",
    }


def _judge(rows: list[dict[str, Any]], margin: float) -> None:
    """Adjusts the p-values family by family and writes the verdicts."""
    families: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        family = None if row["category"] is None else (row["benchmark"], row["metric"], row["condition"])
        families[family].append(row)
    for members in families.values():
        tested = [row for row in members if row["p"] is not None]
        for row, adjusted in zip(tested, statistics.holm([row["p"] for row in tested]), strict=True):
            row["p_holm"] = adjusted
    for row in rows:
        row["verdict"] = _verdict(row, margin)


def _verdict(row: Mapping[str, Any], margin: float) -> str:
    better = direction(row["metric"], row["condition"])
    low, high = row["ci_low"], row["ci_high"]
    if low is not None and better in (LOWER, NEARER_ZERO):
        low, high = -high, -low
    found = statistics.verdict(low, high, margin)
    return "differs" if found in ("better", "worse") and better is None else found


def chancy(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that are better, worse or different by their own interval and not among so many."""
    told = [row for row in rows if row["verdict"] in ("better", "worse", "differs")]
    return [row for row in told if row["p_holm"] is not None and row["p_holm"] > SURE]
