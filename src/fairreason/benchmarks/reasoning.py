"""What grades say on questions with one right answer: the share of correct ones, overall and by category.

Overall is the mean over questions (k samples of a question share its cluster), as everybody reports it; categories
(steps of a story, kinds of a chart) stand beside it. Unparsed, truncated and failed answers count as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairreason.records import Example, Grade, Measure


def summarize(examples: Sequence[Example], grades: Sequence[Grade]) -> list[Measure]:
    """`accuracy` overall, then by category where there is more than one."""
    if not examples:
        return []
    correct = np.array([grade.outcome == "correct" for grade in grades], float)
    clusters = np.array([example.cluster for example in examples])
    categories = np.array([example.metadata.get("category") or "" for example in examples])
    names = [str(name) for name in np.unique(categories) if name]
    measures = [_accuracy(None, correct, clusters)]
    if len(names) > 1:
        measures += [_accuracy(name, correct[categories == name], clusters[categories == name]) for name in names]
    return measures


def _accuracy(category: str | None, correct: np.ndarray, clusters: np.ndarray) -> Measure:
    n = len(correct)
    return Measure("accuracy", category, None, correct, np.ones(n), np.zeros(n, int), clusters, np.ones(1))
