"""How fast a million rows are mixed, and in how much memory: `python benchmarks_speed/mix.py [rows]`.

Two bias sources in quadruples and two reasoning sources, in batches of 128 at a bias share of 0.2; the examples
themselves are made and held, as in a real run. Target: 10 s and 1 GB for 1,000,000 rows.
"""

from __future__ import annotations

import resource
import sys
import time

from fairreason.data.control import fixed
from fairreason.data.mixture import Mixture, counts, pool
from fairreason.data.sampler import Sampler
from fairreason.records import Axis, Example

SOURCES: tuple[tuple[str, Axis, float, int], ...] = (
    ("bias-a", "bias", 1, 4),
    ("bias-b", "bias", 1, 4),
    ("math", "reasoning", 3, 1),
    ("chart", "reasoning", 1, 1),
)


def main(rows: int) -> None:
    made = {"bias-a": rows * 0.1, "bias-b": rows * 0.1, "math": rows * 0.6, "chart": rows * 0.2}
    examples: list[Example] = []
    ranges = {}
    for source, axis, _, bundle in SOURCES:
        start = len(examples)
        for i in range(int(made[source]) + 4 & ~3):
            name = f"{source}/{i // bundle}"
            question = f"A question of ordinary length about {i}, with a context before it. What is the answer?"
            examples.append(Example(f"{source}/train/{i}", source, axis, name, question, i % 3, bundle=name))
        ranges[source] = range(start, len(examples))
    print(f"{len(examples):,} examples held: peak memory {peak():.2f} GB")
    begin = time.perf_counter()
    pools = [
        pool(source, axis, weight, examples[ranges[source].start : ranges[source].stop], ranges[source].start)
        for source, axis, weight, _ in SOURCES
    ]
    sampler = Sampler(pools, fixed(0.2), batch=128, size=rows, seed=0)
    drawn = [row for batch in sampler for row in batch]
    seconds = time.perf_counter() - begin
    for count in counts(Mixture(examples, sampler), drawn):
        print(
            f"  {count.axis:10} {count.source or 'all':8} "
            f"{count.examples:9,} of {count.available:9,}  {count.share:.4f}"
        )
    print(f"{len(drawn):,} rows mixed in {seconds:.1f} s, peak memory {peak():.2f} GB")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
