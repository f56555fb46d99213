"""How fast BBQ's numbers get their errors: `python benchmarks_speed/bootstrap.py [rows] [draws]`.

Rows of BBQ's shape (266 families, 15 categories, two conditions, three options) with random answers. Targets: one
measure bootstrapped 10,000 times in 2 s, every measure's estimate in less than 5 s. Medians of five, one thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np

from fairreason.benchmarks.bias import summarize
from fairreason.evaluation.statistics import bootstrap, cluster_draws, draw_weights, estimate
from fairreason.records import Example, Grade, Measure


def main(rows: int, draws: int) -> None:
    random = np.random.default_rng(0)
    families = random.integers(0, 266, rows)
    examples, grades = [], []
    for i, (family, choice) in enumerate(zip(families.tolist(), random.integers(0, 3, rows).tolist(), strict=True)):
        meta = {"category": f"category {family % 15}", "target": 0, "unknown": 2}
        meta["condition"] = "ambig" if i % 2 else "disambig"
        answer = 2 if i % 2 else i // 2 % 2
        examples.append(Example(str(i), "bbq", "bias", f"family {family}", "", answer, ("a", "b", "c"), metadata=meta))
        grades.append(Grade("correct" if choice == answer else "wrong", choice))
    measures = summarize(examples, grades)
    ratio = next(m for m in measures if m.metric == "s_dis" and m.category is None)
    mean = next(m for m in measures if m.metric == "fairness" and m.category is None)
    print(f"{rows:,} rows, {draws:,} draws, {len(measures)} measures, median of 5:")
    show("cluster bootstrap of F, 266 clusters", lambda: bootstrap(mean, draws))
    show("cluster bootstrap of s_DIS, 266 clusters", lambda: bootstrap(ratio, draws))
    show("the same, every row a cluster", lambda: bootstrap(alone(ratio), draws))
    names = sorted({str(name) for name in mean.clusters})
    show(
        "shared weights of a study and F under them", lambda: cluster_draws(mean, draw_weights(draws, names, 0), names)
    )
    show("estimates of all measures", lambda: [estimate(measure) for measure in measures])


def alone(measure: Measure) -> Measure:
    return replace(measure, clusters=np.arange(len(measure.values)).astype(str))


def show(name: str, work: Callable[[], object]) -> None:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    print(f"  {name:45} {median(seconds):6.2f} s")


if __name__ == "__main__":
    asked = [int(text) for text in sys.argv[1:]]
    main(*(asked + [58_492, 10_000][len(asked) :]))
