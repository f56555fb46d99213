"""MBPP: write a short Python function from one sentence and three tests (Austin et al. 2021, arXiv 2108.07732).

Data google-research-datasets/mbpp, CC-BY-4.0: its 500 test problems (task ids 11 to 510), for evaluation alone. The
question shows the three tests, as in the paper, without its three worked examples. A reply passes when all three do, in
the sandbox (grading/sandbox.py); accuracy over one answer a problem is pass@1, and k answers of a problem are one
cluster. The harder `challenge_test_list` is not used, as nearly nowhere. A copy that calls `text` and `test_list`
`prompt` and `test` is read as well. Where such a copy has lost `test_setup_code`, mbpp/367 tests names that nobody
defines: the row stays, its metadata says `incomplete`, and no reply, the authors' own included, can pass it.

    {"task_id": 11, "text": "Write a python function to ...", "code": "def f(s, ch): ...", "test_setup_code": "",
     "test_list": ["assert f(\"hello\", \"l\") == \"heo\"", ...], "challenge_test_list": []}
"""

from __future__ import annotations

import builtins
import re
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, find, once, rows
from fairreason.errors import DataError
from fairreason.grading import sandbox
from fairreason.grading.code import grade_code
from fairreason.records import Example

FILE = "test.jsonl"
INSTRUCTION = "Give the whole program in one ```python block."
_DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)", re.MULTILINE)


def load(split: str, data: Path | None = None) -> list[Example]:
    """All problems, whatever the split. Raises DataError when the file is absent or not MBPP's."""
    return list(_everything(find("mbpp", FILE, data)))


@lru_cache(maxsize=2)
def _everything(file: Stamp) -> tuple[Example, ...]:
    return once((_example(row, f"{file.path}:{line}") for line, row in rows(file.path)), file.path)


def _example(row: dict[str, Any], where: str) -> Example:
    tests, number = row.get("test_list", row.get("test")), row.get("task_id")
    text, code, setup = row.get("text", row.get("prompt", "")), row.get("code", ""), row.get("test_setup_code") or ""
    tests = tests if isinstance(tests, list) else []
    is_whole = all(isinstance(one, str) for one in (text, code, setup, *tests)) and isinstance(number, int)
    if not (is_whole and text and code and tests):
        raise DataError(f"{where}: needs text, code, test_list (texts) and task_id, a number")
    id = f"mbpp/{number}"
    shown = "\n".join(tests)
    missing = sorted(_names(shown, where) - set(re.findall(r"\w+", code + setup)) - set(dir(builtins)))
    return Example(
        id=id,
        source="mbpp",
        axis="reasoning",
        cluster=id,
        prompt=f"{text.strip()}\nYour code should pass these tests:\n\n{shown}\n",
        answer=code.replace("\r\n", "\n").strip(),
        bundle=id,
        metadata={
            "instruction": INSTRUCTION,
            "form": "code",
            "entry_point": _entry_point(code, tests[0], where),
            "tests": shown + "\n",
            **({"setup": setup} if setup else {}),
            **({"incomplete": ", ".join(missing)} if missing else {}),
        },
    )


def _names(tests: str, where: str) -> set[str]:
    try:
        return set(compile(tests, "tests", "exec").co_names)
    except (SyntaxError, ValueError):
        raise DataError(f"{where}: the tests are no Python") from None


def _entry_point(code: str, test: str, where: str) -> str:
    """The first name in a test that the authors' program defines."""
    defined = set(_DEFINED.findall(code))
    for name in re.findall(r"\w+", test):
        if name in defined:
            return name
    raise DataError(f"{where}: the test calls nothing that the code defines")


MBPP = Benchmark(
    "mbpp",
    "reasoning",
    load,
    grade_code,
    reasoning.summarize,
    instruction=INSTRUCTION,
    files=(FILE,),
    published=500,
    splits=("test",),
    trains=False,
    needs=partial(sandbox.check, "mbpp"),
    licence="CC-BY-4.0",
)
