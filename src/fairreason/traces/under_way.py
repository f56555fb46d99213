"""The batches that a server is working on, written down before anything is waited for: `X.batch.json` beside X.jsonl.

    {"settings": {...},
     "batches": [{"file": "file-1", "batch": "batch_1", "asked": [["bbq/Age/0", 0, "9f2c...", 0.0041], ...]}]}

`settings` is the journal's first line, `file` what was uploaded, `batch` null until the batch that reads it is made;
`asked` its questions in the order of its lines: id, sample, prompt hash, what an answer costs at most in US dollars.
The file is gone when no batch is under way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairreason.errors import RunError, UsageError
from fairreason.files import write_json


def batch_path(journal: Path) -> Path:
    """Where the batches under way are written down.

    >>> batch_path(Path("bbq.answers.jsonl")).name
    'bbq.batch.json'
    """
    return journal.with_name(journal.name.removesuffix(".answers.jsonl") + ".batch.json")


def read(path: Path, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The batches that an earlier call left. Raises RunError where the file is none of ours, or of other settings."""
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text())
        batches = [{key: batch[key] for key in ("file", "batch", "asked")} for batch in found["batches"]]
        if found["settings"] != settings:
            raise RunError(f"{path}: batches are under way under other settings. Ask as before to wait for them")
        return batches
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"{path}: not a list of batches under way; delete it to ask their questions again") from None


def refuse(journal: Path) -> None:
    """Raises UsageError where batches are under way for the journal's questions."""
    path = batch_path(journal)
    if path.exists():
        raise UsageError(
            f"{path}: batches are under way for these questions; ask their own teacher with --batch to wait for them"
        )


def save(path: Path, settings: Mapping[str, Any], batches: Sequence[dict[str, Any]]) -> None:
    """Writes the batches down, or removes the file where there is none. Raises RunError."""
    if batches:
        write_json(path, {"settings": settings, "batches": list(batches)}, indent=None)
    else:
        path.unlink(missing_ok=True)
