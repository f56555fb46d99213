"""GSM8K: word problems of primary school with worked solutions (Cobbe et al. 2021, arXiv 2110.14168).

Data openai/grade-school-math, MIT: 1,319 test problems, here cut by question into train, dev and test, because only the
test file is read. Whoever trains on this `train` split trains on a public test set and says so in the recipe
(`marks: ["contaminated: gsm8k"]`). The answer is the number after `####`; it must be declared as the final answer
(grading/answers.py), not merely stand last in the text. `solution` is the worked text without its <<16-3=13>> marks.

    {"question": "Janet's ducks lay 16 eggs ...", "answer": "Janet sells 16 - 3 - 4 = <<16-3-4=9>>9 ...\\n#### 18"}
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, find, rows
from fairreason.draws import split_of
from fairreason.errors import DataError
from fairreason.grading.answers import grade_integer, number
from fairreason.records import Example

FILE = "test.jsonl"
INSTRUCTION = r"Give the final number in \boxed{}."
_MARK = re.compile(r"<<[^<>]*>>")


def load(split: str, data: Path | None = None) -> list[Example]:
    """One split. Raises DataError when the file is absent or not GSM8K's."""
    return [row for row in _everything(find("gsm8k", FILE, data)) if split_of(row.cluster) == split]


@lru_cache(maxsize=2)
def _everything(file: Stamp) -> tuple[Example, ...]:
    found = []
    for index, (line, row) in enumerate(rows(file.path)):
        question, answer = row.get("question"), row.get("answer")
        if not isinstance(question, str) or not isinstance(answer, str):
            raise DataError(f"{file.path}:{line}: needs question and answer, both texts")
        solution, marked, result = answer.rpartition("####")
        value = number(result)
        if not marked or value is None:
            raise DataError(f"{file.path}:{line}: the answer does not end in #### and a number")
        id = f"gsm8k/test/{index}"
        found.append(
            Example(
                id=id,
                source="gsm8k",
                axis="reasoning",
                cluster=id,
                prompt=question.strip(),
                answer=value,
                bundle=id,
                solution=_MARK.sub("", solution).strip(),
                metadata={"instruction": INSTRUCTION},
            )
        )
    return tuple(found)


GSM8K = Benchmark(
    "gsm8k",
    "reasoning",
    load,
    grade_integer,
    reasoning.summarize,
    instruction=INSTRUCTION,
    files=(FILE,),
    published=1319,
    licence="MIT",
)
