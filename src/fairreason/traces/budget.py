"""Money with a ceiling: no request is sent whose worst case could pass it.

Before a request its worst case is reserved (Teacher.most); its answer puts what it cost in the place of that. What does
not fit waits for answers under way; where nothing under way could make room, there is none. A reply without an answer
counts by the tokens that it names; what broke off without a reply counts as nothing, since nobody says what it cost.
"""

from __future__ import annotations

import asyncio

from fairreason.errors import UsageError
from fairreason.traces.teachers import Price


class Budget:
    """`ceiling` and `spent` in US dollars; None: no ceiling. Raises UsageError for a ceiling without a price."""

    def __init__(self, ceiling: float | None, price: Price | None, spent: float = 0.0) -> None:
        if ceiling is not None and price is None:
            raise UsageError(
                "--max-cost: no price is known for this teacher; add --price IN,OUT (USD a million tokens)"
            )
        self.ceiling, self.spent = ceiling, spent
        self.reserved = 0.0
        self.under_way = 0
        self.exhausted = False
        self._settled = asyncio.Event()

    def fits(self, most: float) -> bool:
        """Whether so much more can be spent without passing the ceiling, whatever the requests under way cost."""
        return self.ceiling is None or self.spent + self.reserved + most <= self.ceiling

    async def reserve(self, most: float) -> bool:
        """Waits until `most` fits and sets it aside; False where it never will."""
        while not self.fits(most):
            if not self.under_way:
                self.exhausted = True
                return False
            self._settled.clear()
            await self._settled.wait()
        self.hold(most)
        return True

    def hold(self, most: float) -> None:
        """Sets `most` aside for a request."""
        self.reserved += most
        self.under_way += 1

    def charge(self, cost: float) -> bool:
        """A request under way has cost so much and has no answer; whether it may be sent once more."""
        self.spent += cost
        return self.fits(0.0)

    def settle(self, most: float, cost: float) -> None:
        """A request is over: `cost` in the place of what was set aside for it."""
        self.under_way -= 1
        self.reserved = self.reserved - most if self.under_way else 0.0
        self.spent += cost
        self._settled.set()
