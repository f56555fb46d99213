"""Hashes of pictures that a study has made before, so that calling it again does not read every picture again.

`pictures.json` in the study's folder: {"/data/llava-cot/a.jpg": [[size, changed, status changed, inode], sha-256]}.
A hash is found again while the file is the same to the nanosecond in all of these; the status time of a file is the
kernel's own, so one that is written over and given its old time back is hashed anew. Not remembered are pictures that
were touched within the last seconds, since a clock's tick may hold two writes, and those of a zip in parts.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from fairreason.files import write_atomic
from fairreason.pictures import ZIP, picture_hash

JUST_NOW = 2 * 10**9
"""Nanoseconds."""


class Remembered:
    """`picture_hash` with a memory in a file (None: without)."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.new = False
        self._known: dict[str, tuple[list[int], str]] = _read(file) if file else {}

    def hash(self, reference: str) -> str:
        """The picture by its content, as `picture_hash` says it."""
        sign = _sign(reference) if self.file else None
        if sign is None:
            return picture_hash(reference)
        known = self._known.get(reference)
        if known and known[0] == sign:
            return known[1]
        found = picture_hash(reference)
        if found != reference and sign == _sign(reference) and max(sign[1:3]) < time.time_ns() - JUST_NOW:
            self._known[reference] = (sign, found)
            self.new = True
        return found

    def keep(self) -> None:
        """Writes what is new. Raises RunError when the disk does not take it."""
        if self.file and self.new:
            write_atomic(self.file, json.dumps(self._known))
            self.new = False


def _sign(reference: str) -> list[int] | None:
    """What tells a file from what it was; None where there is none, or more than one."""
    place = reference.removeprefix(ZIP).partition("!")[0] if reference.startswith(ZIP) else reference
    if reference.startswith("data:") or ".part" in Path(place).name:
        return None
    try:
        found = os.stat(place)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read(file: Path) -> dict[str, tuple[list[int], str]]:
    """What was kept; {} where that cannot be read."""
    try:
        return {reference: (sign, found) for reference, (sign, found) in json.loads(file.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
