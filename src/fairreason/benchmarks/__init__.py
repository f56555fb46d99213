"""Every benchmark that is known, by name. A new one is one file and one line here."""

from __future__ import annotations

import difflib

from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.lab import LAB_BIAS, LAB_BIAS_VL, LAB_CHART, LAB_MATH
from fairreason.errors import UsageError

BENCHMARKS: dict[str, Benchmark] = {
    "lab-bias": LAB_BIAS,
    "lab-bias-vl": LAB_BIAS_VL,
    "lab-math": LAB_MATH,
    "lab-chart": LAB_CHART,
}


def get(name: str) -> Benchmark:
    """The benchmark of this name. Raises UsageError with the nearest name when there is none."""
    if name in BENCHMARKS:
        return BENCHMARKS[name]
    near = difflib.get_close_matches(name, BENCHMARKS, 1, 0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"unknown benchmark {name}.{hint} There are: {', '.join(BENCHMARKS)}; items:PATH for your own")
