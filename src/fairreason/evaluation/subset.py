"""Fewer questions without losing the clusters: whole bundles, spread evenly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fairreason.draws import unit_hash
from fairreason.records import Example


def subset(examples: Sequence[Example], limit: int) -> list[Example]:
    """At most `limit` examples in whole bundles, in their order: from every cluster its first bundle by hash, then from
    every cluster its second, and so on."""
    bundles: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, example in enumerate(examples):
        bundles[example.cluster][example.bundle or example.id].append(index)
    queue = []
    for cluster, members in bundles.items():
        ranked = sorted(members, key=lambda name: (unit_hash("limit/" + name), name))
        queue += [(turn, unit_hash("limit/" + cluster), cluster, members[name]) for turn, name in enumerate(ranked)]
    kept: list[int] = []
    for _, _, _, rows in sorted(queue, key=lambda entry: entry[:3]):
        if len(kept) + len(rows) <= limit:
            kept += rows
    return [examples[index] for index in sorted(kept)]
