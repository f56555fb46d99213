"""Which difference in F and R a study's questions can show at all, so that a tie is not read as equality.

Smallest true difference between two models that a two-sided test at 5 % finds with power 80 %:
(1.96 + 0.84) · sqrt(2) · standard error of one model's number by clusters, taken from that one among the base and the
runs whose answers spread most (a base that always falls for the stereotype does not spread at all). It treats the two
as answered apart; pairing by question, which every comparison here does, shows smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

FACTOR = (1.959964 + 0.841621) * math.sqrt(2)


def resolution(
    base: Mapping[str, np.ndarray], runs: Sequence[Mapping[str, np.ndarray]], reasoning: Sequence[str]
) -> dict[str, float | None]:
    """{"F", "R"} from numbers with their draws (row 0 the estimate); None where the number does not exist.

    R is a mean of accuracies over the base's, so its error is that of a mean of relative errors.

    >>> still, spread = np.array([.5, .5, .5]), np.array([.5, .4, .6])
    >>> round(resolution({"F": still}, [{"F": spread}], [])["F"], 2)
    0.4
    """
    known = [base, *runs]
    fairness = [_spread(one["F"]) for one in known if "F" in one]
    keys = [f"accuracy/{name}" for name in reasoning]
    relative = [
        math.hypot(*(_spread(one[key]) / base[key][0] for key in keys)) / len(keys)
        for one in known
        if keys and all(key in one for key in keys)
    ]
    return {
        "F": FACTOR * max(fairness) if fairness else None,
        "R": FACTOR * max(relative) if relative else None,
    }


def sentence(found: Mapping[str, float | None]) -> str:
    """The printed line."""
    parts = [f"{value:.3f} in {name}" for name, value in found.items() if value is not None]
    told = " and ".join(parts) or "no number at all"
    return f"These questions can show a difference of {told} between two models (5 %, power 80 %, unpaired)"


def _spread(draws_D: np.ndarray) -> float:
    return float(np.std(draws_D[1:]))
