"""What a name decides: the split of a cluster, the order in which an example's options are shown.

Hashes of names and nothing else, so everybody's are the same and neither depends on what else was loaded.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from typing import Literal, get_args

from fairreason.records import Example

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
SPLIT_SHARES: Mapping[Split, float] = {"train": 0.6, "dev": 0.1, "test": 0.3}
"""Share of the clusters that falls into each split."""

PUBLISHED = "published"
LETTERS = string.ascii_uppercase
"""Names of the options in the order in which they are shown; 26 options at most."""


def unit_hash(name: str) -> float:
    """A name's place in [0, 1), by SHA-256: the same on every machine and in every version.

    >>> 0 <= unit_hash("bbq/age-01") < 1
    True
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def split_of(cluster: str) -> Split:
    """The split a whole cluster falls into."""
    place = unit_hash("split/" + cluster)
    if place < SPLIT_SHARES["train"]:
        return "train"
    return "dev" if place < SPLIT_SHARES["train"] + SPLIT_SHARES["dev"] else "test"


def question_id(example: Example) -> str:
    """The id of the question in its own benchmark. Several traces of one question are examples of their own
    (`bbq/Age/0#1`), but they are split and shown as that question is."""
    return str(example.metadata.get("question", example.id))


def shown_order(example: Example) -> tuple[int, ...]:
    """Published indices of the options in the order in which they are shown, drawn from the question's id; as published
    where the metadata says `order: published` (a recorded trace names the letters that its teacher saw)."""
    if example.metadata.get("order") == PUBLISHED:
        return tuple(range(len(example.options)))
    stem = hashlib.sha256(question_id(example).encode())

    def place(index: int) -> bytes:
        digest = stem.copy()
        digest.update(b"/%d" % index)
        return digest.digest()

    return tuple(sorted(range(len(example.options)), key=place))
