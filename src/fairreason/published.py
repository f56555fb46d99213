"""Data sets that recipes of published work name, and how large they are: for plans where they are not at hand."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Questions that the source holds (None where that is no fixed number), and who says so."""

    questions: int | None
    source: str


PUBLISHED = {
    "bbq": Published(58_492, "nyu-mll/BBQ"),
    "vlbiasbench": Published(98_994, "VLBiasBench, close-ended part"),
    "math500": Published(500, "HuggingFaceH4/MATH-500"),
    "aime2024": Published(30, "HuggingFaceH4/aime_2024"),
    "geometry3k": Published(601, "Geometry3K's test split"),
    "mathverse": Published(3_940, "AI4Math/MathVerse testmini, 788 problems in 5 versions"),
    "gsm8k": Published(1_319, "openai/gsm8k's test split"),
    "mixture-of-thoughts": Published(349_317, "open-r1/Mixture-of-Thoughts"),
    "llava-cot": Published(100_000, "Xkev/LLaVA-CoT-100k"),
}
