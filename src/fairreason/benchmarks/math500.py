r"""MATH-500: 500 competition problems in seven subjects and five levels (Lightman et al. 2023, arXiv 2305.20050).

Data HuggingFaceH4/MATH-500, the 500 test problems of openai/prm800k, MIT; MATH itself is Hendrycks et al. 2021. An
evaluation set: nothing trains on it, so all of it is `test`. The answer is bare LaTeX and is graded by value
(grading/maths.py); every published solution, read as a reply, is graded correct. Accuracy overall, by subject and by
level (`level 5`).

    {"problem": "Convert the point $(0,3)$ ...", "solution": "We have that $r = ...$", "subject": "Precalculus",
     "answer": "\\left( 3, \\frac{\\pi}{2} \\right)", "level": 2, "unique_id": "test/precalculus/807.json"}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, find, once, rows
from fairreason.errors import DataError
from fairreason.grading.maths import grade_math
from fairreason.records import Example, Grade, Measure

FILE = "test.jsonl"
INSTRUCTION = r"Give the final answer in \boxed{}."


def load(split: str, data: Path | None = None) -> list[Example]:
    """All of it, whatever the split. Raises DataError when the file is absent or not MATH-500's."""
    return list(_everything(find("math500", FILE, data)))


@lru_cache(maxsize=2)
def _everything(file: Stamp) -> tuple[Example, ...]:
    return once((_example(f"{file.path}:{line}", row) for line, row in rows(file.path)), file.path)


def _example(where: str, row: dict[str, Any]) -> Example:
    texts = [row.get(key) for key in ("problem", "solution", "answer", "subject", "unique_id")]
    if not all(isinstance(text, str) and text.strip() for text in texts) or not isinstance(row.get("level"), int):
        raise DataError(
            f"{where}: needs problem, solution, answer, subject and unique_id, all texts, and level, a number"
        )
    id = f"math500/{row['unique_id'].removesuffix('.json')}"
    return Example(
        id=id,
        source="math500",
        axis="reasoning",
        cluster=id,
        bundle=id,
        prompt=row["problem"].strip(),
        answer=row["answer"].strip(),
        solution=row["solution"].strip(),
        metadata={"category": row["subject"], "level": row["level"], "instruction": INSTRUCTION},
    )


def summarize(examples: Sequence[Example], grades: Sequence[Grade]) -> list[Measure]:
    """Accuracy overall and by subject, then by level."""
    levels = [replace(row, metadata={"category": f"level {row.metadata['level']}"}) for row in examples]
    by_level = reasoning.summarize(levels, grades)[1:]
    return reasoning.summarize(examples, grades) + by_level


MATH500 = Benchmark(
    "math500",
    "reasoning",
    load,
    grade_math,
    summarize,
    instruction=INSTRUCTION,
    files=(FILE,),
    published=500,
    splits=("test",),
    trains=False,
    licence="MIT",
)
