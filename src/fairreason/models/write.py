"""Writes answers token by token, for models of `read.is_plain`: every prompt is read once, whatever it shares.

`model.generate` would read a prompt (and run its pictures through the vision tower) once for each of its answers, copy
the whole cache at every token and go on with rows that have ended. Here a prompt's cache is copied to its answers,
tokens are written in place, and ended rows leave the batch.

Axes: N answers, W tokens of the longest prompt, T tokens of an answer, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

from fairreason.models.encode import Encoded
from fairreason.models.read import Read, inner, mask, read

Choose = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(logits of the rows that go on, their numbers, what all rows have written: N x step) -> each one's next token."""


def write(
    model: Any,
    prompts: Sequence[Encoded],
    pictures: Sequence[Hashable],
    answers: Sequence[int],
    max_new_tokens: int,
    ends: Sequence[int],
    choose: Choose,
) -> list[list[int]]:
    """The tokens of each answer, with the ending token if one came. `answers` says which prompt each one answers;
    `pictures`: prompts with equal entries show the same ones."""
    device, count = inner(model).device, len(answers)
    width = max(len(prompt.input_ids) for prompt in prompts)
    seen_NT = torch.ones(count, width + max_new_tokens, dtype=torch.bool, device=device)
    for n, prompt in enumerate(answers):
        seen_NT[n, : width - len(prompts[prompt].input_ids)] = False
    layers, logits_NV, place_N1 = _read_all(model, prompts, pictures, answers, width, max_new_tokens)
    cache = Cache(layers=list(layers))
    stops, going_N = torch.tensor(list(ends), device=device), torch.arange(count, device=device)
    written_NT = torch.full((count, max_new_tokens), -1, dtype=torch.long, device=device)
    token_N = choose(logits_NV, going_N, written_NT[:, :0])
    for step in range(max_new_tokens):
        written_NT[going_N, step] = token_N
        goes_N = ~torch.isin(token_N, stops)
        if step + 1 == max_new_tokens or not goes_N.any():
            break
        if not goes_N.all():
            stay = _close_ranks(goes_N)
            for layer in layers:
                layer.keep(stay)
            going_N, token_N = going_N[stay], token_N[stay]
            seen_NT, place_N1 = seen_NT[stay], place_N1[..., stay, :]
        out = model(
            input_ids=token_N[:, None],
            attention_mask=mask(model, seen_NT[:, None, None, : width + step + 1]),
            position_ids=place_N1 + step + 1,
            past_key_values=cache,
            use_cache=True,
        )
        token_N = choose(out.logits[:, -1], going_N, written_NT[:, : step + 1])
    return [row[: row.index(-1)] if -1 in row else row for row in written_NT.tolist()]


def _close_ranks(goes_N: torch.Tensor) -> torch.Tensor:
    """The rows that go on, each in its place where there is room, the last ones in the gaps.

    >>> _close_ranks(torch.tensor([True, False, True, True])).tolist()
    [0, 3, 2]
    """
    count = int(goes_N.sum())
    stay = torch.arange(count, device=goes_N.device)
    stay[~goes_N[:count]] = goes_N[count:].nonzero()[:, 0] + count
    return stay


def _read_all(
    model: Any,
    prompts: Sequence[Encoded],
    pictures: Sequence[Hashable],
    answers: Sequence[int],
    width: int,
    more: int,
) -> tuple[list[_Roomy], torch.Tensor, torch.Tensor]:
    """The answers' caches, `width` wide with room for `more` tokens; logits (N x V) and places (N x 1 or 3 x N x 1) of
    the prompts' last tokens."""
    layers: list[_Roomy] = []
    device = inner(model).device
    answers_of: dict[int, list[int]] = {}
    for n, prompt in enumerate(answers):
        answers_of.setdefault(prompt, []).append(n)
    found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for part in read(model, prompts, pictures, cache=True):
        if not layers:
            layers = [_Roomy(keys, values, len(answers), width, width + more) for keys, values in part.layers]
        sources = [p for p, prompt in enumerate(part.prompts) for _ in answers_of[prompt]]
        targets = torch.tensor([n for prompt in part.prompts for n in answers_of[prompt]], device=device)
        rows, columns_NW = _from(part, sources, width)
        for layer, (keys, values) in zip(layers, part.layers, strict=True):
            layer.fill(targets, keys, values, rows.to(device), columns_NW.to(device))
        found.append((targets, part.logits[sources], part.places[..., sources]))
    deep = max((places.shape[:-1] for _, _, places in found), key=len)
    order = torch.cat([targets for targets, _, _ in found]).argsort()
    places_N = torch.cat([places.expand(*deep, -1) for _, _, places in found], dim=-1)[..., order]
    return layers, torch.cat([logits for _, logits, _ in found])[order], places_N[..., None]


def _from(part: Read, sources: Sequence[int], width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and columns (padded on the left by column 0) in the cache of what was read, for each of `sources`."""
    columns_NW = torch.zeros(len(sources), width, dtype=torch.long)
    for n, source in enumerate(sources):
        columns_NW[n, width - len(part.columns[source]) :] = part.columns[source]
    return torch.tensor([part.rows[source] for source in sources]), columns_NW


class _Roomy(DynamicLayer):
    """A layer's cache with room for all tokens to come, which are written in place."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, count: int, length: int, room: int) -> None:
        super().__init__()
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.count, self.length = count, length
        self.all_keys, self.all_values = (x.new_empty(count, x.shape[1], room, x.shape[3]) for x in (keys, values))
        self._view()

    def fill(
        self, targets: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
    ) -> None:
        """The prompts of answers `targets`, from these rows and columns of what was read."""
        for own, theirs in ((self.all_keys, keys), (self.all_values, values)):
            own[targets, :, : self.length] = theirs.transpose(1, 2)[rows[:, None], columns].transpose(1, 2)

    def _view(self) -> None:
        self.keys, self.values = (x[: self.count, :, : self.length] for x in (self.all_keys, self.all_values))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        end = self.length + key_states.shape[-2]
        self.all_keys[: self.count, :, self.length : end] = key_states
        self.all_values[: self.count, :, self.length : end] = value_states
        self.length = end
        self._view()
        return self.keys, self.values

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows go on; those that stand in their place already are not copied."""
        self.count = len(rows)
        moved = (rows != torch.arange(self.count, device=rows.device)).nonzero()[:, 0]
        for own in (self.all_keys, self.all_values):
            own[moved, :, : self.length] = own[rows[moved], :, : self.length]
        self._view()
