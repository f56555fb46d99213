"""Samples several completions of each prompt, reading the prompt once (models/write.py).

One random number a token, from torch's own generator, whose state is in the checkpoint.

Axes: N completions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch

from fairreason.models.encode import Encoded
from fairreason.models.read import inner
from fairreason.models.write import write

TOKENS = {"cpu": 65_536, "cuda": 262_144}  # room for prompts and completions at once


class Draw(NamedTuple):
    """How completions are drawn. `ends` end one, `banned` are never drawn."""

    copies: int
    max_new_tokens: int
    temperature: float
    ends: Sequence[int]
    banned: Sequence[int]


def sample(model: Any, prompts: Sequence[Encoded], draw: Draw) -> list[list[int]]:
    """Completions of the prompts in their order, `copies` each, with the ending token if one came. Prompts of like
    length are sampled together."""
    was_training = model.training
    model.eval()
    found: dict[int, list[list[int]]] = {}
    try:
        with torch.no_grad():
            for part in _parts([len(prompt.input_ids) for prompt in prompts], draw, inner(model).device.type):
                answers = [k for k in range(len(part)) for _ in range(draw.copies)]
                rows = write(
                    model,
                    [prompts[i] for i in part],
                    [i if prompts[i].fields else -1 for i in part],
                    answers,
                    draw.max_new_tokens,
                    draw.ends,
                    lambda logits_NV, _going, _written: _draw(logits_NV, draw),
                )
                found |= {i: rows[k * draw.copies : (k + 1) * draw.copies] for k, i in enumerate(part)}
    finally:
        model.train(was_training)
    return [ids for i in range(len(prompts)) for ids in found[i]]


def _parts(lengths: Sequence[int], draw: Draw, device: str) -> Iterator[list[int]]:
    part: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if part and (len(part) + 1) * draw.copies * (lengths[i] + draw.max_new_tokens) > TOKENS.get(
            device, TOKENS["cpu"]
        ):
            yield part
            part = []
        part.append(i)
    yield part


def _draw(logits_NV: torch.Tensor, draw: Draw) -> torch.Tensor:
    """One token a row from softmax(logits / T)."""
    scores_NV = logits_NV.float() / draw.temperature
    if draw.banned:
        scores_NV[:, list(draw.banned)] = -torch.inf
    sums_NV = scores_NV.softmax(-1).cumsum(-1)
    place_N1 = torch.rand(len(sums_NV), 1, device=sums_NV.device) * sums_NV[:, -1:]
    return torch.searchsorted(sums_NV, place_N1, right=True)[:, 0].clamp(max=sums_NV.shape[1] - 1)
