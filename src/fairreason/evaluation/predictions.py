"""Predictions made elsewhere: a JSONL file, plain or .gz, graded and scored as if we had asked the questions ourselves.

    {"id": "bbq/Age/0", "choice": 2}
    {"category": "Age", "example_id": 0, "response": "The answer is (C)."}

A row names its question by `id` (for BBQ `category` and `example_id` do as well) and holds `choice`, a 0-based index in
the published order or null, or `response`, free text; `sample` numbers several answers to one question, `finish_reason`
"length" or "error" marks one that was cut or failed. Null is `unparsed`. Of rows that stand twice the first counts;
questions without a row are no part of the scores. Both are counted and said, as are ids that are no question's.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

from fairreason import benchmarks
from fairreason.benchmarks.base import Benchmark, folder_name, grade_one
from fairreason.benchmarks.bbq_official import Official, left_out
from fairreason.benchmarks.bbq_official import official as authors_rule
from fairreason.benchmarks.bbq_targets import ABSENT, without_metadata
from fairreason.benchmarks.items import path_of
from fairreason.benchmarks.sources import rows
from fairreason.errors import DataError, UsageError, nearest
from fairreason.evaluation.folder import count, scores_of
from fairreason.records import Completion, Example, FinishReason, Grade, Score

SHOWN = 3
"""Ids that a message names before it says how many more there are."""
ANSWERS = ("choice", "response")
_SHORT = reprlib.Repr()
"""What a message shows of a file's values: one line without control characters, however long they are."""
_SHORT.maxstring = _SHORT.maxother = 80


class Ids(NamedTuple):
    """What became of the file's ids: rows, questions without one, rows that stand twice, ids that are no question's."""

    rows: int
    missing: int
    doubled: int
    unknown: int


class Graded(NamedTuple):
    """Examples, grades and sample numbers in parallel, in the benchmark's order; and the file's ids."""

    examples: list[Example]
    grades: list[Grade]
    samples: list[int]
    ids: Ids


class Scored(NamedTuple):
    """Scores with errors, all answers by outcome, what became of the ids, how many answers the authors' rule leaves
    out, and what a reader must know besides."""

    scores: list[Score]
    counts: dict[str, int]
    ids: Ids
    excluded: int
    remarks: list[str]
    graded: Graded


def score(benchmark: Benchmark, graded: Graded, official: bool = False) -> Scored:
    """The graded predictions' scores; `official` scores by the rule of BBQ's authors. Raises UsageError elsewhere."""
    remarks = said(graded.ids)
    examples, grades = graded.examples, graded.grades
    excluded = 0
    if official:
        left = _official(benchmark, graded)
        examples, grades, excluded = left.examples, left.grades, left.excluded
        remarks += left_out(graded.examples, left)
    remarks += benchmark.remarks(examples)
    scores = scores_of(benchmark, examples, grades)
    return Scored(scores, count(graded.grades), graded.ids, excluded, remarks, graded)


def _official(benchmark: Benchmark, graded: Graded) -> Official:
    if benchmark.name.partition("/")[0] != "bbq":
        raise UsageError(f"--official is the rule of BBQ's authors; {benchmark.name} has no other rule than ours")
    left = authors_rule(graded.examples, graded.grades)
    if not left.examples:
        more = f" ({' and '.join(untold)}: {ABSENT})" if (untold := without_metadata(graded.examples)) else ""
        raise DataError(f"bbq: the authors' rule leaves nothing: no answer made a choice on a row with a target{more}")
    return left


def read(path: Path, benchmark: Benchmark, examples: Sequence[Example]) -> Graded:
    """The predictions for these examples, graded. Raises DataError, naming file and line, on a row that is none, and
    when no row belongs to these examples."""
    by_id = {example.id: example for example in examples}
    found: dict[tuple[str, int], Grade] = {}
    total = doubled = unknown = 0
    strangers: list[str] = []
    for line, row in rows(path):
        where = f"{path}:{line}"
        total += 1
        id, sample = _id(row, benchmark, where), _sample(row, where)
        example = by_id.get(id)
        if example is None:
            unknown += 1
            strangers += [_SHORT.repr(id)[1:-1]] if len(strangers) < SHOWN else []
        elif (id, sample) in found:
            doubled += 1
        else:
            found[id, sample] = _grade(row, benchmark, example, where)
    if not found:
        raise DataError(_nothing(path, benchmark, total, strangers, examples))
    return _in_order(found, examples, Ids(total, len(by_id) - len({id for id, _ in found}), doubled, unknown))


def files(folder: Path, bench: Sequence[str] = ()) -> dict[str, Path]:
    """A folder's files of predictions by benchmark: `bbq.jsonl`, `bbq-Age.jsonl.gz`, for items of the user's own the
    items' own name; without `bench` all. Empty where no file is named after a benchmark.

    Raises DataError for a benchmark without a file, one with two, and, without `bench`, for a file of no benchmark.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        stem = path.name.removesuffix(".gz").removesuffix(".jsonl")
        if path.is_file() and path.name in (f"{stem}.jsonl", f"{stem}.jsonl.gz"):
            found.setdefault(stem, []).append(path)
    known = {folder_name(name): name for name in {**benchmarks.BENCHMARKS, **benchmarks.PARTS}}
    if bench:
        known = {_stem(name): name for name in bench}
    named = {known[stem]: paths for stem, paths in found.items() if stem in known}
    strangers = [paths[0] for stem, paths in found.items() if stem not in known]
    if named and strangers and not bench:
        near = nearest(strangers[0].name.partition(".")[0], known)
        hint = f" Did you mean {near}.jsonl?" if near else ""
        raise DataError(f"{strangers[0]}: named after no benchmark.{hint} Name those to judge by with --bench")
    for name in bench if found else ():
        if name not in named:
            raise DataError(f"{folder}: no predictions for {name} (no {_stem(name)}.jsonl)")
    for name, paths in named.items():
        if len(paths) > 1:
            raise DataError(f"{folder}: two files for {name}: {paths[0].name}, {paths[1].name}. Keep one")
    return {name: paths[0] for name, paths in named.items()}


def ignored(folder: Path) -> list[str]:
    """What lies in a folder of predictions and `files` does not read: other endings, folders, links that lead nowhere;
    nothing whose name starts with a dot."""
    found = []
    for path in sorted(folder.iterdir()):
        broken = path.is_symlink() and not path.exists()
        if not path.name.startswith(".") and not (path.is_file() and path.name.endswith((".jsonl", ".jsonl.gz"))):
            found.append(path.name + ("/" if path.is_dir() else " (a broken link)" if broken else ""))
    return found


def _stem(name: str) -> str:
    """How a benchmark's file of predictions is called, without its ending."""
    own = path_of(name)
    return folder_name(name) if own is None else own.name.partition(".")[0]


def said(ids: Ids) -> list[str]:
    """What a reader must know about the ids, a sentence each; nothing where all is well."""
    sentences = []
    if ids.missing:
        sentences.append(f"{ids.missing:,} questions have no prediction; they are no part of the scores")
    if ids.doubled:
        sentences.append(f"{ids.doubled:,} predictions stand twice; the first one counts")
    if ids.unknown:
        sentences.append(f"{ids.unknown:,} predictions have ids that are no question's; they are left out")
    return sentences


def _in_order(found: Mapping[tuple[str, int], Grade], examples: Sequence[Example], ids: Ids) -> Graded:
    place = {example.id: index for index, example in enumerate(examples)}
    keys = sorted(found, key=lambda key: (place[key[0]], key[1]))
    return Graded([examples[place[id]] for id, _ in keys], [found[key] for key in keys], [s for _, s in keys], ids)


def _id(row: Mapping[str, Any], benchmark: Benchmark, where: str) -> str:
    if row.get("id") is not None:
        return str(row["id"])
    if benchmark.name.partition("/")[0] == "bbq" and "category" in row and "example_id" in row:
        return f"bbq/{row['category']}/{row['example_id']}"
    more = " (or category and example_id)" if benchmark.name.startswith("bbq") else ""
    raise DataError(f"{where}: names no question; a row needs id{more}")


def _sample(row: Mapping[str, Any], where: str) -> int:
    sample = row.get("sample", 0)
    if not isinstance(sample, int) or isinstance(sample, bool) or sample < 0:
        raise DataError(f"{where}: sample must be a whole number from 0 on, got {_SHORT.repr(sample)}")
    return sample


def _grade(row: Mapping[str, Any], benchmark: Benchmark, example: Example, where: str) -> Grade:
    given = [key for key in ANSWERS if key in row]
    if len(given) != 1:
        raise DataError(f"{where}: needs choice or response, has {' and '.join(given) or 'neither'}")
    if given == ["choice"]:
        return _chosen(row["choice"], example, where)
    response, reason = row["response"], row.get("finish_reason") or "stop"
    if response is not None and not isinstance(response, str):
        raise DataError(f"{where}: response must be a text, got {type(response).__name__}")
    if reason not in get_args(FinishReason):
        allowed = ", ".join(get_args(FinishReason))
        raise DataError(f"{where}: finish_reason must be one of {allowed}, got {_SHORT.repr(reason)}")
    return grade_one(benchmark, example, Completion(response or "", cast(FinishReason, reason)))


def _chosen(choice: Any, example: Example, where: str) -> Grade:
    """The grade of a choice that was made elsewhere."""
    if choice is None:
        return Grade("unparsed", rule="null")
    if not example.options:
        raise DataError(f"{where}: {example.id} has no options to choose from; give response")
    if not isinstance(choice, int) or isinstance(choice, bool) or not 0 <= choice < len(example.options):
        last = len(example.options) - 1
        raise DataError(
            f"{where}: choice must be an index from 0 to {last} (published order) or null, got {_SHORT.repr(choice)}"
        )
    return Grade("correct" if choice == example.answer else "wrong", choice=choice, rule="choice")


def _nothing(
    path: Path, benchmark: Benchmark, total: int, strangers: Sequence[str], examples: Sequence[Example]
) -> str:
    if not total:
        return f"{path}: no predictions"
    known = examples[0].id if examples else "none"
    return (
        f"{path}: not one of {total:,} ids is a question of {benchmark.name} (the file's: "
        f"{', '.join(strangers)}; the benchmark's: {known}, ...)"
    )
