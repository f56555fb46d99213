r"""Mixture-of-Thoughts: DeepSeek-R1's verified reasoning on mathematics, code and science, a source for training.

Data open-r1/Mixture-of-Thoughts (Hugging Face): 93,733 rows of math, 83,070 of code, 172,514 of science; its licence is
to be read there. `mixture-of-thoughts` is all of it, `mixture-of-thoughts/math` one part. Files as published:
`mixture-of-thoughts/math/train-*.parquet`, or the same rows as `train*.jsonl`; where one of the three folders is not
there, `all/` is read, and `source` says what a row is. The original has not been read yet.

`trace` is what R1 thought, `solution` what it then wrote. `answer` is what a rule can check: the one box of the reply
(read as mathematics), or the option it names where the question lists options. Where nothing can be checked (code,
whose rows bring no tests; proofs; two different boxes) it is the final text itself, `checkable` is False and grpo does
not draw the row. Options stand in the published order, because the trace names the letters that R1 saw. Texts stay on
disk (benchmarks/shelf.py). Cluster: the question without case and spacing, so that doubled questions stay together.

    {"messages": [{"role": "user", "content": "What is $2 + 2$?"},
                  {"role": "assistant", "content": "<think>\n2 + 2 = 4.\n</think>\n\nIt is \\boxed{4}."}],
     "num_tokens": 20, "source": "open-r1/OpenR1-Math-220k"}
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.choices import choices
from fairreason.benchmarks.shelf import Shelf, Shelved, final_text
from fairreason.benchmarks.sources import Stamp, find_all
from fairreason.draws import PUBLISHED, SPLITS, split_of
from fairreason.errors import DataError
from fairreason.grading.answers import grade_choice
from fairreason.grading.marks import boxes
from fairreason.grading.maths import LONGEST_FORMULA, grade_math
from fairreason.records import Completion, Example, Grade

NAME = "mixture-of-thoughts"
PARTS: Mapping[str, int] = {"math": 93_733, "code": 83_070, "science": 172_514}
"""The parts and how many rows each was published with."""

CHOOSE, WRITE = r"Give the letter of the right answer in \boxed{}.", r"Give the final answer in \boxed{}."
NO_THINKING = "no thinking part that ends, or nothing after it"


class Kind(NamedTuple):
    """How a row is answered, which many share: its part and whether it has options, a formula or neither."""

    part: str
    has_options: bool
    checkable: bool


def load(name: str, parts: Sequence[str], split: str, data: Path | None = None) -> list[Example]:
    """One split of these parts, under the source's name. Raises DataError where the files are absent or malformed."""
    return [row for found in _found(name, parts, data) for row in found.examples.get(split, ())]


def left_out(name: str, parts: Sequence[str], split: str, data: Path | None = None) -> Mapping[str, int]:
    """Rows of the split that `load` does not give, by reason."""
    return sum((found.left_out.get(split, Counter()) for found in _found(name, parts, data)), Counter())


def grade(example: Example, completion: Completion) -> Grade:
    """By option, or as mathematics; a row that no rule can check is `unparsed`, whatever the reply."""
    if not example.metadata["checkable"]:
        return Grade("unparsed", rule="no rule checks this row")
    return grade_choice(example, completion) if example.options else grade_math(example, completion)


class Found(NamedTuple):
    """Examples, and counts of what was left out by reason, both by split."""

    examples: dict[str, list[Example]]
    left_out: dict[str, Counter[str]]


def _found(name: str, parts: Sequence[str], data: Path | None) -> list[Found]:
    return [_read(files, name, folder) for folder, files in _places(parts, data).items()]


def _places(parts: Sequence[str], data: Path | None) -> dict[str, tuple[Stamp, ...]]:
    """The files by folder: the parts' own, or `all` where every part is wanted and one has no folder."""
    try:
        return {part: _files(part, data) for part in parts}
    except DataError:
        if len(parts) < len(PARTS):
            raise
        with contextlib.suppress(DataError):
            return {"all": _files("all", data)}
        raise


def _files(folder: str, data: Path | None) -> tuple[Stamp, ...]:
    endings = ("train-*.parquet", "train*.jsonl", "train*.jsonl.gz")
    return tuple(find_all(NAME, [f"{folder}/{ending}" for ending in endings], data))


@lru_cache(maxsize=6)
def _read(files: tuple[Stamp, ...], name: str, folder: str) -> Found:
    shelf = Shelf([file.path for file in files], f"{NAME}/{folder}")
    shared: dict[Kind, dict[str, Any]] = {}
    examples: dict[str, list[Example]] = {split: [] for split in SPLITS}
    dropped: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for row, question, reply, source in shelf.rows():
        part = folder if folder in PARTS else part_of(source)
        stem, options = choices(question) if part != "code" else (question, ())
        cluster = f"{NAME}/{fold(stem)}"
        split = split_of(cluster)
        final = final_text(reply) if "</think>" in reply else ""
        if not final:
            dropped[split][NO_THINKING] += 1
            continue
        id = f"{NAME}/{folder}/{row}"
        answer = None if part == "code" else _checkable(id, options, final)
        kind = Kind(part, isinstance(answer, int), answer is not None)
        made = Shelved.of(
            shelf,
            row,
            answer,
            id=id,
            source=name,
            cluster=cluster,
            bundle=id,
            options=options if kind.has_options else (),
            metadata=shared.setdefault(kind, _metadata(kind)),
        )
        examples[split].append(made)
    return Found(examples, dropped)


def _checkable(id: str, options: tuple[str, ...], final: str) -> int | str | None:
    """What a rule can check: the option that the final text names, or its one box; None where there is neither."""
    if options:
        asked = Example(id, NAME, "reasoning", "", "", 0, options, metadata={"order": PUBLISHED})
        choice = grade_choice(asked, Completion(final)).choice
        if choice is not None:
            return choice
    found = set(boxes(final)) if "box" in final else set()
    answer = found.pop() if len(found) == 1 else None
    return answer if answer and len(answer) <= LONGEST_FORMULA and not (options and len(answer) == 1) else None


def _metadata(kind: Kind) -> dict[str, Any]:
    instruction = CHOOSE if kind.has_options else WRITE if kind.checkable else ""
    meta: dict[str, Any] = {"category": kind.part, "instruction": instruction, "checkable": kind.checkable}
    if kind.has_options:
        meta["order"] = PUBLISHED
    return meta if kind.checkable else {**meta, "form": "plain"}


def part_of(source: str) -> str:
    """The part that a row of `all` belongs to, by the name of its source.

    >>> part_of("open-r1/OpenR1-Math-220k"), part_of("open-r1/codeforces-cots"), part_of("nvidia/Nemotron")
    ('math', 'code', 'science')
    """
    return next((part for part in ("math", "code") if part in source.casefold()), "science")


def fold(question: str) -> str:
    """A name for a question, the same whatever its case and spacing.

    >>> fold("What is 2 +  2?") == fold("what is\\n2 + 2?")
    True
    """
    return hashlib.sha256(" ".join(question.casefold().split()).encode()).hexdigest()[:16]


def _benchmark(name: str, parts: Sequence[str]) -> Benchmark:
    return Benchmark(
        name,
        "reasoning",
        partial(load, name, tuple(parts)),
        grade,
        reasoning.summarize,
        files=tuple(f"{part}/train-*.parquet" for part in parts),
        published=sum(PARTS[part] for part in parts),
        left_out=partial(left_out, name, tuple(parts)),
    )


MIXTURE_OF_THOUGHTS = _benchmark(NAME, tuple(PARTS))
BY_PART = {f"{NAME}/{part}": _benchmark(f"{NAME}/{part}", [part]) for part in PARTS}
