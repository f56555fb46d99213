r"""Is a benchmark sound, without any model? Every gold answer, written as models write, must be graded as what it is.

| reply | must be |
|---|---|
| the right answer: letter, option text, boxed, as a statement, after a thinking part that names another | correct |
| every other option, so written; without options each of the metadata's `others`, or a number that is not it | wrong |
| nothing; a thinking part that never ends | unparsed |
| the right answer, cut off | truncated |
| code: the canonical program | correct |
| code: the functions with empty bodies | wrong |

Besides, every cluster must lie in one split, no id may stand twice, and counts must be the published ones. A benchmark
whose files are not there is `absent`, one whose files cannot be read has `failed`; one whose grading is not allowed or
not possible here is `not run`. Rows that no reply can pass, as published, are counted as `unchecked`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from fairreason.benchmarks.base import Benchmark, answer_text, by_split, choice_text, grade_one
from fairreason.draws import LETTERS, Split, shown_order
from fairreason.errors import AbsentError, DataError, FairReasonError
from fairreason.records import Completion, Example, Outcome

SHOWN = 3
"""Problems that are named before it is said how many more there are."""
NOT_IT = "-987654321"
Progress = Callable[[int, int], None]


class Validation(NamedTuple):
    """What came of it: `failed` with its problems, `absent` or `not run` with the reason, or `passed`; questions by
    split; questions whose answers cannot be graded."""

    status: Literal["passed", "failed", "absent", "not run"]
    splits: dict[Split, int]
    problems: list[str]
    unchecked: int = 0


class Case(NamedTuple):
    """A reply and the outcome that it must have; `choice` where one must be read."""

    completion: Completion
    outcome: Outcome
    choice: int | None = None


def validate(benchmark: Benchmark, data: Path | None, progress: Progress | None = None) -> Validation:
    """Grades the replies above to every question of the benchmark."""
    try:
        splits = by_split(benchmark, data)
    except AbsentError as error:
        return Validation("absent", {}, [str(error)])
    except DataError as error:
        return Validation("failed", {}, [str(error)])
    sizes = {split: len(rows) for split, rows in splits.items()}
    try:
        benchmark.needs()
    except FairReasonError as error:
        return Validation("not run", sizes, [str(error)])
    problems = [*_splits(splits), *_counts(benchmark, splits, data)]
    everything = [example for rows in splits.values() for example in rows]
    examples = [example for example in everything if _is_checkable(example)]
    for done, example in enumerate(examples):
        problems += _misread(benchmark, example)
        if progress and done % 100 == 0:
            progress(done, len(examples))
    if progress:
        progress(len(examples), len(examples))
    return Validation("failed" if problems else "passed", sizes, problems, len(everything) - len(examples))


def summary(problems: Sequence[str]) -> str:
    """The first problems and how many more there are."""
    more = f"; and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
    return "; ".join(problems[:SHOWN]) + more


def cases(example: Example) -> Iterator[Case]:
    """The replies to one question, each with what it must be graded as."""
    gold = answer_text(example)
    yield Case(Completion(""), "unparsed")
    yield Case(Completion(f"<think>{gold}"), "unparsed")
    yield Case(Completion(gold, "length"), "truncated")
    if example.options and isinstance(example.answer, int):
        yield from _with_options(example, example.answer)
    elif example.metadata.get("form") == "code":
        yield Case(Completion(gold), "correct")
        yield Case(Completion(f"```python\n{without_bodies(str(example.answer))}\n```"), "wrong")
    else:
        yield from _without_options(gold, example.metadata.get("others") or [rf"\boxed{{{NOT_IT}}}"])


def _with_options(example: Example, answer: int) -> Iterator[Case]:
    order = shown_order(example)
    for choice, text in enumerate(example.options):
        outcome: Outcome = "correct" if choice == answer else "wrong"
        letter, other = (LETTERS[order.index(index)] for index in (choice, (choice + 1) % len(order)))
        boxed = choice_text(example, choice)
        thought = rf"<think>It is {other}, so \boxed{{{other}}}.</think>"
        named = [text, rf"\boxed{{{text}}}"] if example.options.count(text) == 1 else []
        for reply in (letter, f"({letter})", boxed, f"The answer is {letter}.", f"{thought}\n\n{boxed}", *named):
            yield Case(Completion(reply), outcome, choice)


def _without_options(gold: str, others: Sequence[str]) -> Iterator[Case]:
    for reply in (gold, f"The answer is {gold}.", f"<think>{others[0]}</think>\n\n{gold}"):
        yield Case(Completion(reply), "correct")
    for other in others:
        yield Case(Completion(f"<think>{gold}</think>\n\n{other}"), "wrong")


def without_bodies(program: str) -> str:
    """The program with every function's body gone.

    >>> print(without_bodies("def one(x):\\n    return 1"))
    def one(x):
        pass
    """
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return ast.unparse(tree)


def _misread(benchmark: Benchmark, example: Example) -> Iterator[str]:
    for case in cases(example):
        grade = grade_one(benchmark, example, case.completion)
        if grade.outcome != case.outcome or (case.choice is not None and grade.choice != case.choice):
            reply = " ".join(case.completion.text.split())
            shown = reply if len(reply) < 60 else f"{reply[:60]}..."
            why = f" ({grade.rule})" if grade.rule else ""
            yield f"{example.id}: {shown!r} must be {case.outcome}, is {grade.outcome}{why}"


def _is_checkable(example: Example) -> bool:
    return example.metadata.get("checkable") is not False and "incomplete" not in example.metadata


def _splits(splits: dict[Split, list[Example]]) -> Iterator[str]:
    home: dict[str, Split] = {}
    seen: set[str] = set()
    for split, rows in splits.items():
        for row in rows:
            if home.setdefault(row.cluster, split) != split:
                yield f"cluster {row.cluster} lies in {home[row.cluster]} and in {split}"
            if row.id in seen:
                yield f"{row.id} stands twice"
            seen.add(row.id)


def _counts(benchmark: Benchmark, splits: dict[Split, list[Example]], data: Path | None) -> Iterator[str]:
    """What a loader left out counts as published."""
    total = sum(map(len, splits.values()))
    total += sum(rows for split in splits for rows in benchmark.left_out(split, data).values())
    if benchmark.published is not None and total != benchmark.published:
        yield f"{total:,} questions, but {benchmark.published:,} were published"
