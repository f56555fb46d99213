"""Every benchmark that is known, by name. A new one is one file and one line here."""

from __future__ import annotations

from fairreason.benchmarks import bbq, items, mathverse, mixture_of_thoughts, traced_source, vlbiasbench
from fairreason.benchmarks.aime2024 import AIME2024
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.bbq_aligned import BBQ_ALIGNED
from fairreason.benchmarks.bbq_open import BBQ_OPEN
from fairreason.benchmarks.bbq_traces import BBQ_TRACES
from fairreason.benchmarks.geometry3k import GEOMETRY3K, GEOMETRY3K_FREE
from fairreason.benchmarks.gsm8k import GSM8K
from fairreason.benchmarks.humaneval import HUMANEVAL
from fairreason.benchmarks.lab import LAB_BIAS, LAB_BIAS_VL, LAB_CHART, LAB_MATH
from fairreason.benchmarks.llava_cot import LLAVA_COT
from fairreason.benchmarks.math500 import MATH500
from fairreason.benchmarks.mbpp import MBPP
from fairreason.benchmarks.vlbias_authors import VLBIASBENCH_AUTHORS
from fairreason.errors import UsageError, nearest

BENCHMARKS: dict[str, Benchmark] = {
    "lab-bias": LAB_BIAS,
    "lab-bias-vl": LAB_BIAS_VL,
    "lab-math": LAB_MATH,
    "lab-chart": LAB_CHART,
    "bbq": bbq.BBQ,
    "bbq-open": BBQ_OPEN,
    "bbq-aligned": BBQ_ALIGNED,
    "vlbiasbench": vlbiasbench.VLBIASBENCH,
    "vlbiasbench-authors": VLBIASBENCH_AUTHORS,
    "gsm8k": GSM8K,
    "math500": MATH500,
    "aime2024": AIME2024,
    "mathverse": mathverse.MATHVERSE,
    "mathverse-text-only": mathverse.MATHVERSE_TEXT_ONLY,
    "mathverse-site": mathverse.MATHVERSE_SITE,
    "geometry3k": GEOMETRY3K,
    "geometry3k-free": GEOMETRY3K_FREE,
    "humaneval": HUMANEVAL,
    "mbpp": MBPP,
    "bbq-traces": BBQ_TRACES,
    "mixture-of-thoughts": mixture_of_thoughts.MIXTURE_OF_THOUGHTS,
    "llava-cot": LLAVA_COT,
}

PARTS: dict[str, Benchmark] = {
    **bbq.BY_CATEGORY,
    **vlbiasbench.BY_PART,
    **mathverse.BY_VERSION,
    **mixture_of_thoughts.BY_PART,
}
"""Parts of a benchmark that can be asked for on their own."""


def get(name: str) -> Benchmark:
    """The benchmark, or part of one, of this name; `items:PATH`, `multiple-choice:PATH` and `short-answer:PATH` are a
    user's own file, `traces:PATH` a file of traces. Raises UsageError with the nearest name when there is none,
    DataError when that file is not what it should be."""
    if traced_source.path_of(name) is not None:
        return traced_source.benchmark(name, get)
    if items.path_of(name) is not None:
        return items.benchmark(name)
    known = {**BENCHMARKS, **PARTS}
    if name in known:
        return known[name]
    if name in items.KINDS:
        raise UsageError(f"{name}: asks a file of your own; write {name}:FILE")
    near = nearest(name, known)
    hint = f" Did you mean {near}?" if near else ""
    raise UsageError(
        f"unknown benchmark {name}.{hint} There are: {', '.join(BENCHMARKS)}; items:PATH for your own "
        "questions, traces:PATH for a file of traces"
    )


def behind(name: str) -> list[Benchmark]:
    """The benchmarks whose questions a name asks: itself, or those of a file of traces. Raises as `get` does."""
    return [get(name)] if traced_source.path_of(name) is None else list(traced_source.behind(name, get).values())
