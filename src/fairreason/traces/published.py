r"""`--teacher source`: the traces that a training source was published with go through the filters; nobody is asked.

    fairreason traces mixture-of-thoughts/math --teacher source --out out/mot.jsonl

An answer is what the source holds: its reasoning, then its own solution where an answer can be read in that, else the
gold answer.

    <think>\nHalf of 1, so .5.\n</think>\n\nIt is\n\n\\[\\boxed{\\frac{1}{2}}\\]

A row whose answer no rule can check (code without tests, a proof) is left out and counted, as with every teacher, and
so is one that the source's own loader leaves out: a trace file promises answers that are right by the benchmark's own
grade. Where the gold answer was read from the reply
itself (Mixture-of-Thoughts, LLaVA-CoT) that grade says no more than that the source agrees with itself. A row whose
picture cannot be read is dropped as `failed`. All is made anew from the source: the journal holds the settings alone.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from fairreason.benchmarks.base import Benchmark, answer_text, grade_one, prompt_text, question_hash
from fairreason.errors import DataError, UsageError
from fairreason.pictures import open_image
from fairreason.records import Completion, Example
from fairreason.traces import outputs, under_way
from fairreason.traces.answers import Answer
from fairreason.traces.ask import Asked
from fairreason.traces.gather import SPLIT, Gathered, Progress, Request, refuse, source
from fairreason.traces.journal import Journal, journal_path
from fairreason.traces.teachers import SOURCE

UNKNOWN = ("model", "address", "version", "temperature", "seed", "max_new_tokens", "thinking")


def published(request: Request, data: Path | None = None, progress: Progress = lambda done, of, cost: None) -> Gathered:
    """The source's own traces as answers. Raises UsageError where it has none, or where the journal of `--out` holds
    answers of a teacher that was asked, or waits for them."""
    _refuse(request)
    found = source(request.bench, request.limit, data)
    if not any(example.trace for example in found.examples):
        raise UsageError(f"{request.bench}: was published without traces; name a teacher that is asked")
    settings: dict[str, Any] = {"benchmark": found.benchmark.name, "split": SPLIT, "teacher": SOURCE}
    settings |= dict.fromkeys(UNKNOWN)
    with Journal(journal_path(request.out), settings):
        answers = []
        for number, example in enumerate(found.examples, 1):
            answers.append(_answer(found.benchmark, example))
            progress(number, len(found.examples), None)
    asked = Asked(wanted=len(answers), answered=len(answers))
    return Gathered(found, answers, asked, settings, journal_path(request.out))


def _refuse(request: Request) -> None:
    outputs.check(request.out, request.bench)
    under_way.refuse(journal_path(request.out))
    options = {field.name for field in fields(Request)} - {"bench", "teacher", "out", "limit", "seed"}
    refuse(request, options, f"is for a teacher that is asked; the teacher {SOURCE} is what was published")


def _answer(benchmark: Benchmark, example: Example) -> Answer:
    """The row's own answer; of a row whose picture cannot be read a failed one."""
    try:
        for picture in example.images:
            open_image(picture)
    except DataError as error:
        return Answer(example.id, 0, Completion(str(error), "error"))
    solved = Completion(example.solution or "")
    reads = solved.text and grade_one(benchmark, example, solved).outcome != "unparsed"
    final = solved.text if reads else answer_text(example)
    thought = f"<think>\n{example.trace}\n</think>" if example.trace else "<think>\n</think>"
    put = question_hash(prompt_text(example), example.images)
    return Answer(example.id, 0, Completion(f"{thought}\n\n{final}"), prompt_hash=put)
