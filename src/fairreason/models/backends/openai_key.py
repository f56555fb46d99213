"""The key that a server is asked with: out of the environment, into one header, and out of what is kept or shown."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from fairreason.errors import UsageError

KEY = "OPENAI_API_KEY"
SHORTEST_SECRET = 8  # a shorter key ("none", "EMPTY") hides nothing, and may well be a word of an answer


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


def secrets(key: Key, base_url: str) -> list[str]:
    """What nobody may see, the longest first: the key, and the address's password, plain, as an address writes it and
    as the header that it is sent in."""
    parts = urlsplit(base_url)
    written = parts.password or ""
    plain = unquote(written)
    header = base64.b64encode(f"{unquote(parts.username or '')}:{plain}".encode()).decode() if plain else ""
    return sorted({key.value, plain, written, quote(plain, safe=""), header} - {""}, key=len, reverse=True)


def without(secrets: Iterable[str], text: str, shortest: int = 1) -> str:
    """The text with `[key]` in the place of each secret of so many characters or more. Cut it afterwards, never before.

    >>> without(["sk-1234"], "you sent sk-1234")
    'you sent [key]'
    """
    for secret in secrets:
        if len(secret) >= shortest:
            text = text.replace(secret, "[key]")
    return text
