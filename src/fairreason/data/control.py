"""Who sets the bias share, batch by batch.

The sampler asks its controller for the share of every batch and tells it what the trainer measured (`observe`), so a
controller that steers by feedback is one more class here and no trainer changes. It stands with the data, not with the
training, because the sampler needs it and a part imports only from the parts to its left.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fairreason.errors import UsageError


class Controller(Protocol):
    """Gives the bias share of the batch that starts at `progress` (rows drawn / rows of the run); both in [0, 1]."""

    def share(self, progress: float) -> float: ...

    def bounds(self) -> tuple[float, float]:
        """The least and the largest share it can ever ask for: an axis that it never asks for is not loaded."""
        ...

    def observe(self, metrics: Mapping[str, Any]) -> None:
        """Takes a step's row of metrics.jsonl, two batches later: the trainer reads one batch ahead."""
        ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Schedule:
    """A share that is piecewise linear in the progress: `points` are (progress, share), constant outside them.

    Two points at the same progress are a step; the later one holds from there on. One point is a fixed share.

    >>> Schedule(((0, .0), (1, .4))).share(.25)
    0.1
    >>> Schedule(((.5, .0), (.5, 1.))).share(.5)
    1.0
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        places = [place for place, _ in self.points]
        if not self.points or places != sorted(places) or not all(0 <= x <= 1 for point in self.points for x in point):
            raise UsageError(
                "mixture.controller.points must be [progress, share] pairs with progress rising, all between 0 and 1, "
                f"got {[list(point) for point in self.points]}"
            )

    def share(self, progress: float) -> float:
        after = bisect.bisect_right(self.points, progress, key=lambda point: point[0])
        if after == 0:
            return self.points[0][1]
        if after == len(self.points):
            return self.points[-1][1]
        (x0, y0), (x1, y1) = self.points[after - 1], self.points[after]
        return y0 + (y1 - y0) * (progress - x0) / (x1 - x0)

    def bounds(self) -> tuple[float, float]:
        shares = [share for _, share in self.points]
        return min(shares), max(shares)

    def observe(self, metrics: Mapping[str, Any]) -> None:
        """Nothing: a schedule does not steer."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore: the share depends on the progress alone."""


def fixed(share: float) -> Schedule:
    """The same share for every batch."""
    return Schedule(((0.0, share),))


def controller(kind: str, share: float, points: Sequence[Sequence[float]] = ()) -> Controller:
    """The controller that a recipe names: `fixed` at `share`, or `schedule` through `points`. Raises UsageError."""
    if kind == "fixed":
        return fixed(share)
    if kind == "schedule":
        return Schedule(tuple((float(place), float(value)) for place, value in points))
    raise UsageError(f"unknown mixture.controller.type {kind}. Allowed: fixed, schedule")
