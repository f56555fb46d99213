"""Which benchmarks the hub holds in the very files that our readers read, and how such a file comes here.

What has its pictures in files of their own (vlbiasbench, llava-cot, geometry3k, most of mathverse) is read from the
data folder alone, and so is what the hub holds in other files (gsm8k, aime2024, humaneval, mbpp) or not at all (bbq).
What was fetched stays in the hub's own cache, so a second run needs no network.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fairreason.errors import DataError


class Repository(NamedTuple):
    """A data set of the hub; `files` are patterns of its paths, which are also the paths in the data folder. `revision`
    is a commit, None where none is known for sure yet: confirm at the first contact."""

    name: str
    files: tuple[str, ...]
    revision: str | None = None


HUB: Mapping[str, Repository] = {
    "math500": Repository("HuggingFaceH4/MATH-500", ("test.jsonl",)),
    "mathverse": Repository("AI4Math/MathVerse", ("testmini_text_only.json",)),
    "geometry3k-free": Repository("hiyouga/geometry3k", ("data/*-00000-of-00001.parquet",)),
    "mixture-of-thoughts": Repository("open-r1/Mixture-of-Thoughts", ("*/train-*.parquet",)),
    "bbq-traces": Repository("Aaron080108/BBQ_Benchmark_Reasoning_Trace", ("*_traces_cleaned.jsonl",)),
}

_cached_only: ContextVar[bool] = ContextVar("cached_only", default=False)


@contextlib.contextmanager
def nothing_fetched() -> Iterator[None]:
    """Inside, what is not in the hub's cache counts as absent: a plan or a list of benchmarks downloads nothing."""
    token = _cached_only.set(True)
    try:
        yield
    finally:
        _cached_only.reset(token)


def holds(benchmark: str, file: str) -> str | None:
    """The hub's data set that holds this file of a benchmark (or files of this pattern), None where none does."""
    repository = HUB.get(benchmark)
    return repository.name if repository and any(fnmatch(file, known) for known in repository.files) else None


def fetch(benchmark: str, file: str) -> list[Path]:
    """The files of this name or pattern, downloaded where they are not in the hub's cache. Raises DataError, which says
    why in a few words, where they cannot be had."""
    try:
        return list(_fetch(benchmark, file, _cached_only.get()))
    except OSError as error:  # whatever the hub's client raises
        raise DataError(_reason(error)) from None


@lru_cache(maxsize=64)
def _fetch(benchmark: str, file: str, cached_only: bool) -> tuple[Path, ...]:
    from huggingface_hub import snapshot_download

    name, _, revision = HUB[benchmark]
    folder = snapshot_download(
        name, repo_type="dataset", revision=revision, allow_patterns=[file], local_files_only=cached_only
    )
    found = tuple(sorted(Path(folder).glob(file)))
    if not found:
        raise FileNotFoundError("it holds no such file, or none that is in the cache")
    return found


def _reason(error: Exception) -> str:
    from huggingface_hub import errors

    reasons: dict[type[Exception], str] = {
        errors.LocalEntryNotFoundError: "no network, and not in the hub's cache",
        errors.OfflineModeIsEnabled: "offline, and not in the hub's cache",
        errors.GatedRepoError: "it asks for permission; accept its terms and log in with hf auth login",
        errors.RepositoryNotFoundError: "there is no such data set",
    }
    known = next((reason for kind, reason in reasons.items() if isinstance(error, kind)), None)
    return known or f"{str(error) or type(error).__name__}".splitlines()[0][:200]
