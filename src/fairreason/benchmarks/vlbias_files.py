"""Where VLBiasBench's files lie: `json/<part>/<axis>.json` and `images/` in its folder, or `close_ended.zip` as the hub
has it (there below `close-ended/`), read without unpacking.

Which of the 4 x 10 files exist is published nowhere, but how many records each axis has: a file may be absent only
where the others of its axis have them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fairreason.archives import archive
from fairreason.benchmarks.json_lists import records
from fairreason.benchmarks.sources import Stamp, find
from fairreason.errors import AbsentError, DataError

PARTS = ("base", "scene", "scene_text", "text")
AXES: dict[str, int] = {
    "Age": 12702,
    "Disability_status": 3670,
    "Gender_identity": 4214,
    "Nationality": 8660,
    "Physical_appearance": 5186,
    "Race_ethnicity": 12026,
    "Race_x_SES": 9370,
    "Race_x_gender": 18692,
    "Religion": 3698,
    "SES": 20776,
}
"""Axes in the order of their files, and how many records each was published with over the four parts."""

PACKED = "close_ended.zip"


class File(NamedTuple):
    """One list of records: its part and axis, the file (or zip, with the member's name) it stands in."""

    part: str
    axis: str
    stamp: Stamp
    member: str

    @property
    def where(self) -> str:
        return f"{self.stamp.path}!{self.member}" if self.member else str(self.stamp.path)


def files_of(parts: Sequence[str], axes: Sequence[str], data: Path | None) -> list[File]:
    """The files of these parts and axes, parts first. Raises DataError, naming the file, where one is missing."""
    found = {(part, axis): _place(part, axis, data) for part in parts for axis in axes}
    files = [file for file in found.values() if isinstance(file, File)]
    absent = {key: why for key, why in found.items() if isinstance(why, DataError)}
    if not files:
        raise next(iter(absent.values()))
    for (_, axis), why in absent.items():
        present = [file for part in PARTS if isinstance(file := _place(part, axis, data), File)]
        count = sum(_count(file) for file in present)
        if count != AXES[axis]:
            raise DataError(f"{why}. {axis} has {count:,} of its {AXES[axis]:,} published records without it")
    return files


def _place(part: str, axis: str, data: Path | None) -> File | DataError:
    member = f"json/{part}/{axis}.json"
    try:
        return File(part, axis, find("vlbiasbench", member, data), "")
    except DataError as error:
        missing = error
    try:
        packed = find("vlbiasbench", PACKED, data)
    except DataError:
        return AbsentError(f"{missing}, or {PACKED}")
    if archive(packed.path).holds(member):
        return File(part, axis, packed, member)
    return DataError(f"{packed.path}: holds no {member}")


@lru_cache(maxsize=len(PARTS) * len(AXES))
def _count(file: File) -> int:
    return len(records(file.stamp, file.member))
