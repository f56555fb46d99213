"""A planned number that says how far to trust it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["exact", "estimated", "at most", "unknown"]


@dataclass(frozen=True)
class Quantity:
    """A number, how far to trust it, and where it comes from (unknown: what is missing)."""

    value: float | None
    status: Status = "exact"
    source: str = ""


def total(quantities: Iterable[Quantity]) -> Quantity:
    """The sum, as sure as the least sure of its parts."""
    parts = list(quantities)
    for status in ("unknown", "estimated", "at most"):
        weakest = next((part for part in parts if part.status == status), None)
        if weakest is not None:
            value = None if status == "unknown" else sum(part.value or 0 for part in parts)
            return Quantity(value, weakest.status, weakest.source)
    return Quantity(sum(part.value or 0 for part in parts))
