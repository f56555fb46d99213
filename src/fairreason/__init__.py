"""FairReason: measure, train and chart the trade-off between fairness and reasoning. Importing it imports no torch.

import fairreason as fr
recipe = fr.Recipe.load("recipes/lab/demo.yaml")
fr.study(recipe, out="out/demo")
print(fr.report("out/demo"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

from fairreason import study as _package  # noqa: F401  the package `study` is bound first, so that the function below stays
from fairreason.api import check, compare, evaluate, frontier, report, score, study, train
from fairreason.errors import DataError, FairReasonError, ModelError, RunError, UsageError

if TYPE_CHECKING:
    from fairreason.recipe import Recipe

__all__ = [
    "DataError",
    "FairReasonError",
    "ModelError",
    "Recipe",
    "RunError",
    "UsageError",
    "check",
    "compare",
    "evaluate",
    "frontier",
    "report",
    "score",
    "study",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "Recipe":  # pydantic takes a tenth of a second that `--version` need not wait for
        from fairreason.recipe import Recipe

        return Recipe
    raise AttributeError(f"module 'fairreason' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "Recipe"])
