"""The order of the training rows: one batch at a time, bias and reasoning by exact quota, whole bundles only.

Each axis has a running target, share x rows summed over the batches, and each source inside it a running target by
weight. The sampler repeatedly takes the next bundle of the axis that lies furthest behind, from the source that lies
furthest behind, as long as it fits into the rest of the batch. What could not be placed is carried to the next batch.

Laws (tests/data/test_sampler.py): after any batch the bias rows drawn differ from share x rows by less than one bundle;
a bundle never lies in two batches; with bundles of one row the counts are exactly those of `apportion`; every source
has one order of its own (bundles.py), so a seed draws the same examples of it at every share, as prefixes of one list.
(A source whose bundles differ in size keeps one order for each size: where the next bundle does not fit into the batch,
the next smaller one goes first.)
"""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fairreason.data.bundles import AXES, Pool, Queue, apportion
from fairreason.data.control import Controller
from fairreason.errors import DataError, FairReasonError, RunError, UsageError
from fairreason.records import Axis

HISTORY = 16  # batches whose states are kept: more than a trainer reads ahead
AHEAD = 2  # a trainer that reads one batch ahead has just done step k when it draws batch k + 2


class Sampler:
    """Yields the run's batches, each a list of row positions; `batch` rows each, the last one what is left of `size`.

    `targets` and `drawn` are rows by axis. Raises DataError when a source runs out, UsageError when whole bundles
    cannot fill a batch or hold the share.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        controller: Controller,
        batch: int,
        size: int,
        seed: int,
        repeat: bool = False,
    ) -> None:
        self.pools, self.controller, self.batch, self.size, self.seed = tuple(pools), controller, batch, size, seed
        self.repeat = repeat
        self.queues = [Queue(pool, seed, repeat) for pool in pools]
        self.largest = max((int(pool.sizes.max()) for pool in pools if len(pool.rows)), default=1)
        self.lanes = {axis: [i for i, pool in enumerate(pools) if pool.axis == axis] for axis in AXES}
        self.batches = 0
        self.targets: dict[Axis, float] = {axis: 0.0 for axis in AXES}
        self.drawn: dict[Axis, int] = {axis: 0 for axis in AXES}
        self.drawn_sources = [0 for _ in pools]
        self.told = 0
        self._observed: deque[tuple[int, dict[str, Any]]] = deque(maxlen=HISTORY)
        self._states: deque[dict[str, Any]] = deque([self.state_dict()], maxlen=HISTORY)

    def __len__(self) -> int:
        """Batches of the whole run."""
        return -(-self.size // self.batch)

    def __iter__(self) -> Iterator[list[int]]:
        """The batches that are still to come."""
        while (batch := self.next_batch()) is not None:
            yield batch

    def fresh(self) -> Sampler:
        """The same sampler at its beginning."""
        return Sampler(self.pools, copy.deepcopy(self.controller), self.batch, self.size, self.seed, self.repeat)

    def next_batch(self) -> list[int] | None:
        """The next batch, or None when the run's rows are drawn."""
        done = sum(self.drawn.values())
        if done >= self.size:
            return None
        self._tell()
        share = self.controller.share(done / self.size)
        room = min(self.batch, self.size - done)
        self.targets["bias"] += share * room
        self.targets["reasoning"] += (1 - share) * room
        rows = self._fill(room, self._plan(share, self.size - done - room))
        np.random.default_rng([self.seed, 0x6F72646572, self.batches]).shuffle(rows)  # "order"
        self.batches += 1
        self._states.append(self.state_dict())
        return rows

    def observe(self, step: int, metrics: Mapping[str, Any]) -> None:
        """A logged step's metrics (JSON) for the controller. It is told of them when batch `step` + 2 is drawn, never
        earlier, so that a resumed run steers like one that never stopped."""
        self._observed.append((step, dict(metrics)))

    def _tell(self) -> None:
        for step, metrics in self._observed:
            if self.told < step <= self.batches + 1 - AHEAD:
                self.controller.observe(metrics)
                self.told = step

    def _untold(self, told: int) -> list[tuple[int, dict[str, Any]]]:
        return [row for row in self._observed if row[0] > told]

    def _plan(self, share: float, later: int) -> list[float]:
        """The part of its axis that each source is to have: whole counts at the end if the share stays as it is."""
        parts = [0.0 for _ in self.pools]
        for axis, members in self.lanes.items():
            if not members:
                continue
            rows = self.targets[axis] + (share if axis == "bias" else 1 - share) * later
            total = math.floor(rows + 0.5 + 1e-7) if axis == "bias" else math.ceil(rows - 0.5 - 1e-7)
            weights = {str(i): self.pools[i].weight for i in members}
            whole = apportion(weights, max(total, 1))
            for i in members:
                parts[i] = whole[str(i)] / max(total, 1)
        return parts

    def _fill(self, room: int, parts: Sequence[float]) -> list[int]:
        rows: list[int] = []
        behind = {axis: self.targets[axis] - self.drawn[axis] for axis in AXES}
        while room:
            first: Axis = "bias" if behind["bias"] - behind["reasoning"] > -1e-7 else "reasoning"
            other: Axis = "reasoning" if first == "bias" else "bias"
            choice = self._choose(first, room, parts) or self._choose(other, room, parts)
            if choice is None:
                raise self._refusal(room, first)
            i, size = choice
            axis = self.pools[i].axis
            rows += self.queues[i].take(size)
            self.drawn_sources[i] += size
            self.drawn[axis] += size
            behind[axis] -= size
            room -= size
        if abs(behind["bias"]) >= self.largest - 1e-6:
            raise self._refusal(0, "bias" if behind["bias"] > 0 else "reasoning")
        return rows

    def _choose(self, axis: Axis, room: int, parts: Sequence[float]) -> tuple[int, int] | None:
        """The source of the axis that is furthest behind among those with a bundle that fits, and the bundle's size."""
        best, found = -math.inf, None
        for i in self.lanes[axis]:
            behind = parts[i] * (self.drawn[axis] + 1) - self.drawn_sources[i]
            if parts[i] == 0 or behind <= best + 1e-9:
                continue
            if size := self.queues[i].head(room):
                best, found = behind, (i, size)
            elif behind > 1 - 1e-6 and not self.queues[i].head(self.largest):
                raise DataError(self._too_few(i))
        return found

    def _refusal(self, room: int, axis: Axis) -> FairReasonError:
        """Says why no bundle can be placed: a source that has no more, or bundles that do not fit."""
        for i in self.lanes[axis]:
            queue = self.queues[i]
            if self.pools[i].weight > 0 and not queue.head(self.largest):
                return DataError(self._too_few(i))
        sizes = sorted({size for i in self.lanes[axis] for size in self.queues[i].sizes}) or [0]
        what = f"{room} rows of a batch of {self.batch} stay empty" if room else "the share cannot be held"
        return UsageError(
            f"batch {self.batches + 1}: {what}, because {axis} rows come in bundles of {', '.join(map(str, sizes))} "
            f"that are never cut. Set strategy.batch and mixture.size to multiples of {math.lcm(*map(int, sizes)) or 1}"
        )

    def _too_few(self, i: int) -> str:
        pool = self.pools[i]
        return too_few(pool.source, len(pool.rows), self.wanted(i))

    def wanted(self, i: int) -> int:
        """About how many rows of a source the whole run asks for, were the share to stay."""
        done = sum(self.drawn.values())
        share = self.controller.share(min(done / self.size, 1.0))
        axis = self.pools[i].axis
        later = max(0.0, self.size - sum(self.targets.values()))
        rows = self.targets[axis] + (share if axis == "bias" else 1 - share) * later
        weights = math.fsum(self.pools[j].weight for j in self.lanes[axis])
        return max(round(rows * self.pools[i].weight / weights), len(self.pools[i].rows) + 1)

    def state_dict(self) -> dict[str, Any]:
        """All that the next batch depends on, as JSON."""
        return {
            "batches": self.batches,
            "targets": dict(self.targets),
            "drawn": dict(self.drawn),
            "sources": {
                pool.source: {"drawn": rows, "taken": {str(size): n for size, n in queue.taken.items()}}
                for pool, rows, queue in zip(self.pools, self.drawn_sources, self.queues, strict=True)
            },
            "controller": self.controller.state_dict(),
            "told": self.told,
            "observed": self._untold(self.told),
        }

    def state_after(self, batches: int) -> dict[str, Any]:
        """The state right after that many batches (of the last 16), for a trainer that reads ahead; with the metrics
        that its controller had not been told of by then."""
        for state in self._states:
            if state["batches"] == batches:
                return {**state, "observed": self._untold(state["told"])}
        raise RunError(f"the sampler no longer knows its state after batch {batches}; it is at {self.batches}")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on exactly where `state` was taken. Raises RunError when it belongs to other sources."""
        if list(state["sources"]) != [pool.source for pool in self.pools]:
            raise RunError(f"the checkpoint's sources {list(state['sources'])} are not those of this mixture")
        self.batches = state["batches"]
        self.targets = {axis: float(state["targets"][axis]) for axis in AXES}
        self.drawn = {axis: int(state["drawn"][axis]) for axis in AXES}
        self.drawn_sources = [int(row["drawn"]) for row in state["sources"].values()]
        for queue, row in zip(self.queues, state["sources"].values(), strict=True):
            queue.restore({int(size): int(n) for size, n in row["taken"].items()})
        self.controller.load_state_dict(state["controller"])
        self.told = state.get("told", 0)
        self._observed = deque(((step, row) for step, row in state.get("observed", [])), maxlen=HISTORY)
        self._states = deque([self.state_dict()], maxlen=HISTORY)


def too_few(source: str, has: int, wants: int) -> str:
    """The message for a source that cannot fill its part."""
    return (
        f"{source}: has {has} training examples, the mixture wants {wants}. Make mixture.size, its weight or "
        "mixture.bias_share smaller, or allow examples to stand more than once with mixture.repeat: true"
    )
