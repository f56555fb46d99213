"""A run in one YAML file: `Recipe` and its blocks."""

from fairreason.recipe.parts import Controller, Evaluation, Grpo, Kd, Lora, Mixture, Sft, Strategy, Study
from fairreason.recipe.recipe import Recipe

__all__ = ["Controller", "Evaluation", "Grpo", "Kd", "Lora", "Mixture", "Recipe", "Sft", "Strategy", "Study"]
