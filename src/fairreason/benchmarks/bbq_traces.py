"""The reasoning traces on BBQ that the paper published: BBQ questions with a teacher's thinking (arXiv 2507.23067).

Data Aaron080108/BBQ_Benchmark_Reasoning_Trace, five files of about 1,000 rows; its licence is to be read there. A
source for training: `trace` is the teacher's reasoning, everything else is BBQ's own row of that category and
example_id, with BBQ's id, cluster and split, so no question of a test family is trained on. BBQ itself must be in the
data folder. Options are shown in the published order, because a trace names the letters or numbers its teacher saw.
The traces are a choice of BBQ's rows, so a row is its own bundle.

Left out and counted: rows whose `output_answer` is not the gold label, that have no trace, that stand twice, or that
are no row of BBQ. The original has not been read yet; the format is that of its description.

    {"example_id": 0, "category": "Age", ..., "ans0": "The grandfather", "label": 2,
     "reasoning_trace": "The context mentions a grandson and ...", "output_answer": 2}
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks import bbq, bias
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, find_all, rows
from fairreason.draws import PUBLISHED, SPLITS
from fairreason.errors import DataError
from fairreason.grading.answers import grade_choice
from fairreason.records import Example

NAME = "bbq-traces"
FILES = ("*_traces_cleaned.jsonl", "*_traces_cleaned.jsonl.gz")
NEEDED = ("example_id", "category", "context", "question", "ans0", "ans1", "ans2", "reasoning_trace", "output_answer")
NOT_GOLD, NO_TRACE, TWICE, FOREIGN = (
    "the teacher's answer is not the gold label",
    "no trace",
    "stands twice",
    "not a row of BBQ",
)


class Part(NamedTuple):
    """One split: the examples, and how many rows were left out by reason."""

    examples: list[Example]
    left_out: Counter[str]


def load(split: str, data: Path | None = None) -> list[Example]:
    """One split of BBQ's families. Raises DataError where the traces or BBQ are absent or malformed."""
    return list(_read(split, data).examples)


def left_out(split: str, data: Path | None = None) -> Mapping[str, int]:
    """Rows of the split that `load` does not give, by reason; rows that BBQ does not have count in `train`."""
    return _read(split, data).left_out


def _read(split: str, data: Path | None) -> Part:
    found = [(file, row) for file in find_all(NAME, FILES, data) for row in _rows(file)]
    split_by_id: dict[str, str] = {}
    questions: dict[str, Example] = {}
    for category in sorted({str(row["category"]) for _, row in found} & bbq.CATEGORIES.keys()):
        for part in SPLITS:
            for example in bbq.load(NAME, [category], part, data):
                split_by_id[example.id] = part
                questions[example.id] = example
    kept: dict[str, Example] = {}
    reasons: Counter[str] = Counter()
    for _, row in found:
        id = f"bbq/{row['category']}/{row['example_id']}"
        if split_by_id.get(id, "train") != split:
            continue
        question = questions.get(id)
        reason = FOREIGN if question is None else TWICE if id in kept else _unfit(row, question)
        if reason or question is None:
            reasons[reason] += 1
        else:
            meta = {**question.metadata, "order": PUBLISHED}
            kept[id] = dataclasses.replace(question, bundle=id, trace=_thinking(row["reasoning_trace"]), metadata=meta)
    return Part(list(kept.values()), reasons)


def _unfit(row: Mapping[str, Any], question: Example) -> str:
    """Why the row's trace teaches nothing on this question, "" where it does."""
    texts = [row["context"], row["question"], *(row[f"ans{i}"] for i in range(3))]
    asked = [*question.prompt.split("\n", 1), *question.options]
    if [_plain(text) for text in texts] != [_plain(text) for text in asked]:
        return FOREIGN
    if row["output_answer"] != question.answer:
        return NOT_GOLD
    return "" if _thinking(row["reasoning_trace"]) else NO_TRACE


def _thinking(text: str | None) -> str:
    """The trace without think tags and without what follows them."""
    return (text or "").partition("</think>")[0].removeprefix("<think>").strip()


def _plain(text: Any) -> str:
    return " ".join(str(text).split())


@lru_cache(maxsize=16)
def _rows(file: Stamp) -> Sequence[Mapping[str, Any]]:
    """The file's rows. Raises DataError, naming file and line, where one is not as above."""
    found = []
    for line, row in rows(file.path):
        missing = [key for key in NEEDED if key not in row]
        if missing:
            raise DataError(f"{file.path}:{line}: not a row of the published traces (no {', '.join(missing)})")
        if not isinstance(row["reasoning_trace"], str | None):
            raise DataError(f"{file.path}:{line}: reasoning_trace must be a text")
        found.append({key: row[key] for key in NEEDED})
    return found


BBQ_TRACES = Benchmark(
    NAME,
    "bias",
    load,
    grade_choice,
    bias.summarize,
    chance=1 / 3,
    instruction=bbq.INSTRUCTION,
    files=(FILES[0],),
    left_out=left_out,
)
