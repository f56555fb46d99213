"""Which difference in F and R a study's questions can show at all, so that a tie is not read as equality.

Smallest true difference between two models that a two-sided test at 5 % finds with power 80 %:
(1.96 + 0.84) · sqrt(2) · standard error of one model's number by clusters, taken from that one among the base and the
runs whose answers spread most. One in whose draws a number never differs (a base that always falls for the stereotype)
says nothing of it; where that is every one, the size is unknown. It treats the two as answered apart; pairing by
question, which every comparison here does, shows smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

ROUNDING = 1e-12
FACTOR = (1.959964 + 0.841621) * math.sqrt(2)


def resolution(
    base: Mapping[str, np.ndarray], runs: Sequence[Mapping[str, np.ndarray]], reasoning: Sequence[str]
) -> dict[str, float | None]:
    """{"F", "R"} from numbers with their draws (row 0 the estimate); None where there is no number whose draws differ.

    R is a mean of accuracies over the base's, so its error is that of a mean of relative errors.

    >>> still, spread = np.array([.5, .5, .5]), np.array([.5, .4, .6])
    >>> round(resolution({"F": still}, [{"F": spread}], [])["F"], 2)
    0.4
    >>> resolution({"F": still}, [], [])
    {'F': None, 'R': None}
    """
    keys = [f"accuracy/{name}" for name in reasoning]
    fairness, relative = [], []
    for one in [base, *runs]:
        fairness += _spreads(one, ["F"])
        spreads = _spreads(one, keys)
        if spreads:
            errors = [spread / base[key][0] for key, spread in zip(keys, spreads, strict=True)]
            relative.append(math.hypot(*errors) / len(keys))
    return {
        "F": FACTOR * max(fairness) if fairness else None,
        "R": FACTOR * max(relative) if relative else None,
    }


def sentence(found: Mapping[str, float | None]) -> str:
    """The printed line."""
    parts = [f"{'unknown size' if value is None else f'{value:.3f}'} in {name}" for name, value in found.items()]
    told = " and of ".join(parts)
    return f"These questions can show a difference of {told} between two models (5 %, power 80 %, unpaired)"


def _spreads(one: Mapping[str, np.ndarray], keys: Sequence[str]) -> list[float]:
    """The standard errors of these numbers; none where one of them is missing or never differs."""
    found = [float(np.std(one[key][1:])) for key in keys if key in one]
    return found if len(found) == len(keys) and all(spread > ROUNDING for spread in found) else []
