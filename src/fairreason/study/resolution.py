"""Which difference in F and R a study's questions can show at all, so that a tie is not read as equality.

Smallest true difference between two models that a two-sided test at 5 % finds with power 80 %:
(1.96 + 0.84) · sqrt(2) · standard error of one model's number, taken from the base's answers by clusters. It treats the
two as answered apart; pairing by question, which every comparison here does, shows smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

FACTOR = (1.959964 + 0.841621) * math.sqrt(2)


def resolution(base: Mapping[str, np.ndarray], reasoning: Sequence[str]) -> dict[str, float | None]:
    """{"F", "R"} from the base's numbers with their draws (row 0 the estimate); None where the number does not exist.

    R is a mean of accuracies over the base's, so its error is the mean's of the relative errors.

    >>> spread = np.array([.5, .4, .6])
    >>> round(resolution({"F": spread}, [])["F"], 2)
    0.4
    """
    fairness = base.get("F")
    relative = [_spread(base[f"accuracy/{name}"]) / base[f"accuracy/{name}"][0] for name in reasoning]
    return {
        "F": None if fairness is None else FACTOR * _spread(fairness),
        "R": FACTOR * math.hypot(*relative) / len(relative) if relative else None,
    }


def sentence(found: Mapping[str, float | None]) -> str:
    """The printed line."""
    parts = [f"{value:.3f} in {name}" for name, value in found.items() if value is not None]
    told = " and ".join(parts) or "no number at all"
    return f"These questions can show a difference of {told} between two models (5 %, power 80 %, unpaired)"


def _spread(draws_D: np.ndarray) -> float:
    return float(np.std(draws_D[1:]))
