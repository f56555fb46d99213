"""Zips that are read where they lie, one member at a time: whole, or in parts that belong together.

A zip in parts (`image.zip.part-aa`, `-ab`, ...: one file cut up, as `split` leaves it) is named by its first part.
Nothing is ever unpacked to disk, and of a member no more bytes are unpacked than the caller asks for.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import struct
import zipfile
import zlib
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from fairreason.errors import DataError

_PART = re.compile(r"\.part-?(?:aa|a|0+1?)$")


class Archive:
    """A zip, whole or in parts, whose members are read one at a time. Names are looked up with forward slashes; where
    everything lies in one top folder, that folder may be left out."""

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            self._zip = zipfile.ZipFile(io.BufferedReader(_Joined(parts_of(place)), 1 << 16))
        except (OSError, zipfile.BadZipFile, ValueError, RuntimeError, struct.error) as error:  # damaged, or too new
            raise DataError(f"{place}: not a zip that can be read ({error})") from None
        members = [info for info in self._zip.infolist() if not info.is_dir()]
        self._members = {info.filename.replace("\\", "/"): info for info in members}
        tops = {name[: name.find("/") + 1] for name in self._members if not name.startswith("__MACOSX/")}
        self._top = tops.pop() if len(tops) == 1 else ""

    def names(self) -> list[str]:
        """All members, without the one top folder where there is one."""
        return [name.removeprefix(self._top) for name in self._members if name.startswith(self._top)]

    def holds(self, name: str) -> bool:
        """Whether `read` finds a member of this name."""
        return name in self._members or self._top + name in self._members

    def read(self, name: str, most: int) -> bytes:
        """One member's bytes. Raises DataError when it is not there, damaged, locked, or unpacks to more than `most`:
        neither what the zip says of its size nor its ratio is trusted, reading stops there."""
        info = self._members.get(name) or self._members.get(self._top + name)
        where = f"{self.place}!{name}"
        if info is None:
            raise DataError(f"{where}: not in this zip")
        try:
            with self._zip.open(info) as file:
                content = file.read(most + 1)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, ValueError) as error:
            raise DataError(f"{where}: cannot be read out of the zip ({error})") from None
        if len(content) > most:
            raise DataError(f"{where}: unpacks to more than {most:,} bytes; it is not read")
        return content


def archive(place: Path) -> Archive:
    """The zip at this place, its list of members read once. Raises DataError when there is none."""
    try:
        found = place.stat()
    except (OSError, ValueError) as error:
        raise DataError(f"{place}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    return _archive(place, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _archive(place: Path, changed: int, size: int) -> Archive:
    return Archive(place)


def parts_of(place: Path) -> list[Path]:
    """The files of a zip in their order: itself, or, for a first part (`.part-aa`), all parts beside it."""
    if not _PART.search(place.name):
        return [place]
    stem = _PART.sub("", place.name)
    return sorted(path for path in place.parent.iterdir() if path.name.startswith(f"{stem}.part"))


class _Joined(io.RawIOBase):
    """Files read as one. No file stays open between two reads, so processes that fork share no position."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._ends = list(accumulate(file.stat().st_size for file in files))
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ends[-1]}[whence]
        if start + offset < 0:
            raise OSError("a position before the start")
        self._position = start + offset
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # typeshed keeps WriteableBuffer to itself
        number = bisect_right(self._ends, self._position)
        if number == len(self._files):
            return 0
        begin = self._ends[number - 1] if number else 0
        with open(self._files[number], "rb") as file:
            file.seek(self._position - begin)
            count = file.readinto(buffer)
        self._position += count
        return count
