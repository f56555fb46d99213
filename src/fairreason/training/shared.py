"""Log-probabilities of a prompt's completions with the prompt read once.

TRL's way gives every completion a row of its own: with 8 completions each prompt and each picture is computed 8 times,
and all rows are as wide as the widest. Here a prompt and its completions stand in one row, and a mask lets each
completion see the prompt and itself only:

    row      p0 p1 p2 | p3 a0 a1 | p3 b0      every completion starts with the prompt's last token,
    place     0  1  2 |  3  4  5 |  3  4      whose output scores the completion's first token
    scores    .  .  . | a0 a1 a2 | b0 b1

Equal to TRL's way but for rounding (tests/training/test_shared.py). Axes: N completions, C their tokens, R rows,
L places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch

from fairreason.models.read import Batch, fields_of, positions
from fairreason.training.batches import IGNORED

TOKENS = {"cpu": 4_096, "cuda": 32_768}  # tokens in one forward
LONGEST = 4_096  # a longer row's mask would cost more than the sharing saves


class Group(NamedTuple):
    """A prompt's row number, its tokens, and its completions: their places in the round and their tokens."""

    row: int
    prompt: list[int]
    members: list[int]
    completions: list[list[int]]

    def width(self) -> int:
        return len(self.prompt) - 1 + sum(map(len, self.completions))


def groups(
    rows: Sequence[int], ids_NC: torch.Tensor, mask_NC: torch.Tensor, prompt: Callable[[int], list[int]]
) -> list[Group]:
    """The round's completions by prompt, in order of width; a completion without a token (filling) is left out."""
    found: dict[int, Group] = {}
    for n, (row, ids, length) in enumerate(zip(rows, ids_NC.tolist(), mask_NC.sum(1).tolist(), strict=True)):
        group = found.setdefault(row, Group(row, prompt(row), [], []))
        if length:
            group.members.append(n)
            group.completions.append(ids[:length])
    return sorted(found.values(), key=lambda group: (group.width(), group.row))


def score(
    model: Any, grouped: Sequence[Group], shape: tuple[int, int], collate: Callable[[Sequence[int]], Batch]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Log-probability and entropy (None where `model`'s head gives none) at each token of each completion, N x C, zero
    behind its end. `model` carries TRL's fused head; `collate` gives prompts as a batch padded on the left."""
    device = next(model.parameters()).device
    index_NC = torch.zeros(shape, dtype=torch.long)
    logps: list[torch.Tensor] = []
    entropies: list[torch.Tensor] = []
    seen = 1
    for part in _parts(grouped, device.type):
        width = max(group.width() for group in part)
        for r, group in enumerate(part):
            at = seen + r * width + len(group.prompt) - 1
            for n, ids in zip(group.members, group.completions, strict=True):
                index_NC[n, : len(ids)] = torch.arange(at, at + len(ids))
                at += len(ids)
        out = _forward(model, part, width, collate, device)
        logps.append(out.log_probs.reshape(-1))
        if out.entropy is not None:
            entropies.append(out.entropy.detach().reshape(-1))
        seen += len(part) * width
    index_NC, zero = index_NC.to(device), logps[0].new_zeros(1)
    return torch.cat([zero, *logps])[index_NC], torch.cat([zero, *entropies])[index_NC] if entropies else None


def _parts(grouped: Sequence[Group], device: str) -> Iterator[list[Group]]:
    part: list[Group] = []
    for group in grouped:
        if part and (len(part) + 1) * group.width() > TOKENS.get(device, TOKENS["cpu"]):
            yield part
            part = []
        part.append(group)
    yield part


def _forward(model: Any, part: Sequence[Group], width: int, collate: Callable[..., Batch], device: torch.device) -> Any:
    batch = {name: value.to(device) for name, value in collate([group.row for group in part]).items()}
    fields = fields_of(batch)
    for name in ("mm_token_type_ids", "token_type_ids"):
        fields.pop(name, None)  # they say where pictures stand, which the places already do
    places = positions(model, batch)
    left = batch["input_ids"].shape[1]
    ids_RL = torch.zeros(len(part), width, dtype=torch.long)
    labels_RL = torch.full((len(part), width), IGNORED)
    lane_RL = torch.full((len(part), width), -1)
    place_RL = torch.zeros(*places.shape[:-1], width, dtype=torch.long)
    for r, group in enumerate(part):
        start, last = len(group.prompt) - 1, group.prompt[-1]
        ids_RL[r, :start] = torch.tensor(group.prompt[:-1])
        lane_RL[r, :start] = 0
        place_RL[..., r, :start] = places[..., r, left - start - 1 : left - 1]
        for lane, ids in enumerate(group.completions, 1):
            end = start + len(ids)
            ids_RL[r, start:end] = torch.tensor([last, *ids[:-1]])
            labels_RL[r, start:end] = torch.tensor(ids)
            lane_RL[r, start:end] = lane
            place_RL[..., r, start:end] = places[..., r, left - 1 : left] + torch.arange(len(ids))
            start = end
    return model(
        input_ids=ids_RL.to(device),
        attention_mask=_mask(lane_RL).to(device, model.dtype),
        position_ids=place_RL.to(device),
        shift_labels=labels_RL.to(device),
        fused_lm_head=True,
        **fields,
    )


def _mask(lane_RL: torch.Tensor) -> torch.Tensor:
    """What is added to the attention scores: 0 where a token may look (the prompt, and back in its own lane), else the
    lowest number. Padding looks at the prompt, so that no row of scores is empty."""
    length = lane_RL.shape[1]
    own_RLL = (lane_RL[:, :, None] == lane_RL[:, None, :]) | (lane_RL[:, None, :] == 0)
    seen_RLL = own_RLL & torch.ones(length, length, dtype=torch.bool).tril()
    return (~seen_RLL[:, None]).float() * torch.finfo(torch.float32).min
