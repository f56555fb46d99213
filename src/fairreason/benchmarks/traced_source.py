"""`traces:PATH`, a file of traces (benchmarks/traced.py) as a source: `mixture.bias: {traces:out/bbq.jsonl: 1}`.

It is the benchmark's own questions, those whose id stands in the file, with the teacher's reasoning as `trace`. Answer,
cluster, split and shown order are the benchmark's, so no question of a test family is trained on, and sft and grpo can
draw the rows that kd learns. Their order is the benchmark's too, whatever the file's. Of several traces of one question
the first keeps its id, the next are `bbq/Age/12#1`, ... in bundles of their own, whether they were asked of `bbq` or of
its part `bbq/Age`.

The reasoning is the file's. The reply is graded again here, by the benchmark; that it is fair, and quotes no test
question, was checked when `fairreason traces` wrote the file.

Every row of the file is either given or counted, split by split, by the reasons below. A file holds one axis; the
benchmark's own data must be at hand. What a file names is not trusted: only known benchmarks, and files of a user's own
below the working folder, beside it or below.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from fairreason.benchmarks import bias, items, reasoning, traced
from fairreason.benchmarks.base import Benchmark, grade_one, prompt_text, question_hash
from fairreason.benchmarks.sources import Stamp, stamp
from fairreason.benchmarks.traced import Trace
from fairreason.draws import question_id
from fairreason.errors import DataError, UsageError
from fairreason.grading.reasoning import reasoning_of
from fairreason.records import Completion, Example, Grade

KIND = "traces"
FOREIGN = "not a question of its benchmark"
ELSEWHERE = "a question of another split"
CHANGED = "the question is put in other words, pictures or order now"
NOT_RIGHT = "its answer was not graded correct"
WRONG = "its answer is not right, graded again"
NO_REASONING = "no reasoning"
TWICE = "stands twice"

Get = Callable[[str], Benchmark]
"""From a benchmark's name to the benchmark; UsageError where there is none."""
Key = tuple[str, str, str, int]
"""What makes a trace another one: how the question was put, teacher, version and sample."""


class Part(NamedTuple):
    """One split: the examples, and how many rows of the file are none of it, by reason."""

    examples: list[Example]
    left_out: Counter[str]


def path_of(name: str) -> Path | None:
    """The file behind `traces:PATH`, None for any other name.

    >>> path_of("traces:out/bbq.jsonl").name, path_of("bbq")
    ('bbq.jsonl', None)
    """
    kind, colon, path = name.partition(":")
    return Path(path).expanduser() if colon and kind == KIND else None


def benchmark(name: str, get: Get) -> Benchmark:
    """The source of this name. A second view of the benchmarks behind it: never part of a study's F or R. Raises
    DataError where the file is malformed or empty, names what is no benchmark, or holds two axes."""
    return _benchmark(name, _stamp(name), get)


def behind(name: str, get: Get) -> Mapping[str, Benchmark]:
    """The benchmarks whose questions the file's traces answer, by name."""
    return _behind(_stamp(name), get)


def load(name: str, get: Get, split: str, data: Path | None = None) -> list[Example]:
    """One split of the benchmarks behind the file, as far as it has traces of it. Raises DataError where their data is
    absent."""
    return _part(name, get, split, data).examples


def left_out(name: str, get: Get, split: str, data: Path | None = None) -> Mapping[str, int]:
    """Rows of the file that `load` does not give, by reason."""
    return _part(name, get, split, data).left_out


def _stamp(name: str) -> Stamp:
    path = path_of(name)
    if path is None:
        raise UsageError(f"{name}: no file of traces; write {KIND}:PATH")
    return stamp(path)


@lru_cache(maxsize=16)
def _benchmark(name: str, file: Stamp, get: Get) -> Benchmark:
    found = _behind(file, get)
    first, *others = found.values()
    summarize = bias.summarize if first.axis == "bias" else reasoning.summarize
    chances = [found[trace.source].chance for trace in _traces(file)]

    def grade(example: Example, completion: Completion) -> Grade:
        return found[example.metadata["benchmark"]].grade(example, completion)

    def needs() -> None:
        for one in found.values():
            one.needs()

    return Benchmark(
        name,
        first.axis,
        partial(load, name, get),
        grade,
        summarize if others else first.summarize,
        chance=sum(chances) / len(chances),
        files=(str(file.path),),
        splits=first.splits,
        needs=needs,
        remarks=(lambda examples: []) if others else first.remarks,
        left_out=partial(left_out, name, get),
        beside=True,
        licence="; ".join(sorted({one.licence for one in found.values()} - {""})),
    )


@lru_cache(maxsize=16)
def _behind(file: Stamp, get: Get) -> Mapping[str, Benchmark]:
    names = dict.fromkeys(trace.source for trace in _traces(file))
    found = {source: _one(traced.located(source, file.path.parent), file.path, get) for source in names}
    first = next(iter(found.values()))
    for one in found.values():
        if one.axis != first.axis:
            axes = f"{first.name} is a {first.axis} source, {one.name} a {one.axis} source"
            raise DataError(f"{file.path}: {axes}; one file has one axis")
        if one.splits != first.splits:
            raise DataError(f"{file.path}: of {first.name} and {one.name} one alone is split; keep them in two files")
    return found


def _one(source: str, file: Path, get: Get) -> Benchmark:
    """The benchmark that a row names. Raises DataError for what it may not name."""
    own = items.path_of(source)
    if path_of(source) is not None:
        raise DataError(f"{file}: source {source[:100]!r} is a file of traces itself")
    if own is not None and not _is_near(own, file):
        raise DataError(
            f"{file}: names {source[:100]!r}, which lies neither below the working folder nor beside or below this file"
        )
    try:
        found = get(source)
    except UsageError as error:
        raise DataError(f"{file}: {error}") from None
    if not found.trains:
        raise DataError(f"{file}: {source} is for evaluation alone; nothing trains on it")
    return found


def _is_near(own: Path, file: Path) -> bool:
    try:
        return any(own.resolve().is_relative_to(folder.resolve()) for folder in (Path.cwd(), file.parent))
    except (OSError, RuntimeError, ValueError):  # a link to itself, a name that no file can have
        return False


@lru_cache(maxsize=16)
def _traces(file: Stamp) -> Sequence[Trace]:
    """The file's rows without their questions and pictures, which the benchmark gives. Raises DataError."""
    found = [dataclasses.replace(trace, prompt="", images=()) for trace in traced.read(file.path)]
    if not found:
        raise DataError(f"{file.path}: no traces")
    return found


def _part(name: str, get: Get, split: str, data: Path | None) -> Part:
    file = _stamp(name)
    whole = Part([], Counter())
    given: dict[str, list[Key]] = defaultdict(list)
    found = _behind(file, get)
    for source in sorted(found):
        own = [trace for trace in _traces(file) if trace.source == source]
        part = _of_one(name, source, found[source], own, split, data, given)
        whole.examples.extend(part.examples)
        whole.left_out.update(part.left_out)
    return whole


def _of_one(
    name: str,
    source: str,
    one: Benchmark,
    traces: Iterable[Trace],
    split: str,
    data: Path | None,
    given: Mapping[str, list[Key]],
) -> Part:
    """One benchmark's part of a split; `source` is what the file calls it, `given` by question's id the traces that the
    sources before it gave, which its own join."""
    told: dict[str, list[Trace]] = {}
    for trace in sorted(traces, key=lambda trace: (trace.sample, trace.teacher, trace.model, trace.reply)):
        told.setdefault(trace.id, []).append(trace)
    found: dict[str, list[Example]] = {}
    reasons: Counter[str] = Counter()
    questions = one.load(split, data)
    for question in questions:
        if question.id in told:
            mine = told.pop(question.id)
            found[question.id], more = _examples(name, source, one, question, mine, given[question.id])
            reasons += more
    others = {row.id for part in one.splits if part != split and told for row in one.load(part, data)}
    for id, left in told.items():
        reasons[ELSEWHERE if id in others else FOREIGN] += len(left)
    return Part([example for made in found.values() for example in made], reasons)


def _examples(
    name: str,
    source: str,
    benchmark: Benchmark,
    question: Example,
    traces: Sequence[Trace],
    given: list[Key],
) -> tuple[list[Example], Counter[str]]:
    """The examples of one question's traces, in the order of their samples, and why others are none."""
    put = question_hash(prompt_text(question), question.images)
    made: list[Example] = []
    reasons: Counter[str] = Counter()
    for trace in traces:
        reasoning, key = reasoning_of(trace.reply), (put, trace.teacher, trace.model, trace.sample)
        reason = (
            (CHANGED if trace.prompt_hash != put else "")
            or (NOT_RIGHT if trace.outcome != "correct" else "")
            or (NO_REASONING if not reasoning else "")
            or (TWICE if key in given else "")
            or (WRONG if not _is_right(benchmark, question, trace.reply) else "")
        )
        if reason:
            reasons[reason] += 1
            continue
        made.append(_example(name, source, question, reasoning, len(given)))
        given.append(key)
    return made, reasons


def _is_right(benchmark: Benchmark, question: Example, reply: str) -> bool:
    return grade_one(benchmark, question, Completion(reply)).outcome == "correct"


def _example(name: str, source: str, question: Example, reasoning: str, number: int) -> Example:
    more = f"#{number}" if number else ""
    return dataclasses.replace(
        question,
        id=f"{question.id}{more}",
        source=name,
        bundle=f"{question.bundle}{more}" if question.bundle else "",
        trace=reasoning,
        metadata={**question.metadata, "benchmark": source, "question": question_id(question)},
    )
