"""Which questions are withheld: the test splits at hand, indexed by their n-grams (overlap.py says what that means).

Every benchmark of BENCHMARKS is read but second views, which ask the questions of their first one. Those whose files
are not at hand, or cannot be read, are named with the reason. Axes: W words, G grams.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from fairreason.benchmarks import BENCHMARKS, get
from fairreason.errors import AbsentError, DataError
from fairreason.records import Example
from fairreason.traces.grams import codes, grams, words
from fairreason.traces.overlap import CLUSTERS, GRAM, LENGTHS, NOBODY, SHORTEST, Index, Withheld, origin, whole_number

NAMES = tuple(name for name, benchmark in BENCHMARKS.items() if not benchmark.beside)
"""What is compared with: every benchmark. A second view asks the questions of its first one, so it adds none."""

AT_ONCE = 20_000
"""How many texts' n-grams are in memory together."""


def read_withheld(names: Iterable[str] = NAMES, data: Path | None = None) -> Withheld:
    """The test splits of these benchmarks, as far as their files are at hand and can be read (`data` None:
    FAIRREASON_DATA)."""
    found: dict[str, list[Example]] = {}
    others: dict[str, list[Example]] = {}
    absent: dict[str, str] = {}
    broken: dict[str, str] = {}
    for name in names:
        benchmark = get(name)
        try:
            found[name] = benchmark.load("test", data)
            rest = [split for split in benchmark.splits if split != "test"]
            others[name] = [row for split in rest for row in benchmark.load(split, data)]
        except DataError as error:
            found.pop(name, None)
            (absent if isinstance(error, AbsentError) else broken)[name] = _inside(str(error), data)
    return index_withheld(found, others, absent, broken)


def _inside(said: str, data: Path | None) -> str:
    """The error with its file seen from the data folder: what a card says tells nobody's folders."""
    folder = Path(data or os.environ.get("FAIRREASON_DATA") or ".")
    return said.replace(f"{folder}{os.sep}", "") if folder.is_absolute() else said


def index_withheld(
    tests: Mapping[str, Sequence[Example]],
    others: Mapping[str, Sequence[Example]] | None = None,
    absent: Mapping[str, str] | None = None,
    broken: Mapping[str, str] | None = None,
) -> Withheld:
    """The same from examples: test questions by source, and the other splits' questions, which tell what is template
    text. Sources whose ids begin alike (`bbq/...`, of bbq and bbq-traces) are one origin."""
    ids: list[str] = []
    whole: dict[int, int] = {}
    parts: dict[int, list[Index]] = {n: [] for n in LENGTHS}
    rest = _by_origin([row for rows in (others or {}).values() for row in rows])
    asked = _by_origin([row for rows in tests.values() for row in rows])
    origins = {source: number for number, source in enumerate(asked)}
    template: dict[str, int] = {}
    for source, rows in asked.items():
        start = len(ids)
        ids += [row.id for row in rows]
        known = [*rows, *rest.get(source, ())]
        coded = [codes(words(row.prompt)) for row in known]
        clusters = [row.cluster for row in known]
        for number, place in _wholes(rows, coded, clusters):
            whole.setdefault(number, start + place)
        template[source] = 0
        for n in LENGTHS:
            own = [codes_W if n == GRAM or len(codes_W) == n else codes_W[:0] for codes_W in coded[: len(rows)]]
            grams_G, owners_G = _all_grams(own, n)
            common = _in_many_clusters(coded, clusters, n, grams_G)
            template[source] += len(common)
            kept = ~_among(grams_G, common)
            parts[n].append(Index(grams_G[kept], owners_G[kept] + start, np.full(kept.sum(), origins[source])))
    index = {n: _merged(found) for n, found in parts.items() if any(len(part.grams_G) for part in found)}
    sizes = {source: len(rows) for source, rows in tests.items()}
    return Withheld(ids, origins, whole, index, sizes, dict(absent or {}), dict(broken or {}), template)


def _by_origin(rows: Iterable[Example]) -> dict[str, list[Example]]:
    found: dict[str, list[Example]] = {}
    for row in rows:
        found.setdefault(origin(row.id), []).append(row)
    return found


def _wholes(rows: Sequence[Example], known: Sequence[np.ndarray], clusters: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The number and place of each test question that counts whole; `known` begins with theirs."""
    found: dict[int, set[str]] = {}
    for codes_W, cluster in zip(known, clusters, strict=True):
        found.setdefault(whole_number(codes_W), set()).add(cluster)
    for place, (row, codes_W) in enumerate(zip(rows, known, strict=False)):
        number = whole_number(codes_W)
        half = row.images and (len(codes_W) < SHORTEST or len(found[number]) >= CLUSTERS)
        if len(codes_W) and not half:
            yield number, place


def _all_grams(texts: Sequence[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """All n-grams of several texts, and the place of the text that each comes from."""
    lengths = np.array([len(codes_W) for codes_W in texts], int)
    owners = np.repeat(np.arange(len(texts)), lengths)
    grams_G = grams(np.concatenate(texts) if texts else np.empty(0, np.uint64), n)
    inside = owners[: len(grams_G)] == owners[n - 1 :]
    return grams_G[inside], owners[: len(grams_G)][inside]


def _in_many_clusters(known: Sequence[np.ndarray], clusters: Sequence[str], n: int, wanted: np.ndarray) -> np.ndarray:
    """Of the wanted n-grams those that stand in texts of CLUSTERS clusters or more."""
    if not len(wanted):
        return wanted
    names = {name: code for code, name in enumerate(dict.fromkeys(clusters))}
    cluster_of = np.array([names[name] for name in clusters])
    grams_G, owners_G = _found_among(known, n, np.sort(wanted))
    clusters_G = cluster_of[owners_G]
    order = np.lexsort((clusters_G, grams_G))
    grams_G, clusters_G = grams_G[order], clusters_G[order]
    new = np.append(True, (grams_G[1:] != grams_G[:-1]) | (clusters_G[1:] != clusters_G[:-1]))
    different, counts = np.unique(grams_G[new], return_counts=True)
    return different[counts >= CLUSTERS]


def _found_among(texts: Sequence[np.ndarray], n: int, sorted_G: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_all_grams` as far as they are among the sorted ones; some texts at a time, since most of theirs are not."""
    found = []
    for start in range(0, len(texts), AT_ONCE):
        grams_G, owners_G = _all_grams(texts[start : start + AT_ONCE], n)
        order = np.argsort(grams_G)  # neighbours are found three times as fast
        grams_G, owners_G = grams_G[order], owners_G[order] + start
        kept = _among(grams_G, sorted_G)
        found.append((grams_G[kept], owners_G[kept]))
    grams_G, owners_G = (np.concatenate(column) for column in zip(*found, strict=True))
    return grams_G, owners_G


def _among(grams_G: np.ndarray, sorted_G: np.ndarray) -> np.ndarray:
    """Which of the n-grams are among the sorted ones."""
    if not len(sorted_G):
        return np.zeros(len(grams_G), bool)
    return np.asarray(sorted_G[np.searchsorted(sorted_G, grams_G) % len(sorted_G)] == grams_G)


def _merged(parts: Sequence[Index]) -> Index:
    """One index of several: the first owner of each gram, and its origin where it has one."""
    grams_G, owners_G, origins_G = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(grams_G, kind="stable")
    grams_G, owners_G, origins_G = grams_G[order], owners_G[order], origins_G[order]
    first = np.flatnonzero(np.append(True, grams_G[1:] != grams_G[:-1]))
    lowest, highest = np.minimum.reduceat(origins_G, first), np.maximum.reduceat(origins_G, first)
    return Index(grams_G[first], owners_G[first], np.where(lowest == highest, lowest, NOBODY))
