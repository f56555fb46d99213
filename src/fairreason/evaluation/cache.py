"""Answers kept beyond one evaluation's folder, so that no question is asked twice of the same weights and settings.

    cache/huggingface-1f3a9c02b7d4-88c1e05a.sqlite      one file a model and setting

A file's name is a hash of our version, the libraries', the backend's fingerprint (the weights' content) and the
generation settings; in it an answer stands under a hash of the prompt, its pictures' content and, where answers are
sampled, the question's id, on which their noise depends. So a checkpoint that is written over has another file, and the
choice of benchmarks, split and limit does not matter. Failed answers are not kept.

Off unless a folder is named (--cache, FAIRREASON_CACHE). SQLite keeps it whole in a kill; processes may share it. Any
file may be deleted at any time; its date is that of its last use (`find cache -mtime +30 -delete`).
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from fairreason import __version__
from fairreason.errors import RunError, UsageError
from fairreason.models.backends.base import Backend, Prompt, Sampling
from fairreason.pictures import picture_hash
from fairreason.records import Completion, from_json, to_json

LIBRARIES = {"huggingface": ("torch", "transformers"), "vllm": ("vllm", "torch", "transformers")}
"""Whose versions may change an answer."""
WAIT_SECONDS = 60.0
TABLE = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, completions TEXT NOT NULL)"


class Cache:
    """The answers of one model under one setting. Raises RunError when its file cannot be used."""

    def __init__(self, folder: Path, backend: Backend, sampling: Sampling) -> None:
        if not getattr(backend, "weights_are_known", True):
            raise UsageError(
                f"{backend.name}: a server's weights cannot be hashed, so its answers are kept in a cache only under a "
                "name that you give them: add --revision NAME, another one whenever they change (or use no --cache)"
            )
        self.samples = sampling.samples
        self.sampled = sampling.temperature > 0
        setting = replace(sampling, samples=1) if self.sampled else replace(sampling, samples=1, seed=0)
        versions = [importlib.metadata.version(name) for name in LIBRARIES.get(backend.name, ())]
        whole = _hash([__version__, versions, backend.fingerprint, to_json(setting)])
        self.path = folder / f"{backend.name}-{_hash(backend.fingerprint)[:12]}-{whole[:16]}.sqlite"

    def find(self, prompts: Sequence[Prompt]) -> dict[int, list[Completion]]:
        """The answers that are there, by index of the prompt."""
        if not self.path.exists():
            return {}
        with contextlib.suppress(OSError):
            os.utime(self.path)
        found = {}
        with self._open() as table:
            for index, prompt in enumerate(prompts):
                row = table.execute("SELECT completions FROM answers WHERE key = ?", [self._key(prompt)]).fetchone()
                held = json.loads(row[0]) if row else []
                if self.sampled and len(held) >= self.samples:  # the first k of more samples are those of k
                    found[index] = [from_json(Completion, one) for one in held[: self.samples]]
                elif held and not self.sampled:
                    found[index] = [from_json(Completion, held[0])] * self.samples
        return found

    def add(self, answered: Sequence[tuple[Prompt, Sequence[Completion]]]) -> None:
        """Keep whole answers; a prompt with a failed one is left out."""
        rows = [
            (self._key(prompt), json.dumps([to_json(one) for one in (answers if self.sampled else answers[:1])]))
            for prompt, answers in answered
            if all(one.finish_reason != "error" for one in answers)
        ]
        if rows:
            with self._open() as table:
                table.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)

    def _key(self, prompt: Prompt) -> bytes:
        own = asdict(prompt) | {"images": [picture_hash(reference) for reference in prompt.images]}
        return bytes.fromhex(_hash(own if self.sampled else own | {"id": ""}))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction. The file is held open no longer, so that it may be deleted at any time."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as table, table:
                table.execute(TABLE)
                yield table
        except (sqlite3.Error, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RunError(
                f"{self.path}: cannot be used as a cache ({reason}). Delete it or name another folder"
            ) from None


def cache_folder() -> Path | None:
    """The folder that FAIRREASON_CACHE names, None where it names none."""
    named = os.environ.get("FAIRREASON_CACHE")
    return Path(named) if named else None


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
