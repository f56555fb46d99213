r"""Whether two LaTeX answers have the same value, by Math-Verify (huggingface/Math-Verify 0.9, Apache-2.0).

Runs in the process of grading/worker.py alone. Math-Verify's own limit is SIGALRM, which works in a main thread only
and raises what `except Exception` does not catch, so it is off.
"""

from __future__ import annotations

from dataclasses import replace

from math_verify import LatexExtractionConfig, parse, verify

_READ = LatexExtractionConfig()
_HOW = [replace(_READ, normalization_config=replace(_READ.normalization_config, units=False))]
"""Its own units are off: it would drop a variable that is called m, and take metres for centimetres."""


def same_value(gold: str, answer: str) -> bool:
    r"""Whether the answer is the gold answer; not symmetric (an answer `x = 5` is 5, an interval may be an inequality).

    Both are wrapped in a box before they are read: bare `3\sqrt{13}` would be read as 3."""
    sides = [parse(rf"\boxed{{{side}}}", _HOW, parsing_timeout=None) for side in (gold, answer)]
    return bool(verify(*sides, allow_set_relation_comp=True, timeout_seconds=None))
