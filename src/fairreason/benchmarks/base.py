"""What a benchmark is: data with three pure functions, and how its questions are split, shown and answered.

The split is a rule of the cluster's name, the shown order a hash of the example's id, so everybody's are the same and
neither depends on what else was loaded. `prompt_text` and `answer_text` are the only places that write a question or
an answer: evaluation, training, traces and exports all call them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fairreason.draws import LETTERS, SPLITS, Split, question_id, shown_order, split_of
from fairreason.errors import DataError
from fairreason.pictures import picture_hash
from fairreason.records import Axis, Completion, Example, Grade, Measure


def _nothing(examples: Sequence[Example]) -> list[str]:
    return []


@dataclass(frozen=True)
class Benchmark:
    """One dataset.

    `load(split, data)` gives the examples of one split, `data` the data folder (None: FAIRREASON_DATA); DataError when
    the files are absent. `grade` is what evaluator, reward and trace filter call. `summarize` takes examples and grades
    in parallel (an example stands once a sample) and gives the measures. `chance` is the accuracy of guessing;
    `instruction` the line the prompts end with, "" where there is none; `files` what the data folder must hold;
    `published` how many questions the source has, None where that is not a fixed number. `splits` of only `test` says
    that the source is not split: `load` gives all of it, whatever is asked for. `trains` False: for evaluation alone.
    `needs()` raises where something that grading needs is missing (a permission, a program); it is called before a
    model is loaded or asked.
    `left_out(split, data)` counts, by reason, the rows that a source holds and `load` does not give.
    `remarks` says in plain sentences what these examples cannot show and why (a score that is absent). `beside` True: a
    second view of another benchmark's questions, shown beside it and never part of a study's F or R. `licence` is the
    source's own, as docs/benchmarks.md names it; "" where it has not been read yet.
    """

    name: str
    axis: Axis
    load: Callable[[str, Path | None], list[Example]]
    grade: Callable[[Example, Completion], Grade]
    summarize: Callable[[Sequence[Example], Sequence[Grade]], list[Measure]]
    chance: float = 0.0
    instruction: str = ""
    files: tuple[str, ...] = ()
    published: int | None = None
    splits: tuple[Split, ...] = field(default=SPLITS)
    trains: bool = True
    needs: Callable[[], None] = lambda: None
    remarks: Callable[[Sequence[Example]], list[str]] = _nothing
    left_out: Callable[[str, Path | None], Mapping[str, int]] = lambda split, data: {}
    beside: bool = False
    licence: str = ""


def grade_one(benchmark: Benchmark, example: Example, completion: Completion) -> Grade:
    """The completion's grade; a failed completion, and one on which grading fails, is an `error` with its reason."""
    if completion.finish_reason == "error":
        return Grade("error", rule=completion.text[:300])
    try:
        return benchmark.grade(example, completion)
    except Exception as error:  # one example's trouble is recorded on it and counted
        return Grade("error", rule=f"{type(error).__name__}: {error}"[:300])


def by_split(benchmark: Benchmark, data: Path | None) -> dict[Split, list[Example]]:
    """The benchmark's examples by split; all of a source that is not split under `test`."""
    return {split: benchmark.load(split, data) for split in benchmark.splits}


def everything(benchmark: Benchmark, data: Path | None, split: str | None = None) -> list[Example]:
    """The benchmark's examples of one split, or of all; of a source that is not split always all."""
    if split is None or benchmark.splits == ("test",):
        return [row for rows in by_split(benchmark, data).values() for row in rows]
    return benchmark.load(split, data)


Cut = Literal["cluster", "rows"]


def split_examples(benchmark: Benchmark, split: str, data: Path | None, cut: Cut = "cluster") -> list[Example]:
    """The benchmark's examples of one split. `cut` "rows" splits row by row, as the paper did: near-copies of a row
    then lie on the other side, so every number from it is marked `leaky`."""
    if cut == "cluster" or benchmark.splits == ("test",):
        return benchmark.load(split, data)
    return [row for row in everything(benchmark, data) if split_of(question_id(row)) == split]


def folder_name(benchmark: str) -> str:
    """The name of a benchmark's folder inside an evaluation: one level, nothing but letters, digits and `._-`.

    >>> folder_name("bbq/Age"), folder_name("items:../own.jsonl")
    ('bbq-Age', 'items-..-own.jsonl-e1c59de0')
    """
    flat = re.sub(r"[^A-Za-z0-9._-]+", "-", benchmark)
    digest = hashlib.sha256(benchmark.encode()).hexdigest()[:8]
    return f"{flat[:60]}-{digest}" if ":" in benchmark else flat


def prompt_text(example: Example) -> str:
    """The question as a model reads it: the prompt, a line an option in shown order, the instruction if there is one.

    The instruction stands in the example's metadata, where the benchmark's loader puts it."""
    shown = zip(letters(example), shown_order(example), strict=True)
    lines = [example.prompt, *(f"{letter}. {example.options[index]}" for letter, index in shown)]
    instruction = example.metadata.get("instruction", "")
    return "\n".join([*lines, instruction] if instruction else lines)


SUMMARIZED = ("category", "condition", "polarity", "target")
"""Metadata that only scores are made of: whoever reads grades takes it from the data at hand."""


def question_hash(text: str, images: Sequence[str]) -> str:
    """A question as it was put (its words, the order of its options, its pictures by content) as 16 hexadecimal digits
    of SHA-256: what differs in it was not asked the same."""
    pictures = [picture_hash(reference) for reference in images]
    return hashlib.sha256(json.dumps([text, pictures]).encode()).hexdigest()[:16]


def gold_hash(example: Example) -> str:
    """What grades an answer to the question (the right answer, the options, tests and the like in the metadata) as 16
    hexadecimal digits of SHA-256; without `SUMMARIZED`, which no grade hangs on."""
    more = {key: value for key, value in example.metadata.items() if key not in SUMMARIZED}
    row = [example.answer, list(example.options), more]
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()[:16]


def answer_text(example: Example) -> str:
    r"""The gold final answer as a model writes it: `\boxed{B}` (letter in the shown order) or `\boxed{12}`; where the
    example's metadata has a `form`: "code" a fenced block, "plain" the answer as it stands."""
    if isinstance(example.answer, int) and example.options:
        return choice_text(example, example.answer)
    form = example.metadata.get("form")
    if form == "code":
        return f"```python\n{example.answer}\n```"
    return str(example.answer) if form == "plain" else rf"\boxed{{{example.answer}}}"


def choice_text(example: Example, choice: int) -> str:
    r"""An option (0-based index in the published order) as a model writes it: `\boxed{B}`."""
    return rf"\boxed{{{LETTERS[shown_order(example).index(choice)]}}}"


def letters(example: Example) -> str:
    """The letters of the example's options, as many as it has. Raises DataError above 26."""
    if len(example.options) > len(LETTERS):
        raise DataError(
            f"{example.id}: {len(example.options)} options, at most {len(LETTERS)} can be named by a letter"
        )
    return LETTERS[: len(example.options)]
