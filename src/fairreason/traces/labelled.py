"""Reasoning that language models have labelled, step by step: does the step show bias? No person has labelled it.

Data folder `traces/*_judged.jsonl` (MIT): 544 traces of DeepSeek-R1 on mBBQ's English gender questions, labelled by one
model, and 864 of R1-Distill-Llama-8B on BBQ's sexual orientation, labelled by three and by what two of them say
(`judge_aggregate`). A row whose labels are not as many as its steps is left out for that judge and counted.

    {"category": "Age", "question_index": 1, "context": "...", "question": "...", "ans0": "...", ...,
     "cot": ["The text names nobody.", "So it is unknown."], "judge_gemini": [0, 0], "judge_llama": [0, 1], ...}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks.bbq_families import family
from fairreason.benchmarks.sources import find_all, rows
from fairreason.draws import unit_hash
from fairreason.errors import DataError
from fairreason.records import Example

FILES = ("*_judged.jsonl", "*_judged.jsonl.gz")


class Step(NamedTuple):
    """One step of one trace. `id` is `<file>/<row>/<step>`; `labels` by judge."""

    id: str
    trace: str
    file: str
    example: Example
    number: int
    text: str
    labels: dict[str, int]


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
            fitting = {who: given for who, given in judges.items() if _fits(given, len(cot))}
            left_out.update(f"{name}, {who}" for who in judges.keys() - fitting.keys())
            trace = f"{name}/{line - 1}"
            for number, text in enumerate(cot):
                own = {who: given[number] for who, given in fitting.items()}
                steps.append(Step(f"{trace}/{number}", trace, name, example, number, text, own))
    return steps, dict(sorted(left_out.items()))


def to_label(n: int = 100, seed: int = 0, data: Path | None = None) -> list[dict[str, Any]]:
    """`n` steps drawn from a seed, for a person: id, question, step (from 0), text, `label` null. No judge's label is
    shown. `given_labels` reads them back."""
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


def given_labels(path: Path, data: Path | None = None) -> dict[str, int]:
    """The labels in a file of such steps, by id; steps whose label is null are left. Raises DataError on any other."""
    known = {step.id for step in labelled(data)[0]}
    labels: dict[str, int] = {}
    for line, row in rows(path):
        if row.get("label") not in (0, 1, None) or not isinstance(row.get("id"), str):
            raise DataError(f"{path}:{line}: needs an id, and a label that is 0, 1 or null")
        if row["id"] not in known:
            raise DataError(f"{path}:{line}: no step of the labelled traces has the id {row['id'][:100]}")
        if row.get("label") is not None:
            labels[row["id"]] = int(row["label"])
    return labels


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
