r"""AIME 2024: the 30 problems of the American Invitational Mathematics Examination I and II of 2024.

Data HuggingFaceH4/aime_2024 (problems of the MAA, published on artofproblemsolving.com). An evaluation set: nothing
trains on it, so all of it is `test`. Answers are whole numbers from 0 to 999, `073` is 73. The problem is the cluster:
k answers to it are one draw, so 30 problems stay 30 however often they are asked.

    {"id": 60, "problem": "Every morning Aya goes for a $9$-kilometer-long walk ...", "solution": "$\\frac{9}{s} + ...",
     "answer": "204", "url": "https://artofproblemsolving.com/wiki/..."}
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, find, once, rows
from fairreason.errors import DataError
from fairreason.grading.answers import grade_integer, number
from fairreason.records import Example

FILE = "test.jsonl"
INSTRUCTION = r"The answer is a whole number from 0 to 999. Give it in \boxed{}."


def load(split: str, data: Path | None = None) -> list[Example]:
    """All of it, whatever the split. Raises DataError when the file is absent or not AIME 2024's."""
    return list(_everything(find("aime2024", FILE, data)))


@lru_cache(maxsize=2)
def _everything(file: Stamp) -> tuple[Example, ...]:
    return once((_example(f"{file.path}:{line}", row) for line, row in rows(file.path)), file.path)


def _example(where: str, row: dict[str, Any]) -> Example:
    problem, solution, value = row.get("problem"), row.get("solution"), number(str(row.get("answer")))
    if not isinstance(row.get("id"), int) or not isinstance(problem, str) or not isinstance(solution, str):
        raise DataError(f"{where}: needs id, a number, and problem and solution, both texts")
    if value is None or not value.isdigit() or int(value) > 999:
        raise DataError(f"{where}: answer must be a whole number from 0 to 999, got {row.get('answer')!r}")
    id = f"aime2024/{row['id']}"
    return Example(
        id=id,
        source="aime2024",
        axis="reasoning",
        cluster=id,
        bundle=id,
        prompt=problem.strip(),
        answer=value,
        solution=solution.strip(),
        metadata={"instruction": INSTRUCTION},
    )


AIME2024 = Benchmark(
    "aime2024",
    "reasoning",
    load,
    grade_integer,
    reasoning.summarize,
    instruction=INSTRUCTION,
    files=(FILE,),
    published=30,
    splits=("test",),
    trains=False,
    licence="problems © MAA",
)
