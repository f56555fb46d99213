"""How many requests a server is sent at a time: as many as asked for, fewer while it says that it is busy.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does it. A reply of 429 or 503 halves what is
allowed, but only once a round trip: what had been sent before the cut says nothing of the server after it. Every answer
adds 1/allowed, so a round of answers adds about one, up to the number asked for. The work starts there, since a polite
server needs no slow start.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque


class Limit:
    """Places for requests under way, at most `most`, at least 1; `async with` takes one. Used inside one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.allowed = float(most)
        self.open = 0
        self.cut_at = -math.inf
        self.waiting: deque[asyncio.Future[None]] = deque()

    def answered(self) -> None:
        """An answer came: a little more is allowed."""
        self.allowed = min(float(self.most), self.allowed + 1 / self.allowed)

    def busy(self, sent: float, now: float) -> None:
        """A request sent at `sent` (the loop's clock) was turned away: half of what is under way is allowed."""
        if sent > self.cut_at:
            self.cut_at = now
            self.allowed = max(1.0, min(self.allowed, self.open) / 2)

    async def __aenter__(self) -> None:
        if self.open < int(self.allowed):
            self.open += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place was given just before
                self._leave()
            raise

    async def __aexit__(self, *error: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self.open -= 1
        while self.waiting and self.open < int(self.allowed):
            turn = self.waiting.popleft()
            if not turn.done():
                self.open += 1
                turn.set_result(None)
