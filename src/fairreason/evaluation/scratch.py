"""Where answers lie when no folder was named: a temporary one, which stays when paid work is broken off."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def answers_folder(out: Path | None, paid: bool) -> Iterator[Path]:
    """`out`, else a folder that is gone afterwards. Where answers are `paid` for and the work inside raises after the
    first of them, that folder stays and the error says where it is."""
    if out is not None:
        yield out
        return
    folder = Path(tempfile.mkdtemp(prefix="fairreason-"))
    try:
        yield folder
    except BaseException as error:
        if paid and _holds_answers(folder):
            error.args = (f"{error}. What was answered is kept: go on with --out {folder}".removeprefix(". "),)
            raise
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _holds_answers(folder: Path) -> bool:
    return any(path.read_bytes().count(b"\n") > 1 for path in folder.rglob("completions*.jsonl"))
