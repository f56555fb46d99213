"""A folder's or a file's lock: the kernel's, so it is gone with the process that held it, however that ended."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairreason.errors import RunError


@contextmanager
def locked(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Holds the folder for this process; waits up to `wait` seconds for it. Raises RunError when it stays taken."""
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder / ".lock", wait, f"{folder}: another process works in this folder"):
        yield


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Holds a file for this process (through `.NAME.lock` beside it). Raises RunError when another has it."""
    with _held(path.with_name(f".{path.name}.lock"), 0.0, f"{path}: another process works on this file"):
        yield


@contextmanager
def _held(lock: Path, wait: float, taken: str) -> Iterator[None]:
    with lock.open("a+") as file:
        end = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    file.seek(0)
                    who = file.read().strip()
                    by = f" (process {who})" if who else ""
                    raise RunError(f"{taken}{by}. Wait for it or end it") from None
                time.sleep(0.1)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
