"""A user's own questions, `items:PATH`: a JSONL file with one object a line.

    {"id": "q1", "prompt": "Who was late?", "options": ["Ann", "Bob", "Not known"], "answer": 2, "axis": "bias",
     "category": "Team", "condition": "ambig", "cluster": "story 1", "target": 0, "unknown": 2, "images": ["q1.png"]}
    {"id": "q2", "prompt": "17 + 25?", "answer": "42", "solution": "17+25=42."}

`id`, `prompt` and `answer` are needed; indices count from 0. With `target` and `unknown` every bias score exists, with
`cluster` errors are clustered and the file is split like every other source; without it, all of the file is asked, and
it cannot be trained on and evaluated in one recipe. Pictures lie in the file's folder or below it.

`multiple-choice:PATH` and `short-answer:PATH` are the same file with the demand that every row has, or has no, options;
`--bench multiple-choice --items PATH` says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fairreason.benchmarks import bias, reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.sources import Stamp, rows, stamp
from fairreason.draws import LETTERS, SPLITS, split_of
from fairreason.errors import DataError, UsageError, nearest
from fairreason.grading.answers import grade_choice, grade_text
from fairreason.records import Completion, Example, Grade

ANY, CHOICE, SHORT = "items", "multiple-choice", "short-answer"
KINDS: Mapping[str, bool | None] = {ANY: None, CHOICE: True, SHORT: False}
"""What stands before the colon, and whether its rows have options (None: as they like)."""
TEXTS = ("axis", "category", "condition", "cluster", "bundle", "solution", "trace", "instruction")
KEYS = ("id", "prompt", "answer", "options", "target", "unknown", "images", *TEXTS)
ALLOWED = {"axis": ("bias", "reasoning"), "condition": ("ambig", "disambig", "neg", "non_neg")}
CHOOSE, WRITE = r"Give the letter of the right answer in \boxed{}.", r"Give the final answer in \boxed{}."


def path_of(name: str) -> Path | None:
    """The file behind `items:PATH`, `multiple-choice:PATH` or `short-answer:PATH`, None for any other name.

    >>> path_of("items:own.jsonl").name, path_of("bbq/Age")
    ('own.jsonl', None)
    """
    kind, colon, path = name.partition(":")
    return Path(path).expanduser() if colon and kind in KINDS else None


def named(names: Sequence[str], file: Path | None) -> list[str]:
    """The names with `multiple-choice` and `short-answer` bound to the file that `--items` gave. Raises UsageError when
    one of the two stands without the other.

    >>> named(["bbq", "short-answer"], Path("own.jsonl"))
    ['bbq', 'short-answer:own.jsonl']
    """
    generic = [name for name in names if name in (CHOICE, SHORT)]
    if file is not None and not generic:
        raise UsageError(f"--items {file}: goes with the benchmark {CHOICE} or {SHORT}, got {', '.join(names)}")
    if generic and file is None:
        raise UsageError(f"{generic[0]}: asks a file of your own; name it with --items FILE")
    return [f"{name}:{file}" if name in generic else name for name in names]


def benchmark(name: str) -> Benchmark:
    """The benchmark of this name, `items:PATH` for one. Raises DataError, naming file and line, when the file is not as
    above."""
    examples, file = _read(name)
    axis = examples[0].axis
    return Benchmark(
        name,
        axis,
        partial(load, name),
        grade,
        bias.summarize if axis == "bias" else reasoning.summarize,
        chance=sum(1 / len(row.options) for row in examples if row.options) / len(examples),
        files=(str(file),),
        published=len(examples),
        splits=SPLITS if _is_split(examples) else ("test",),
    )


def load(name: str, split: str, data: Path | None = None) -> list[Example]:
    """One split of the file, all of it where no row has a cluster; `data` is not used."""
    examples, _ = _read(name)
    return [row for row in examples if not _is_split(examples) or split_of(row.cluster) == split]


def grade(example: Example, completion: Completion) -> Grade:
    """By option where there are options, else by text or number."""
    return grade_choice(example, completion) if example.options else grade_text(example, completion)


def _is_split(examples: Sequence[Example]) -> bool:
    return any(row.metadata["clustered"] for row in examples)


def _read(name: str) -> tuple[tuple[Example, ...], Path]:
    path = path_of(name)
    if path is None:
        raise UsageError(f"{name}: not a file of your own; write one of {', '.join(f'{kind}:PATH' for kind in KINDS)}")
    return _everything(stamp(path), name), path


@lru_cache(maxsize=16)
def _everything(file: Stamp, name: str) -> tuple[Example, ...]:
    found: dict[str, Example] = {}
    for line, row in rows(file.path):
        where = f"{file.path}:{line}"
        example = _example(row, name, where, file.path.parent)
        if example.id in found:
            raise DataError(f"{where}: the id {example.id} stands twice")
        first = next(iter(found.values()), example)
        if example.axis != first.axis:
            raise DataError(
                f"{where}: axis {example.axis}, but the rows before are {first.axis}; one file has one axis"
            )
        found[example.id] = example
    if not found:
        raise DataError(f"{file.path}: no questions")
    return tuple(found.values())


def _example(row: dict[str, Any], name: str, where: str, folder: Path) -> Example:
    _check_keys(row, where)
    options = _options(row, where)
    kind = name.partition(":")[0]
    if KINDS[kind] not in (None, bool(options)):
        has, other = ("options", CHOICE) if options else ("no options", SHORT)
        raise DataError(f"{where}: has {has}, so it is no row of {kind}. Ask it with {other}, or as {ANY}:PATH")
    id = str(row["id"])
    bundle = row.get("bundle") or id
    is_bias = row.get("axis") == "bias" or ("axis" not in row and not row.keys().isdisjoint(("condition", "target")))
    meta = {key: row[key] for key in ("category", "condition") if row.get(key)}
    for key in ("target", "unknown"):
        if row.get(key) is not None:
            meta[key] = _index(row[key], options, f"{where}: {key}")
    return Example(
        id=id,
        source=name,
        axis="bias" if is_bias else "reasoning",
        cluster=row.get("cluster") or id,
        bundle=bundle,
        prompt=row["prompt"],
        answer=_index(row["answer"], options, f"{where}: answer") if options else _answer(row["answer"], where),
        options=options,
        images=tuple(_picture(picture, folder, where) for picture in row.get("images") or ()),
        solution=row.get("solution"),
        trace=row.get("trace"),
        metadata={
            **meta,
            "clustered": bool(row.get("cluster")),
            "instruction": row.get("instruction", CHOOSE if options else WRITE),
        },
    )


def _check_keys(row: dict[str, Any], where: str) -> None:
    for key in row:
        if key not in KEYS:
            near = nearest(key, KEYS)
            hint = f"Did you mean {near}?" if near else f"Known: {', '.join(KEYS)}"
            raise DataError(f"{where}: unknown key {key}. {hint}")
    for key in ("id", "prompt", "answer"):
        if row.get(key) in (None, ""):
            raise DataError(f"{where}: needs {key}")
    if not isinstance(row["id"], str | int) or isinstance(row["id"], bool):
        raise DataError(f"{where}: id must be a text or a whole number")
    for key in ("prompt", *TEXTS):
        if row.get(key) is not None and not isinstance(row[key], str):
            raise DataError(f"{where}: {key} must be a text, got {type(row[key]).__name__}")
    for key, allowed in ALLOWED.items():
        if row.get(key) is not None and row[key] not in allowed:
            raise DataError(f"{where}: {key} must be one of {', '.join(allowed)}, got {row[key]!r}")
    if not isinstance(row.get("images") or [], list):
        raise DataError(f"{where}: images must be a list of paths")


def _options(row: dict[str, Any], where: str) -> tuple[str, ...]:
    options = row.get("options")
    if options is None:
        return ()
    if not isinstance(options, list) or not all(isinstance(text, str) and text.strip() for text in options):
        raise DataError(f"{where}: options must be a list of texts")
    if not 2 <= len(options) <= len(LETTERS) or len(set(options)) < len(options):
        raise DataError(f"{where}: options must be 2 to {len(LETTERS)} different texts")
    return tuple(options)


def _index(value: Any, options: tuple[str, ...], where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < len(options):
        raise DataError(f"{where} must be an index from 0 to {len(options) - 1}, got {value!r}")
    return value


def _answer(value: Any, where: str) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise DataError(f"{where}: answer must be a text (or an index, with options), got {value!r}")
    return str(value)


def _picture(reference: Any, folder: Path, where: str) -> str:
    """The picture's path. Raises DataError when it is missing or lies outside the file's folder."""
    if not isinstance(reference, str) or not reference:
        raise DataError(f"{where}: images must be a list of paths")
    if "\0" in reference:
        raise DataError(f"{where}: no picture {reference!r}")
    try:
        path = (folder / reference).resolve()
        is_there = path.is_file()
    except (OSError, RuntimeError):  # a name that is too long, a link to itself
        raise DataError(f"{where}: no picture {reference[:100]}") from None
    if not path.is_relative_to(folder.resolve()):
        raise DataError(f"{where}: {reference} lies outside the file's folder")
    if not is_there:
        raise DataError(f"{where}: no picture {reference}")
    return str(path)
