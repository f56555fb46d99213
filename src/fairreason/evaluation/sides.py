"""The two sides of a comparison: graded answers, from an evaluation's folder or from a file of predictions.

A side may be a run's folder (its `evaluation/` is read), the folder that `fairreason eval --out` kept, a file of
predictions for one benchmark, or a folder of such files, each named after its benchmark (`bbq.jsonl`, `math500.jsonl`).
Two sides can be compared where they hold the same answers' questions, put in the same words, with the options in the
same order and the same thinking and mode, and graded them by the same right answers; a file of predictions is graded
now and says nothing of the rest, so of it only ids and right answers are checked. What a difference would hide is said:
answers that were unparsed, truncated or failed, rows, files and folders that were left out, questions that neither side
holds, benchmarks that only one does, grades by two versions of ours, and a folder of an older version, which does not
say what it was graded by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fairreason import __version__, benchmarks
from fairreason.benchmarks.base import Benchmark, by_split, folder_name, gold_hash
from fairreason.draws import Split
from fairreason.errors import DataError, UsageError
from fairreason.evaluation import predictions
from fairreason.evaluation.axes import part_of
from fairreason.evaluation.folder import count, finished, read_graded
from fairreason.records import Example, Grade, Measure

SETTINGS = ("thinking", "mode")
"""Settings in which two sides must agree; those of scores.json that are not there are not compared."""
LOST = ("unparsed", "truncated", "error")


@dataclass(frozen=True)
class Side:
    """One benchmark's graded answers, in parallel: examples, grades, sample numbers, and hashes of each question as it
    was put and of what it was graded by (empty for predictions, "" where an older version does not say). `settings` are
    those of scores.json, of predictions our version."""

    name: str
    benchmark: Benchmark
    examples: list[Example]
    grades: list[Grade]
    samples: list[int]
    asked: list[str] = field(default_factory=list)
    gold: list[str] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    """Sentences on the rows of a file of predictions that are no part of it."""
    questions: int = 0
    """How many there are in the splits that were asked; 0 where that is not known."""

    def keys(self) -> list[tuple[str, int]]:
        return [(example.id, sample) for example, sample in zip(self.examples, self.samples, strict=True)]

    def measures(self) -> list[Measure]:
        return self.benchmark.summarize(self.examples, self.grades)


class Both(NamedTuple):
    """Two sides by benchmark, and what a reader must know of them, a sentence each."""

    pairs: dict[str, tuple[Side, Side]]
    remarks: list[str]


def read(path: Path, bench: Sequence[str], data: Path | None) -> dict[str, Side]:
    """The sides of these benchmarks by name; without names all that a folder holds. Raises DataError and UsageError."""
    if path.is_file():
        if len(bench) != 1:
            raise UsageError(f"{path}: a file of predictions is for one benchmark; name it with --bench")
        return {bench[0]: _from_file(path, bench[0], data)}
    if path.is_dir() and not _held(evaluation_folder(path)) and not finished(path):
        files = predictions.files(path, bench)
        if not files:
            raise DataError(
                f"{path}: no finished evaluation in it (no scores.json) and no predictions (no file named after its "
                "benchmark, e.g. bbq.jsonl)"
            )
        return {name: _from_file(file, name, data) for name, file in files.items()}
    return evaluated(path, bench, data)


def evaluated(path: Path, bench: Sequence[str], data: Path | None) -> dict[str, Side]:
    """What `read` gives of a run or an evaluation; predictions are refused."""
    if not path.is_dir():
        raise UsageError(f"{path}: no such folder or file")
    folder = evaluation_folder(path)
    held = _held(folder)
    if not held and finished(path):
        raise DataError(f"{path}: one benchmark's part of an evaluation; give the folder it lies in, and --bench")
    if not held:
        raise DataError(f"{path}: no finished evaluation in it (no scores.json)")
    missing = [name for name in bench if name not in held]
    if missing:
        raise DataError(f"{path}: holds no finished evaluation of {missing[0]}; it has {', '.join(held)}")
    return {name: _from_folder(path, folder, name, held[name], data) for name in bench or held}


def evaluation_folder(path: Path) -> Path:
    """A run's folder stands for the evaluation in it."""
    return path / "evaluation" if (path / "evaluation").is_dir() else path


def _held(folder: Path) -> dict[str, dict[str, Any]]:
    """What scores.json says of each finished benchmark of an evaluation, by its name."""
    found = [finished(one) for one in sorted(folder.iterdir()) if one.is_dir()]
    return {stored["benchmark"]: stored for stored in found if stored}


def _from_file(path: Path, name: str, data: Path | None) -> Side:
    benchmark = benchmarks.get(name)
    benchmark.needs()
    splits = by_split(benchmark, data)
    graded = predictions.read(path, benchmark, _all(splits))
    left_out = predictions.said(graded.ids._replace(missing=0))  # the two sides must hold the same questions
    asked = _questions(splits, graded.examples)
    return Side(
        str(path),
        benchmark,
        graded.examples,
        graded.grades,
        graded.samples,
        settings={"version": __version__},
        left_out=left_out,
        questions=asked,
    )


def _from_folder(path: Path, folder: Path, name: str, stored: Mapping[str, Any], data: Path | None) -> Side:
    benchmark = benchmarks.get(name)
    splits = by_split(benchmark, data)
    examples, grades, rows = read_graded(folder, benchmark, _all(splits))
    return Side(
        str(path),
        benchmark,
        examples,
        grades,
        [row["sample"] for row in rows],
        [row.get("asked", "") for row in rows],
        [row.get("gold", "") for row in rows],
        {key: value for key, value in stored.items() if key not in ("scores", "counts", "work", "n")},
        questions=_questions(splits, examples),
    )


def _all(splits: Mapping[Split, list[Example]]) -> list[Example]:
    return [row for rows in splits.values() for row in rows]


def _questions(splits: Mapping[Split, list[Example]], answered: Sequence[Example]) -> int:
    """How many questions the splits have of which any was answered."""
    ids = {example.id for example in answered}
    return sum(len(rows) for rows in splits.values() if any(row.id in ids for row in rows))


def both(a: Path, b: Path, bench: Sequence[str], data: Path | None, same: bool = False) -> Both:
    """The two sides of `bench` (without names all that both hold), paired, with what a reader must know of them. `same`
    refuses sides that do not hold the same benchmarks. Raises DataError and UsageError."""
    of_a, of_b = read(a, bench, data), read(b, bench, data)
    if same and set(of_a) != set(of_b):
        raise UsageError(
            f"not the same benchmarks: {', '.join(of_a)} in {a}, {', '.join(of_b)} in {b}. "
            "Name those to judge by with --bench"
        )
    pairs = pair(of_a, of_b)
    alone = [
        f"{name}: only {one} holds it; it is not compared"
        for one, mine, others in ((a, of_a, of_b), (b, of_b, of_a))
        for name in mine
        if name not in others
    ]
    unread = [] if bench else [sentence for path in dict.fromkeys((a, b)) for sentence in _unread(path)]
    return Both(pairs, [*alone, *unread, *remarks(pairs)])


def _unread(path: Path) -> list[str]:
    """What a folder holds that was not read, in a sentence where there is anything."""
    if not path.is_dir():
        return []
    folder = evaluation_folder(path)
    if _held(folder):
        known = {folder_name(name) for name in (*benchmarks.BENCHMARKS, *benchmarks.PARTS)}
        unfinished = [one.name for one in sorted(folder.iterdir()) if one.name in known and not finished(one)]
        return [f"{path}: not read: {', '.join(unfinished)}: no finished evaluation"] if unfinished else []
    ignored = predictions.ignored(path)
    why = "predictions lie in files named after their benchmark, e.g. bbq.jsonl"
    return [f"{path}: not read: {', '.join(ignored)}; {why}"] if ignored else []


def pair(a: Mapping[str, Side], b: Mapping[str, Side]) -> dict[str, tuple[Side, Side]]:
    """The benchmarks that both hold, b's rows in a's order. Raises UsageError when the two cannot be compared."""
    common = [name for name in a if name in b]
    if not common:
        raise UsageError(f"no benchmark in common: {', '.join(a)} on one side, {', '.join(b)} on the other")
    return {name: (a[name], _aligned(a[name], b[name])) for name in common}


def remarks(pairs: Mapping[str, tuple[Side, Side]]) -> list[str]:
    """What a reader of differences must know of the answers behind them, a sentence each."""
    said = []
    for name, sides in pairs.items():
        whole, asked = part_of(name, pairs), len({example.id for example in sides[0].examples})
        if whole:
            said.append(f"{name}: is a part of {whole}, which stands here too; a mean over benchmarks counts {whole}")
        if asked < sides[0].questions:
            said.append(f"{name}: both sides hold {asked:,} of {sides[0].questions:,} questions; no other is judged")
        for side in sides:
            counts = count(side.grades)
            lost = [f"{counts[outcome]:,} {outcome}" for outcome in LOST if counts[outcome]]
            if lost:
                said.append(f"{name}: {side.name}: of {len(side.grades):,} answers {', '.join(lost)}")
            said += [f"{name}: {side.name}: {sentence}" for sentence in side.left_out]
        said += [f"{name}: {sentence}" for sentence in _graded_by(*sides)]
        said += [f"{name}: {sentence}" for sentence in sides[0].benchmark.remarks(sides[0].examples)]
    return said


def _graded_by(a: Side, b: Side) -> list[str]:
    """What is not known of how the two were graded, or differs in it."""
    said = [
        f"{side.name} does not say by which right answers it was graded, as older versions did not; that they are the "
        "other side's is not checked"
        for side in (a, b)
        if not all(side.gold)
    ]
    of_a, of_b = (side.settings.get("version") for side in (a, b))
    if of_a and of_b and of_a != of_b:
        said.append(
            f"{a.name} was graded by FairReason {of_a}, {b.name} by {of_b}; where they read an answer differently, it "
            "counts as a difference"
        )
    return said


def _aligned(a: Side, b: Side) -> Side:
    """b with its rows in a's order. Raises UsageError naming the first thing in which they differ."""
    name = a.benchmark.name
    for key in SETTINGS:
        if key in a.settings and key in b.settings and a.settings[key] != b.settings[key]:
            raise UsageError(
                f"{name}: {a.name} was measured with {key} {a.settings[key]}, {b.name} with {b.settings[key]}: "
                "not comparable. Evaluate one of them again"
            )
    keys_a, keys_b = a.keys(), b.keys()
    place = {key: index for index, key in enumerate(keys_b)}
    only_a, only_b = [key for key in keys_a if key not in place], len(set(keys_b) - set(keys_a))
    if only_a or only_b:
        example = f", e.g. {only_a[0][0]}" if only_a else ""
        raise UsageError(
            f"{name}: not the same questions ({len(only_a):,} answers only in {a.name}{example}; {only_b:,} only in "
            f"{b.name}). Compare answers to the same ids"
        )
    order = [place[key] for key in keys_a]
    if a.asked and b.asked:
        for (id, _), put, index in zip(keys_a, a.asked, order, strict=True):
            if put and b.asked[index] and put != b.asked[index]:
                raise UsageError(
                    f"{name}: {id} was put in other words, with other pictures or with its options in another order "
                    f"in {a.name} than in {b.name}: not comparable. Evaluate one of them again"
                )
    _refuse_other_gold(a, b, order)
    return dataclasses.replace(
        b,
        examples=[b.examples[i] for i in order],
        grades=[b.grades[i] for i in order],
        samples=[b.samples[i] for i in order],
        asked=[b.asked[i] for i in order] if b.asked else [],
        gold=[b.gold[i] for i in order] if b.gold else [],
    )


def _refuse_other_gold(a: Side, b: Side, order: Sequence[int]) -> None:
    """Raises UsageError where the two were graded by other right answers; `order` are b's rows in a's order."""
    if not a.gold and not b.gold:
        return  # both were graded now, by the same data
    of_a, of_b = (side.gold or [gold_hash(example) for example in side.examples] for side in (a, b))
    pairs = zip(a.examples, of_a, (of_b[index] for index in order), strict=True)
    other = list(dict.fromkeys(example.id for example, x, y in pairs if x and y and x != y))
    if other:
        raise UsageError(
            f"{a.benchmark.name}: {len(other):,} questions, e.g. {other[0]}, had another right answer, or other "
            f"options, when {a.name} was graded than when {b.name} was: not comparable. Evaluate one of them again"
        )
