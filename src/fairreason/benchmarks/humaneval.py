'''HumanEval: write a Python function from its signature and docstring (Chen et al. 2021, arXiv 2107.03374).

Data openai/human-eval, MIT: 164 problems, for evaluation alone. A reply passes when the problem's own `check` does, in
the sandbox (grading/sandbox.py); accuracy over one answer a problem is pass@1, and k answers of a problem are one
cluster. The authors let a base model continue the prompt; here it is asked for the whole function in a block, as for
chat models everywhere, and a bare continuation is read as well. The authors' limit is 3 seconds, ours 10 of CPU.

    {"task_id": "HumanEval/0", "prompt": "def f(numbers):\\n    """ Check if ... """\\n", "entry_point": "f",
     "canonical_solution": "    return ...\\n", "test": "def check(candidate):\\n    assert candidate([1]) == True\\n"}
'''

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, find, once, rows
from fairreason.errors import DataError
from fairreason.grading import sandbox
from fairreason.grading.code import grade_code
from fairreason.records import Example

FILE = "HumanEval.jsonl"
INSTRUCTION = "Give the whole function in one ```python block."
TEXTS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")


def load(split: str, data: Path | None = None) -> list[Example]:
    """All problems, whatever the split. Raises DataError when the file is absent or not HumanEval's."""
    return list(_everything(find("humaneval", FILE, data)))


@lru_cache(maxsize=2)
def _everything(file: Stamp) -> tuple[Example, ...]:
    found = []
    for line, row in rows(file.path):
        if not all(isinstance(row.get(key), str) for key in TEXTS):
            raise DataError(f"{file.path}:{line}: needs {', '.join(TEXTS)}, all texts")
        id = f"humaneval/{row['task_id'].rpartition('/')[2]}"
        found.append(
            Example(
                id=id,
                source="humaneval",
                axis="reasoning",
                cluster=id,
                prompt=f"Complete this Python function.\n\n```python\n{row['prompt'].strip()}\n```\n",
                answer=row["prompt"] + row["canonical_solution"],
                bundle=id,
                metadata={
                    "instruction": INSTRUCTION,
                    "form": "code",
                    "entry_point": row["entry_point"],
                    "prelude": row["prompt"],
                    "tests": f"{row['test']}\n\ncheck({row['entry_point']})\n",
                },
            )
        )
    return once(found, file.path)


HUMANEVAL = Benchmark(
    "humaneval",
    "reasoning",
    load,
    grade_code,
    reasoning.summarize,
    instruction=INSTRUCTION,
    files=(FILE,),
    published=164,
    splits=("test",),
    trains=False,
    needs=partial(sandbox.check, "humaneval"),
    licence="MIT",
)
