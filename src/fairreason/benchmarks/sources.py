"""Reading what others published: files of the data folder, plain or gzipped, line by line with their numbers.

A data folder holds `<benchmark>/<file>` exactly as published, e.g. `bbq/Age.jsonl` or `bbq/Age.jsonl.gz`.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fairreason.errors import DataError
from fairreason.files import parse_line


class Stamp(NamedTuple):
    """A file as it is now; a cache keyed by it never gives what the file was."""

    path: Path
    changed: int
    size: int


def find(benchmark: str, file: str, data: Path | None) -> Stamp:
    """A benchmark's file in the data folder (`data`, else FAIRREASON_DATA). Raises DataError where it is absent."""
    chosen = data or os.environ.get("FAIRREASON_DATA")
    if not chosen:
        raise DataError(
            f"{benchmark}: no data folder. Put {file} (plain or .gz) into DIR/{benchmark} and pass --data DIR "
            "or set FAIRREASON_DATA"
        )
    folder = Path(chosen) / benchmark
    for path in (folder / file, folder / f"{file}.gz"):
        if path.is_file():
            return stamp(path)
    raise DataError(f"{benchmark}: no data. Looked for {folder / file} and {file}.gz; put the published file there")


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
