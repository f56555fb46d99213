"""What the tests of teachers share: questions, a teacher behind the loopback server, files without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairreason.models.backends import Prompt, Sampling
from fairreason.traces import ask
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Price, Teacher

KEY = "sk-never-to-be-seen-0123456789"
SETTINGS = {"benchmark": "own", "teacher": "tiny"}


def prompts(count: int) -> list[Prompt]:
    return [Prompt(f"q/{i}", f"question {i}") for i in range(count)]


def number(body: Mapping[str, Any]) -> int:
    """Which of `prompts` or of `items` was asked."""
    return int(body["messages"][0]["content"].split("\n")[0].rpartition(" ")[2].rstrip("?"))


def items(folder: Path, count: int) -> str:
    """A multiple-choice file of our own: the first option is right."""
    rows = (
        {"id": f"own/{i}", "prompt": f"Which is {i}?", "options": [str(i), "none"], "answer": 0, "cluster": str(i)}
        for i in range(count)
    )
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"items:{path}"


def run(
    url: str,
    journal: Path,
    asked: Sequence[Prompt],
    samples: int = 1,
    price: Price | None = None,
    ceiling: float | None = None,
    teacher: Teacher | None = None,
    sampling: Sampling | None = None,
    **options: Any,
) -> ask.Asked:
    """Asks what the journal lacks, as the command does."""
    teacher = teacher or Teacher("tiny", "tiny", url, price=price)
    hashes = ask.hashes(asked)
    with Journal(journal, SETTINGS) as kept:
        budget = Budget(ceiling, teacher.price, kept.spent)
        jobs = ask.missing(asked, hashes, samples, kept)
        sampling = sampling or Sampling(16, 1.0, samples, thinking="on")
        return ask.ask(teacher, jobs, sampling, kept, budget, **options)


def rows(path: Path) -> list[dict[str, Any]]:
    """The journal's answers as they stand in the file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()[1:]]


def holding(secret: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
