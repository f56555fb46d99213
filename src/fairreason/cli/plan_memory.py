"""How much memory a run needs for what is there all the time: weights, gradients, optimizer, a teacher."""

from __future__ import annotations

from collections.abc import Callable

from fairreason.cli.plan_model import ModelFacts
from fairreason.cli.quantity import Quantity
from fairreason.recipe import Kd, Recipe, Strategy

Facts = Callable[[str, str | None], ModelFacts]
FULL_BYTES = 16
"""Bytes a parameter in full fine-tuning: weight, gradient and AdamW's two moments, in float32."""


def memory(recipe: Recipe, facts_of: Facts) -> Quantity:
    """Weights, and where it trains gradients and AdamW's two moments; a teacher and GRPO's reference come on top."""
    facts, strategy = facts_of(recipe.model, recipe.revision), recipe.strategy
    if facts.parameters is None:
        return Quantity(None, "unknown", facts.source)
    size = facts.parameters * facts.bytes_each
    parts = [f"weights of {facts.parameters:,.0f} parameters ({facts.source})"]
    if strategy.type == "none":
        return Quantity(size, "estimated", f"{parts[0]}; activations and cache come on top")
    if strategy.lora is None:
        size = facts.parameters * FULL_BYTES
        parts.append("gradients and two moments, all float32")
    else:
        parts.append(f"adapter of rank {strategy.lora.rank} (small)")
    if strategy.type == "grpo" and strategy.grpo.beta > 0 and strategy.lora is None:
        size += facts.parameters * facts.bytes_each
        parts.append("reference model")
    size, parts = _with_teacher(strategy, facts_of, size, parts)
    return Quantity(size, "estimated", f"{', '.join(parts)}; activations come on top")


def _with_teacher(strategy: Strategy, facts_of: Facts, size: float, parts: list[str]) -> tuple[float, list[str]]:
    block = strategy.active()
    if not isinstance(block, Kd) or block.mode == "trace":
        return size, parts
    teacher = facts_of(block.teacher, block.teacher_revision)
    if teacher.parameters is None:
        return size, [*parts, f"without the teacher ({teacher.source})"]
    return size + teacher.parameters * teacher.bytes_each, [*parts, "teacher"]
