"""The key that a server is asked with: out of the environment, into one header, and nowhere else."""

from __future__ import annotations

import os
from typing import NamedTuple

from fairreason.errors import UsageError

KEY = "OPENAI_API_KEY"


class Key(NamedTuple):
    """The environment's variable that holds the key, and the key, "" without one; never to be shown."""

    variable: str
    value: str


def own_key(variable: str = KEY) -> Key:
    """The key without the blanks and line ends that files bring along. Raises UsageError, which does not show it, where
    no request could carry it."""
    found = os.environ.get(variable, "").strip()
    if not (found.isascii() and found.isprintable()):
        raise UsageError(f"{variable}: holds characters that no key has (printable ASCII alone); set it again")
    return Key(variable, found)
