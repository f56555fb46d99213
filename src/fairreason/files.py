"""Files that survive a kill at any moment: whole or not at all, and JSONL logs whose torn last line is dropped.

`write_atomic` writes beside the target, syncs and renames, so a reader sees the old file or the new one. `append_lines`
syncs what it added; a kill in between can tear only the last line, which `recover_lines` cuts off before the next one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fairreason.errors import DataError, RunError

FULL = ("no space left on device", "unexpected pos", "iostream error")
"""What a full disk is called without an error number; the last two by torch.save."""


def write_atomic(path: Path, content: str | bytes | Iterable[bytes]) -> None:
    """Replace the file with `content` (text as UTF-8, or its pieces) or leave it as it was. Makes the folder it stands
    in.

    Raises RunError when the disk does not take it (full, read-only); then nothing is written over.
    """
    pieces = [content.encode()] if isinstance(content, str) else [content] if isinstance(content, bytes) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)  # nothing lies there once it was renamed


def is_temporary(name: str) -> bool:
    """Whether a file of this name is what `write_atomic` writes before it renames.

    >>> is_temporary(".study.json.7-140.tmp"), is_temporary("notes.tmp")
    (True, False)
    """
    return name.startswith(".") and name.endswith(".tmp")


def sweep(folder: Path) -> None:
    """Remove what kills have left of `write_atomic` in this folder, which nobody else is writing to."""
    for path in folder.iterdir():
        if is_temporary(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def disk_is_full(error: BaseException) -> bool:
    """Whether a full disk is behind the error, whatever library it came through."""
    return any(
        getattr(one, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(sign in str(one).lower() for sign in FULL)
        for one in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def write_json(path: Path, value: Any, indent: int | None = 1) -> None:
    """`write_atomic` of one JSON value; NaN and infinity are refused, since JSON has neither."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent) + "\n")


def append_lines(path: Path, rows: Iterable[Any]) -> None:
    """Add one JSON line a row and sync. A torn last line, left by a kill, is cut off first. Raises RunError."""
    data = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        recover_lines(path)
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from None


class LineLog:
    """A JSONL file held open for adding. Every line reaches the system at once, so a killed process loses none of them;
    the disk has them `sync_seconds` later, when the next line comes, and on `close`. Raises RunError."""

    def __init__(self, path: Path, sync_seconds: float) -> None:
        self.path, self.sync_seconds = path, sync_seconds
        self.synced = time.monotonic()
        with self._reported():
            path.parent.mkdir(parents=True, exist_ok=True)
            recover_lines(path)
            self.file = path.open("ab", buffering=0)

    def add(self, row: Any) -> None:
        line = memoryview((json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode())
        with self._reported():
            while line:
                line = line[self.file.write(line) :]
            if time.monotonic() - self.synced >= self.sync_seconds:
                os.fsync(self.file.fileno())
                self.synced = time.monotonic()

    def close(self) -> None:
        with self._reported(), self.file:
            os.fsync(self.file.fileno())

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written ({error.strerror})") from None


def recover_lines(path: Path) -> None:
    """Cut the file back to its last line end; nothing happens when it ends in one or does not exist."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        kept = end
        while kept:
            start = max(0, kept - 65_536)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            if newline >= 0:
                kept = start + newline + 1
                break
            kept = start
        if kept < end:
            file.truncate(kept)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All rows of a JSONL file, empty lines skipped. Raises DataError, naming file and line, on a line that is none."""
    return list(iter_jsonl(path))


def iter_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file one by one; errors as in `read_jsonl`."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield parse_line(path, number, line)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def parse_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """One line of a JSONL file as its object. Raises DataError, naming file and line, when it is none."""
    try:
        row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}:{number}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number}: not a JSON object but {type(row).__name__}")
    if b"\\ud" in line.lower() and not _is_text(row):
        raise DataError(f"{path}:{number}: half a surrogate pair (\\ud800 to \\udfff), which no text can hold")
    return row


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def replace_folder(part: Path, folder: Path) -> None:
    """Puts a finished folder into its place. What stood there steps aside first (`.NAME.old`) and goes last, so that a
    kill at any moment leaves one of the two whole."""
    aside = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        os.replace(folder, aside)
    os.replace(part, folder)
    shutil.rmtree(aside, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
