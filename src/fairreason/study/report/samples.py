"""Ten sample answers a run: what the model really wrote and what became of it.

Stratified by benchmark (10 over B benchmarks, largest first by name), within a benchmark by condition, and
drawn by a hash of the example's id, so every run of a study shows the same questions wherever it can.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fairreason.study.report.read import Row, Run, benchmark_folders, benchmark_name, torn_rows

SAMPLES = 10
LONGEST = 4_000
"""Characters of a completion or a question that are shown; the rest is counted, not hidden."""
PICTURE = re.compile(r"data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=]{1,100000}")
"""Pictures that stand in the question itself are shown; one that is a file stays where it is."""
Questions = Mapping[tuple[str, str], Row]


def samples(run: Run, questions: Questions, count: int = SAMPLES) -> list[Row]:
    """`count` answers of the run, as many from each benchmark as possible, in the order of the benchmarks; with
    question and gold answer where the study wrote them down."""
    folders = benchmark_folders(run)
    quotas = [count // len(folders) + (i < count % len(folders)) for i in range(len(folders))] if folders else []
    found = zip(folders, quotas, strict=True)
    return [sample for folder, quota in found for sample in _of_benchmark(folder, quota, questions)]


def _of_benchmark(folder: Path, quota: int, questions: Questions) -> list[Row]:
    grades = torn_rows(folder / "grades.jsonl")
    chosen = {(row.get("id"), row.get("sample", 0)): row for row in pick(grades, quota)}
    texts = {}
    for row in torn_rows(folder / "completions.jsonl"):
        key = (row.get("id"), row.get("sample", 0))
        if key in chosen:
            texts[key] = row
    name = benchmark_name(folder)
    return [
        _sample(grade, texts.get(key, {}), questions.get((name, str(grade.get("id"))), {}))
        for key, grade in chosen.items()
    ]


def pick(grades: Sequence[Row], quota: int) -> list[Row]:
    """`quota` grades, one from each condition in turn, each drawn by the hash of its id."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(grades, key=lambda row: _hash(str(row.get("id")))):
        if row.get("sample", 0) == 0:
            groups[str(row.get("condition"))].append(row)
    queues = [groups[key] for key in sorted(groups)]
    return list(_round_robin(queues))[:quota]


def _round_robin(queues: Iterable[list[Row]]) -> Iterable[Row]:
    queues = [list(queue) for queue in queues]
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.pop(0)


def _sample(grade: Row, completion: Row, question: Row) -> Row:
    prompt, cut_prompt = _shortened(question.get("prompt"))
    text, cut = _shortened(completion.get("text"))
    return {
        "id": grade.get("id"),
        "category": grade.get("category"),
        "condition": grade.get("condition"),
        "outcome": grade.get("outcome"),
        "rule": grade.get("rule"),
        "finish": completion.get("finish_reason"),
        "prompt": prompt,
        "cut_prompt": cut_prompt,
        "images": [image for image in question.get("images") or [] if PICTURE.fullmatch(str(image))],
        "gold": question.get("gold"),
        "text": text,
        "cut": cut,
    }


def _shortened(text: Any) -> tuple[str, int]:
    """At most LONGEST characters of the text, and how many were left out."""
    return (text[:LONGEST], max(0, len(text) - LONGEST)) if isinstance(text, str) else ("", 0)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
