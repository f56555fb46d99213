"""Data sets published as one JSON list of records a file, plain, gzipped or inside a zip."""

from __future__ import annotations

import json
from typing import Any

from fairreason.archives import archive
from fairreason.benchmarks.sources import Stamp, lines
from fairreason.errors import DataError

LARGEST = 2**30
"""Bytes above which a JSON file inside a zip is not unpacked."""


def records(file: Stamp, member: str = "") -> list[dict[str, Any]]:
    """The records of a JSON list, or of an object of records; `member` names the file inside a zip. Raises DataError,
    naming the file, when it cannot be read or is neither."""
    where = f"{file.path}!{member}" if member else str(file.path)
    data = archive(file.path).read(member, LARGEST) if member else b"".join(lines(file.path))
    return parse_records(data, where)


def parse_records(data: bytes, where: str) -> list[dict[str, Any]]:
    """See `records`; `where` names what is read.

    >>> parse_records(b'[{"idx": 0}]', "Age.json"), parse_records(b'{"1": {"pid": "1"}}', "sample.json")
    ([{'idx': 0}], [{'pid': '1'}])
    """
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON ({error})") from None
    rows = list(found.values()) if isinstance(found, dict) else found
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{where}: not a JSON list of records")
    escaped = b"\\ud" in data.lower()
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataError(f"{where}, record {number}: not a JSON object but {type(row).__name__}")
        if escaped and not _is_text(row):
            raise DataError(f"{where}, record {number}: half a surrogate pair, which no text can hold")
    return rows


def _is_text(row: dict[str, Any]) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
