"""Reading what others published: files of the data folder, plain or gzipped, line by line with their numbers.

A data folder holds `<benchmark>/<file>` exactly as published, e.g. `bbq/Age.jsonl` or `bbq/Age.jsonl.gz`. Without a
folder a file comes from the hub, where that has the very file (benchmarks/hub.py).
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.benchmarks import hub
from fairreason.errors import AbsentError, DataError
from fairreason.files import parse_line
from fairreason.records import Example

_PART = re.compile(r"-(\d{5})-of-(\d{5})")


class Stamp(NamedTuple):
    """A file as it is now; a cache keyed by it never gives what the file was."""

    path: Path
    changed: int
    size: int


def find(benchmark: str, file: str, data: Path | None) -> Stamp:
    """A benchmark's file in the data folder (`data`, else FAIRREASON_DATA), or without one from the hub, where that has
    it. Raises AbsentError, naming folder and file, where it is absent."""
    folder = _folder(benchmark, data)
    if folder is None:
        return stamp(_from_hub(benchmark, file)[0])
    for path in (folder / file, folder / f"{file}.gz"):
        if path.is_file():
            return stamp(path)
    raise AbsentError(f"{benchmark}: no data. Looked for {folder / file} and {file}.gz; put the published file there")


def find_all(benchmark: str, patterns: Sequence[str], data: Path | None) -> list[Stamp]:
    """The files of the first pattern that any file fits, by name; from the hub those of the first pattern. Raises
    AbsentError as `find` does, DataError where one of several numbered parts is missing."""
    folder = _folder(benchmark, data)
    if folder is None:
        found = _from_hub(benchmark, patterns[0])
    else:
        several = ((path for path in sorted(folder.glob(pattern)) if path.is_file()) for pattern in patterns)
        found = next((paths for paths in map(list, several) if paths), [])
    if not found:
        others = f" (or {', '.join(patterns[1:])})" if patterns[1:] else ""
        raise AbsentError(
            f"{benchmark}: no data. Looked for {folder}/{patterns[0]}{others}; put the published files there"
        )
    _refuse_gaps(benchmark, found)
    return [stamp(path) for path in found]


def _folder(benchmark: str, data: Path | None) -> Path | None:
    chosen = data or os.environ.get("FAIRREASON_DATA")
    return Path(chosen) / benchmark if chosen else None


def _from_hub(benchmark: str, file: str) -> list[Path]:
    put = f"Put {file} (plain or .gz) into DIR/{benchmark} and pass --data DIR or set FAIRREASON_DATA"
    repository = hub.holds(benchmark, file)
    if repository is None:
        raise AbsentError(f"{benchmark}: no data folder. {put}")
    try:
        return hub.fetch(benchmark, file)
    except DataError as error:
        raise AbsentError(f"{benchmark}: no data folder, nor the hub's {repository} ({error}). {put}") from None


def _refuse_gaps(benchmark: str, paths: Sequence[Path]) -> None:
    """`train-00000-of-00010.parquet` says how many there are: all of them, or none is read."""
    counted = [match for path in paths if (match := _PART.search(path.name))]
    wanted = {int(match[2]) for match in counted}
    numbers = {int(match[1]) for match in counted}
    missing = sorted(set(range(max(wanted, default=0))) - numbers)
    if missing:
        first = paths[0].parent / _PART.sub(f"-{missing[0]:05d}-of-{max(wanted):05d}", counted[0].string)
        raise DataError(f"{benchmark}: {len(missing)} of {max(wanted)} parts are missing, {first} first")


def stamp(path: Path) -> Stamp:
    """The file with its time and size. Raises DataError when it cannot be read."""
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    return Stamp(path, found.st_mtime_ns, found.st_size)


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a plain or gzipped file. Raises DataError, naming the file, when it cannot be read."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with their line numbers, empty lines skipped. Raises DataError, naming file and line,
    on a line that is no object."""
    for number, line in enumerate(lines(path), 1):
        if line.strip():
            yield number, parse_line(path, number, line)


def once(examples: Iterable[Example], path: Path) -> tuple[Example, ...]:
    """The examples of a file or folder. Raises DataError where an id stands twice: its answers could not be told apart,
    and it would count twice."""
    found: dict[str, Example] = {}
    for example in examples:
        if found.setdefault(example.id, example) is not example:
            raise DataError(f"{path}: {example.id} stands twice")
    return tuple(found.values())
