"""How far the stereotype rules agree with language models that labelled the same reasoning, and those with each other.

Agreement, never accuracy: no person has labelled these steps. Data folder `traces/*_judged.jsonl`: reasoning of
DeepSeek-R1 and R1-Distill-Llama-8B on BBQ questions, each step labelled 0 or 1 for bias by up to three models (MIT).
`judge_aggregate` is made of the three, so it is compared with the rules alone. A row whose labels are not as many as
its steps is left out for that judge and counted.

    {"category": "Age", "question_index": 1, "context": "...", "question": "...", "ans0": "...", ...,
     "cot": ["The text names nobody.", "So it is unknown."], "judge_gemini": [0, 0], "judge_llama": [0, 1], ...}

By step, and by trace (a trace is 1 where one of its steps is). Percent agreement has the clustered interval of every
number here (evaluation/statistics.py; cluster: BBQ's family); Cohen's kappa, (p_o − p_e) / (1 − p_e), the percentiles
of 2,000 draws of the families' weights (Bayesian bootstrap). Where most labels are 0 two raters agree by doing
nothing: read kappa.

    fairreason traces agreement                 the table
    fairreason traces agreement --steps 100     100 steps for a person to label, as JSON lines
    fairreason traces agreement --labels FILE   the table with that person beside the others
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fairreason.benchmarks.bbq_families import family
from fairreason.benchmarks.sources import find_all, rows
from fairreason.draws import unit_hash
from fairreason.errors import DataError
from fairreason.evaluation.statistics import draw_weights, estimate
from fairreason.records import Estimate, Example, Measure
from fairreason.traces.stereotypes import appeals

FILES = ("*_judged.jsonl", "*_judged.jsonl.gz")
RULES, AGGREGATE = "rules", "aggregate"
DRAWS = 2_000
LEVEL = 0.95

Labels = Mapping[str, int]
"""Step id -> 0 or 1."""


class Step(NamedTuple):
    """One step of one trace. `id` is `<file>/<row>/<step>`; `labels` by judge."""

    id: str
    trace: str
    file: str
    example: Example
    number: int
    text: str
    labels: dict[str, int]


class Agreement(NamedTuple):
    """Two raters on the same things. `unit`: step or trace; `ones`: the share that each labels 1."""

    file: str
    unit: str
    raters: tuple[str, str]
    ones: tuple[float, float]
    percent: Estimate
    kappa: tuple[float | None, float | None, float | None]


def labelled(data: Path | None = None) -> tuple[list[Step], dict[str, int]]:
    """All steps, and how many rows were left out by judge. Raises DataError where the files are absent or malformed."""
    steps: list[Step] = []
    left_out: Counter[str] = Counter()
    for file in find_all("traces", FILES, data):
        name = file.path.name.partition("_judged")[0]
        for line, row in rows(file.path):
            try:
                example = _example(row)
                judges = {key.removeprefix("judge_"): row[key] for key in row if key.startswith("judge_")}
                cot = [str(text) for text in row["cot"]]
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{file.path}:{line}: not a labelled trace ({type(error).__name__}: {error})") from None
            fitting = {judge: given for judge, given in judges.items() if _fits(given, len(cot))}
            left_out.update(f"{name}, {judge}" for judge in judges.keys() - fitting.keys())
            trace = f"{name}/{line - 1}"
            for number, text in enumerate(cot):
                own = {judge: given[number] for judge, given in fitting.items()}
                steps.append(Step(f"{trace}/{number}", trace, name, example, number, text, own))
    return steps, dict(sorted(left_out.items()))


def agreements(steps: Sequence[Step], more: Mapping[str, Labels] | None = None) -> list[Agreement]:
    """Every pair of raters, by file, step and trace: rules, judges, and `more` (a judge model's labels, a person's)."""
    found = []
    for file in dict.fromkeys(step.file for step in steps):
        own = [step for step in steps if step.file == file]
        raters: dict[str, Labels] = {RULES: {step.id: int(_by_rules(step)) for step in own}}
        for judge in dict.fromkeys(judge for step in own for judge in step.labels):
            raters[judge] = {step.id: step.labels[judge] for step in own if judge in step.labels}
        raters |= more or {}
        for a, b in combinations(raters, 2):
            if AGGREGATE not in (a, b) or RULES in (a, b):
                both = [step for step in own if step.id in raters[a] and step.id in raters[b]]
                if both:
                    found.append(_agreement(file, "step", (a, b), *_by_step(both, raters[a], raters[b])))
                    found.append(_agreement(file, "trace", (a, b), *_by_trace(both, raters[a], raters[b])))
    return sorted(found, key=lambda one: (one.file, one.unit, RULES not in one.raters))


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


def report(data: Path | None = None, more: Mapping[str, Labels] | None = None) -> str:
    """The table, as Markdown, and what was left out."""
    steps, left_out = labelled(data)
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
    lines += [f"\nLeft out, labels not as many as steps: {judge}: {n} traces" for judge, n in left_out.items()]
    return "\n".join(lines)


def to_label(n: int = 100, seed: int = 0, data: Path | None = None) -> list[dict[str, Any]]:
    """`n` steps drawn from a seed, for a person: id, question, step (from 0), text, `label` null. No judge's label is
    shown. Given back with labels, they are `more` of `agreements`, as {id: label}."""
    steps = sorted(labelled(data)[0], key=lambda step: unit_hash(f"label/{seed}/{step.id}"))[:n]
    return [
        {
            "id": step.id,
            "question": "\n".join([step.example.prompt, *step.example.options]),
            "step": step.number,
            "text": step.text,
            "label": None,
        }
        for step in steps
    ]


def read_labels(file: Path) -> dict[str, Labels]:
    """A person's labels, from the lines of `to_label`; lines without one are passed over. Raises DataError."""
    found: dict[str, int] = {}
    for line, row in rows(file):
        if row.get("label") is not None:
            if row["label"] not in (0, 1) or not isinstance(row.get("id"), str):
                raise DataError(f"{file}:{line}: needs id, and 0, 1 or null as label")
            found[row["id"]] = int(row["label"])
    return {"person": found}


def _example(row: Mapping[str, Any]) -> Example:
    tags = [row["answer_info"][f"ans{i}"][1] for i in range(3)]
    category, index = str(row["category"]), str(row["question_index"])
    return Example(
        id=f"{category}/{row['example_id']}",
        source="traces",
        axis="bias",
        cluster=family(category, index),
        prompt=f"{row['context']}\n{row['question']}",
        answer=int(row["label"]),
        options=(row["ans0"], row["ans1"], row["ans2"]),
        metadata={"condition": row["context_condition"], "unknown": tags.index("unknown")},
    )


def _fits(given: Any, steps: int) -> bool:
    return isinstance(given, list) and len(given) == steps and all(label in (0, 1) for label in given)


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
