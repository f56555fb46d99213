"""Everything FairReason raises on purpose. The command line prints the message as one line, without a traceback.

A message says where, what, what is allowed and what to do:
`recipes/mine.yaml: unknown key mixture.siez. Did you mean mixture.size?`
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FairReasonError(Exception):
    """Root of all errors raised on purpose. `exit_code` is what the command line leaves with."""

    exit_code = 1


class UsageError(FairReasonError, ValueError):
    """The caller asked for something that does not exist: an unknown key, benchmark, strategy, a bad range."""

    exit_code = 2


class DataError(FairReasonError, ValueError):
    """Data that is missing, malformed or too small: a broken JSONL line, a missing picture, too few examples."""


class AbsentError(DataError):
    """A data set whose files are not at hand at all."""


class ModelError(FairReasonError, RuntimeError):
    """A model that cannot be loaded, or that does not take what it was given (a picture, say)."""


class RunError(FairReasonError, RuntimeError):
    """A run or study that cannot go on: a loss that is not finite, a locked folder, a full disk."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of the names, None where nothing is similar."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return close[0] if close else None
