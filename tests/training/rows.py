"""A small mixture for the training tests: bias quadruples and sums, every second of each with a picture."""

from __future__ import annotations

import io
from typing import Any

import torch
from PIL import Image

from fairreason.data.control import fixed
from fairreason.data.mixture import Mixture, pool
from fairreason.data.sampler import Sampler
from fairreason.pictures import data_url
from fairreason.recipe import Recipe
from fairreason.records import Example

OPTIONS = ("the baker", "the farmer", "cannot be determined")
COLOURS = ("red", "blue", "green")


def picture(colour: str) -> str:
    """A plain 56 x 56 picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (56, 56), colour).save(buffer, "PNG")
    return data_url(buffer.getvalue())


def bias(family: int, pictures: bool) -> list[Example]:
    """One quadruple: ambiguous and disambiguated, asked about either person."""
    rows = []
    for k in range(4):
        ambiguous, asked = k < 2, k % 2
        metadata = {"category": "Trade", "condition": "ambig" if ambiguous else "disambig", "target": 0, "unknown": 2}
        rows.append(
            Example(
                id=f"lab-bias/{family}/{k}",
                source="lab-bias",
                axis="bias",
                cluster=f"family-{family}",
                bundle=f"family-{family}",
                prompt=f"The baker and the farmer met at stall {family}. Who was {('late', 'early')[asked]}?",
                options=OPTIONS,
                answer=2 if ambiguous else asked,
                images=(picture(COLOURS[k % 3]),) if pictures and k % 2 else (),
                trace="Stall says nothing." if ambiguous else "It is said.",
                metadata=metadata,
            )
        )
    return rows


def sums(n: int, pictures: bool) -> list[Example]:
    return [
        Example(
            id=f"lab-math/{i}",
            source="lab-math",
            axis="reasoning",
            cluster=f"sum-{i}",
            prompt=f"What is {i} + {i + 1}?",
            answer=2 * i + 1,
            images=(picture(COLOURS[i % 3]),) if pictures and i % 2 else (),
            solution=f"{i} + {i + 1} = {2 * i + 1}",
            trace=f"Add {i} and {i + 1}.",
        )
        for i in range(n)
    ]


def mixture(recipe: Recipe, pictures: bool = True) -> Mixture:
    """Enough rows for the recipe at any share."""
    asked, size = recipe.mixture, recipe.mixture.size
    rows = [row for family in range(size // 4 + 1) for row in bias(family, pictures)]
    pools = [pool("lab-bias", "bias", 1.0, rows), pool("lab-math", "reasoning", 1.0, sums(size, pictures), len(rows))]
    sampler = Sampler(pools, fixed(asked.bias_share), recipe.strategy.batch, size, recipe.seed)
    return Mixture([*rows, *sums(size, pictures)], sampler)


def asked(model: Any, **strategy: Any) -> Recipe:
    """Two batches of eight rows, half of them bias."""
    size, seed = strategy.pop("size", 16), strategy.pop("seed", 0)
    share = strategy.pop("bias_share", 0.5)
    return Recipe.parse(
        {
            "model": str(model),
            "seed": seed,
            "mixture": {"size": size, "bias_share": share, "bias": {"lab-bias": 1}, "reasoning": {"lab-math": 1}},
            "strategy": {"batch": 8, "save_every": 1, **strategy},
        }
    )


def weights(folder: Any) -> dict[str, torch.Tensor]:
    """All tensors of a saved model or adapter."""
    from safetensors.torch import load_file

    return {k: v for path in sorted(folder.glob("*.safetensors")) for k, v in load_file(path).items()}
