"""How far the stereotype rules agree with language models that labelled the same reasoning, and those with each other.

Agreement, never accuracy: no person has labelled these steps (labelled.py says what they are). `judge_aggregate` is
what two of the three models say, so it is compared with the rules alone.

By step, and by trace (1 where one of its steps is; only where both raters labelled every step). Percent agreement has
the clustered interval of every number here (evaluation/statistics.py; cluster: BBQ's family); Cohen's kappa,
(p_o − p_e) / (1 − p_e), the percentiles of 2,000 draws of the families' weights (Bayesian bootstrap). Where most labels
are 0 two raters agree by doing nothing: read kappa.

    fairreason traces agreement                 the table
    fairreason traces agreement --steps 100     100 steps for a person to label, as JSON lines
    fairreason traces agreement --labels FILE   the table, with the labels that a person gave them
    fairreason traces agreement --judge MODEL   the table, with a judge model's labels, which are kept (verdicts.py)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fairreason.evaluation.statistics import draw_weights, estimate
from fairreason.models.backends.base import Backend
from fairreason.records import Estimate, Measure
from fairreason.traces import judge
from fairreason.traces.labelled import Step, labelled
from fairreason.traces.stereotypes import appeals
from fairreason.traces.verdicts import verdicts_in

RULES, AGGREGATE = "rules", "aggregate"
DRAWS = 2_000
LEVEL = 0.95
VERDICTS = Path("agreement.verdicts.jsonl")
"""Where a judge model's labels are kept, in the working folder."""

Labels = Mapping[str, int]
"""Step id -> 0 or 1."""


class Agreement(NamedTuple):
    """Two raters on the same things. `unit`: step or trace; `ones`: the share that each labels 1."""

    file: str
    unit: str
    raters: tuple[str, str]
    ones: tuple[float, float]
    percent: Estimate
    kappa: tuple[float | None, float | None, float | None]


def agreements(steps: Sequence[Step], more: Mapping[str, Labels] | None = None) -> list[Agreement]:
    """Every pair of raters, by file, step and trace: rules, judges, and `more` (a judge model's labels, a person's)."""
    found = []
    for file in dict.fromkeys(step.file for step in steps):
        own = [step for step in steps if step.file == file]
        raters: dict[str, Labels] = {RULES: {step.id: int(_by_rules(step)) for step in own}}
        for name in dict.fromkeys(name for step in own for name in step.labels):
            raters[name] = {step.id: step.labels[name] for step in own if name in step.labels}
        raters |= more or {}
        for a, b in combinations(raters, 2):
            if AGGREGATE not in (a, b) or RULES in (a, b):
                both = [step for step in own if step.id in raters[a] and step.id in raters[b]]
                whole = _whole(own, both)
                if both:
                    found.append(_agreement(file, "step", (a, b), *_by_step(both, raters[a], raters[b])))
                if whole:
                    found.append(_agreement(file, "trace", (a, b), *_by_trace(whole, raters[a], raters[b])))
    return sorted(found, key=lambda one: (one.file, one.unit, RULES not in one.raters))


def judged(backend: Backend, steps: Sequence[Step], kept: Path) -> tuple[Labels, dict[str, int]]:
    """A judge model's labels of these traces, as `more` of `agreements`, and how many verdicts are none, by reason.
    What the file `kept` holds is not asked again. Raises what `verdicts_in` does."""
    traces: dict[str, list[Step]] = {}
    for step in steps:
        traces.setdefault(step.trace, []).append(step)
    own = list(traces.values())
    asked = [(trace[0].example, [step.text for step in trace]) for trace in own]
    with verdicts_in(kept, backend) as ask:
        verdicts = ask(asked)
    labels = {
        step.id: label
        for trace, verdict in zip(own, verdicts, strict=True)
        for step, label in zip(trace, verdict.labels or (), strict=False)
    }
    return labels, judge.unreadable(verdicts)


def kappa(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa of tables (.., 4) that count the pairs 00, 01, 10, 11; nan where both always say the same.

    >>> kappa(np.array([15, 10, 5, 20])).round(4).item()  # Cohen 1960 by Wikipedia's first example: p_o = .7, p_e = .5
    0.4
    """
    n = counts.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (counts[..., 0] + counts[..., 3]) / n
        a, b = (counts[..., 2] + counts[..., 3]) / n, (counts[..., 1] + counts[..., 3]) / n
        expected = a * b + (1 - a) * (1 - b)
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def report(
    data: Path | None = None,
    more: Mapping[str, Labels] | None = None,
    asked: Backend | None = None,
    kept: Path = VERDICTS,
) -> str:
    """The table, as Markdown, and what was left out; with the labels of a judge model that is `asked` here, as far as
    the file `kept` does not hold them."""
    steps, left_out = labelled(data)
    if asked is not None:
        labels, unreadable = judged(asked, steps, kept)
        name = getattr(asked, "model", asked.name)
        more = {**(more or {}), name: labels}
        left_out |= {f"{name}, {reason}": count for reason, count in unreadable.items() if count}
    lines = [
        "| reasoning | unit | raters | n | families | label 1 | agreement | Cohen's kappa |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in agreements(steps, more):
        percent, (value, low, high) = one.percent, one.kappa
        kappa = "undefined" if value is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
        lines.append(
            f"| {one.file} | {one.unit} | {one.raters[0]}, {one.raters[1]} | {percent.n:,} | {percent.clusters} "
            f"| {one.ones[0]:.1%}, {one.ones[1]:.1%} "
            f"| {percent.value:.1%} [{percent.ci_low:.1%}, {percent.ci_high:.1%}] | {kappa} |"
        )
    lines += [f"\nLeft out, without a label for every step: {who}: {n} traces" for who, n in left_out.items()]
    return "\n".join(lines)


def _whole(own: Sequence[Step], both: Sequence[Step]) -> list[Step]:
    """Of the steps with both labels those of traces that have them on every step."""
    there = {step.id for step in both}
    cut = {step.trace for step in own if step.id not in there}
    return [step for step in both if step.trace not in cut]


def _by_rules(step: Step) -> bool:
    return bool(appeals(step.text, step.example))


def _by_step(steps: Sequence[Step], a: Labels, b: Labels) -> tuple[list[int], list[int], list[str]]:
    return [a[step.id] for step in steps], [b[step.id] for step in steps], [step.example.cluster for step in steps]


def _by_trace(steps: Sequence[Step], a: Labels, b: Labels) -> tuple[list[int], list[int], list[str]]:
    cluster = {step.trace: step.example.cluster for step in steps}
    ones = [{step.trace for step in steps if labels[step.id]} for labels in (a, b)]
    return [int(one in ones[0]) for one in cluster], [int(one in ones[1]) for one in cluster], list(cluster.values())


def _agreement(
    file: str, unit: str, raters: tuple[str, str], a: list[int], b: list[int], clusters: list[str]
) -> Agreement:
    a_N, b_N, n = np.array(a), np.array(b), len(a)
    same = Measure(
        "agreement",
        None,
        None,
        (a_N == b_N).astype(float),
        np.ones(n),
        np.zeros(n, int),
        np.array(clusters),
        np.ones(1),
    )
    names = sorted(set(clusters))
    counts_G4 = np.zeros((len(names), 4))
    np.add.at(counts_G4, ([names.index(name) for name in clusters], 2 * a_N + b_N), 1)
    drawn_D = kappa(draw_weights(DRAWS, names, 0) @ counts_G4)
    value = float(kappa(counts_G4.sum(axis=0)))
    ends = np.nanpercentile(drawn_D, [50 * (1 - LEVEL), 50 * (1 + LEVEL)]) if np.isfinite(drawn_D).any() else None
    shown = (None, None, None) if np.isnan(value) or ends is None else (value, float(ends[0]), float(ends[1]))
    return Agreement(file, unit, raters, (float(a_N.mean()), float(b_N.mean())), estimate(same), shown)
