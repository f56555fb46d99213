"""What a supervised strategy teaches on one example, in the frame that the model's chat template dictates.

| strategy | bias rows | reasoning rows |
|---|---|---|
| sft | the right option; the thinking part stays empty | the source's own worked solution, then the answer |
| kd, mode trace | a teacher's reasoning, then the answer | the same |

    <think>\n{reasoning}\n</think>\n\n\\boxed{B}
"""

from __future__ import annotations

from collections.abc import Callable

from fairreason.benchmarks.base import answer_text
from fairreason.errors import DataError
from fairreason.records import Example

Reasoning = Callable[[Example], str]


def own_solution(example: Example) -> str:
    """sft: nothing on bias rows, the source's own solution on reasoning rows ("" where it has none)."""
    return "" if example.axis == "bias" else (example.solution or "")


def teacher_trace(example: Example) -> str:
    """kd, mode trace. Raises DataError when the row has no trace."""
    if example.trace is None:
        raise DataError(
            f"{example.id}: no teacher's trace, which kd with mode trace needs. Collect traces for {example.source}, "
            "or set strategy.kd.mode: on_policy"
        )
    return example.trace


def target(example: Example, reasoning: Reasoning) -> tuple[str, str]:
    """The reasoning and the final answer that are taught."""
    return reasoning(example), answer_text(example)
