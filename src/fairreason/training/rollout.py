"""Samples several completions of each prompt, reading the prompt once.

`model.generate` would read a prompt (and run its pictures through the vision tower) once for each of its completions,
copy the whole cache at every token and go on with rows that have ended. Here the prompt's cache is copied to its
completions, tokens are written in place, and ended rows leave the batch. One random number a token, from torch's own
generator, whose state is in the checkpoint.

Axes: P prompts, N completions, T positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, DynamicLayer

KINDS = frozenset({"llama", "mistral", "qwen2", "qwen3", "qwen2_vl", "qwen2_5_vl", "internvl"})
"""Model types whose attention is plainly causal and whose positions `positions` knows; others go TRL's way."""

TOKENS = {"cpu": 65_536, "cuda": 262_144}  # room for prompts and completions at once
KEEP = 0.75  # ended rows leave the batch once so few go on

Batch = dict[str, torch.Tensor]


class Draw(NamedTuple):
    """How completions are drawn. `ends` end one, `banned` are never drawn."""

    copies: int
    max_new_tokens: int
    temperature: float
    ends: Sequence[int]
    banned: Sequence[int]


def inner(model: Any) -> Any:
    """The transformers model below a LoRA wrapper."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def is_plain(model: Any) -> bool:
    """Whether prompts may be shared: a known kind of model, full attention in every layer, masks by addition."""
    config = inner(model).config
    text = config.get_text_config()
    return (
        config.model_type in KINDS
        and set(getattr(text, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and text._attn_implementation in ("sdpa", "eager")
    )


def positions(model: Any, batch: Batch) -> torch.Tensor:
    """Each token's place, by the model's own rule: P x T, or 3 x P x T where pictures have places in two dimensions."""
    mask_PT = batch["attention_mask"]
    if "image_grid_thw" in batch and hasattr(inner(model).model, "get_rope_index"):
        names = ("input_ids", "mm_token_type_ids", "image_grid_thw", "attention_mask")
        return inner(model).model.get_rope_index(**{name: batch[name] for name in names if name in batch})[0]
    return (mask_PT.cumsum(-1) - 1).clamp(min=0)


def fields_of(batch: Batch) -> Batch:
    """What a forward needs beside tokens, mask and places."""
    return {name: value for name, value in batch.items() if name not in ("input_ids", "attention_mask")}


def sample(
    model: Any, prompts: Sequence[int], collate: Callable[[Sequence[int]], Batch], lengths: Sequence[int], draw: Draw
) -> list[list[int]]:
    """Completions of the prompts in their order, `copies` each, with the ending token if one came.

    `collate` gives some of the prompts as a batch padded on the left, `lengths` are the prompts' tokens: those of like
    length are sampled together.
    """
    was_training = model.training
    model.eval()
    found: dict[int, list[list[int]]] = {}
    try:
        with torch.no_grad():
            for part in _parts(lengths, draw, inner(model).device.type):
                batch = {k: v.to(inner(model).device) for k, v in collate([prompts[i] for i in part]).items()}
                rows = _completions(model, batch, draw)
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


def _completions(model: Any, batch: Batch, draw: Draw) -> list[list[int]]:
    ids_PT, mask_PT, copies = batch["input_ids"], batch["attention_mask"], draw.copies
    places = positions(model, batch)
    read = model(
        input_ids=ids_PT,
        attention_mask=mask_PT,
        position_ids=places,
        past_key_values=DynamicCache(config=inner(model).config.get_text_config()),
        use_cache=True,
        logits_to_keep=1,
        **fields_of(batch),
    )
    width, room, device = ids_PT.shape[1], ids_PT.shape[1] + draw.max_new_tokens, ids_PT.device
    layers = [_Roomy(layer.keys, layer.values, copies, room) for layer in read.past_key_values.layers]
    cache = Cache(layers=list(layers))
    place_N1 = places[..., -1:].repeat_interleave(copies, dim=-2)
    blocked_NT = torch.zeros(len(ids_PT) * copies, room, dtype=read.logits.dtype, device=device)
    blocked_NT[:, :width] = (mask_PT == 0).repeat_interleave(copies, dim=0) * torch.finfo(read.logits.dtype).min
    ends, going = torch.tensor(list(draw.ends), device=device), torch.arange(len(blocked_NT), device=device)
    drawn_NT = torch.full((len(going), draw.max_new_tokens), -1, dtype=torch.long, device=device)
    token_N = _draw(read.logits[:, -1].repeat_interleave(copies, dim=0), draw)
    goes_N = torch.ones(len(going), dtype=torch.bool, device=device)
    for step in range(draw.max_new_tokens):
        drawn_NT[going[goes_N], step] = token_N[goes_N]
        goes_N &= ~torch.isin(token_N, ends)
        count = int(goes_N.sum())
        if not count or step + 1 == draw.max_new_tokens:
            break
        if count <= KEEP * len(goes_N):
            stay = goes_N.nonzero()[:, 0]
            for layer in layers:
                layer.keep(stay)
            going, token_N, goes_N = going[stay], token_N[stay], goes_N[stay]
            blocked_NT, place_N1 = blocked_NT[stay], place_N1[..., stay, :]
        out = model(
            input_ids=token_N[:, None],
            attention_mask=blocked_NT[:, None, None, : width + step + 1],
            position_ids=place_N1 + step + 1,
            past_key_values=cache,
            use_cache=True,
        )
        token_N = _draw(out.logits[:, -1], draw)
    return [row[: row.index(-1)] if -1 in row else row for row in drawn_NT.tolist()]


def _draw(logits_NV: torch.Tensor, draw: Draw) -> torch.Tensor:
    """One token a row from softmax(logits / T)."""
    scores_NV = logits_NV.float() / draw.temperature
    if draw.banned:
        scores_NV[:, list(draw.banned)] = -torch.inf
    sums_NV = scores_NV.softmax(-1).cumsum(-1)
    place_N1 = torch.rand(len(sums_NV), 1, device=sums_NV.device) * sums_NV[:, -1:]
    return torch.searchsorted(sums_NV, place_N1, right=True)[:, 0].clamp(max=sums_NV.shape[1] - 1)


class _Roomy(DynamicLayer):
    """A layer's cache with room for all tokens to come: `copies` rows for each row read, tokens written in place."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, copies: int, room: int) -> None:
        super().__init__()
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.length = keys.shape[-2]
        self.all_keys, self.all_values = (self._with_room(x, copies, room) for x in (keys, values))
        self._view()

    @staticmethod
    def _with_room(read: torch.Tensor, copies: int, room: int) -> torch.Tensor:
        rows, heads, length, size = read.shape
        whole = read.new_empty(rows, copies, heads, room, size)
        whole[..., :length, :] = read[:, None]
        return whole.view(rows * copies, heads, room, size)

    def _view(self) -> None:
        self.keys, self.values = (x[:, :, : self.length] for x in (self.all_keys, self.all_values))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        end = self.length + key_states.shape[-2]
        self.all_keys[:, :, self.length : end] = key_states
        self.all_values[:, :, self.length : end] = value_states
        self.length = end
        self._view()
        return self.keys, self.values

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows go on."""
        self.all_keys, self.all_values = self.all_keys[rows], self.all_values[rows]
        self._view()
