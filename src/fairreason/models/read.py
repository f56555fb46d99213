"""Reads prompts: one forward over trees of prompts that begin alike, logits at each prompt's last token only.

For models whose attention is plainly causal (`is_plain`). The columns of a row may stand in any order, because places
and mask say what a token is: the last tokens of a tree's prompts stand in the last columns, so that `logits_to_keep`
spares the vocabulary everywhere else. A batch in which no prompt shares anything is padded on the left as usual.

Axes: R trees, L columns, P prompts, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache

from fairreason.models.encode import TOKEN_FIELDS, Encoded, collate
from fairreason.models.trees import Tree, grow

KINDS = frozenset({"llama", "mistral", "qwen2", "qwen3", "qwen2_vl", "qwen2_5_vl", "internvl"})
"""Model types whose attention is plainly causal and whose positions `positions` knows."""

TOKENS = {"cpu": 1_024, "cuda": 32_768}  # in one forward; on a CPU what stays in its cache

Batch = dict[str, torch.Tensor]


class Read(NamedTuple):
    """What a forward gave: for each prompt its index, logits (P x V), row, columns and the place of its last token
    (P, or 3 x P); and the cache's keys and values by layer (R x heads x L x size), none where it was not asked for."""

    prompts: list[int]
    logits: torch.Tensor
    rows: list[int]
    columns: list[torch.Tensor]
    places: torch.Tensor
    layers: list[tuple[torch.Tensor, torch.Tensor]]


def inner(model: Any) -> Any:
    """The transformers model below a LoRA wrapper."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def is_plain(model: Any) -> bool:
    """Whether prompts may be shared: a known kind of model, full attention in every layer, masks by addition.

    Mistral lists no layers: all of them have its window where it has one."""
    config = inner(model).config
    text = config.get_text_config()
    window = None if getattr(text, "layer_types", None) else getattr(text, "sliding_window", None)
    return (
        config.model_type in KINDS
        and window is None
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


def mask(model: Any, seen: torch.Tensor) -> torch.Tensor:
    """A mask with four axes as this model's attention takes it: `seen` says which columns a token may look at."""
    if inner(model).config.get_text_config()._attn_implementation == "sdpa":
        return seen
    return (~seen).to(model.dtype) * torch.finfo(model.dtype).min


def read(model: Any, prompts: Sequence[Encoded], pictures: Sequence[Hashable], cache: bool) -> Iterator[Read]:
    """All prompts, in forwards of like width. `pictures`: prompts with equal entries show the same pictures."""
    part: list[Tree] = []
    most = TOKENS.get(inner(model).device.type, TOKENS["cpu"])
    for tree in grow([prompt.input_ids for prompt in prompts], pictures):
        if part and (len(part) + 1) * len(tree.ids) > most:
            yield _forward(model, prompts, part, cache)
            part = []
        part.append(tree)
    if part:
        yield _forward(model, prompts, part, cache)


def _forward(model: Any, prompts: Sequence[Encoded], part: Sequence[Tree], cache: bool) -> Read:
    kept = max(len(tree.ends()) for tree in part)
    width = max(len(tree.ids) - len(tree.ends()) for tree in part) + kept
    asked = [(index, r, nodes) for r, tree in enumerate(part) for index, nodes in tree.paths.items()]
    column_of = [_columns(tree, width, kept) for tree in part]
    columns = [column_of[r][nodes] for _, r, nodes in asked]
    places = [_places(model, prompts[index]) for index, _, _ in asked]
    ids_RL = torch.zeros(len(part), width, dtype=torch.long)
    seen_RLL = torch.eye(width, dtype=torch.bool).repeat(len(part), 1, 1)
    place_RL = torch.zeros(*max((p.shape[:-1] for p in places), key=len), len(part), width, dtype=torch.long)
    for (index, r, _), column, place in zip(asked, columns, places, strict=True):
        ids_RL[r, column] = torch.tensor(prompts[index].input_ids)
        place_RL[..., r, column] = place
        seen_RLL[r, column[:, None], column] = torch.ones(len(column), len(column), dtype=torch.bool).tril()
    device = inner(model).device
    alone = len(asked) == len(part)  # no tree has two prompts: the model makes its own mask of who is padding
    looks = seen_RLL[:, -1].long().to(device) if alone else mask(model, seen_RLL[:, None].to(device))
    out = model(
        input_ids=ids_RL.to(device),
        attention_mask=looks,
        position_ids=place_RL.to(device),
        past_key_values=DynamicCache(config=inner(model).config.get_text_config()) if cache else None,
        use_cache=cache,
        logits_to_keep=kept,
        **_fields([prompts[next(iter(tree.paths))] for tree in part], device),
    )
    rows = [r for _, r, _ in asked]
    ends = torch.stack([column[-1] for column in columns])
    return Read(
        [index for index, _, _ in asked],
        out.logits[rows, (ends - (width - kept)).to(device)],
        rows,
        columns,
        place_RL[..., rows, ends].to(device),
        [(layer.keys, layer.values) for layer in out.past_key_values.layers] if cache else [],
    )


def _columns(tree: Tree, width: int, kept: int) -> torch.Tensor:
    """Each node's column: last tokens at the right end, all others as far right as `kept` columns leave room."""
    ends = tree.ends()
    column = torch.zeros(len(tree.ids), dtype=torch.long)
    column[ends] = torch.arange(width - len(ends), width)
    others = torch.ones(len(tree.ids), dtype=torch.bool)
    others[ends] = False
    column[others] = torch.arange(width - kept - len(tree.ids) + len(ends), width - kept)
    return column


def _places(model: Any, prompt: Encoded) -> torch.Tensor:
    """The places of a prompt's tokens, T or 3 x T."""
    if not prompt.fields:
        return torch.arange(len(prompt.input_ids))
    return positions(model, collate([prompt], 0))[..., 0, :]


def _fields(prompts: Sequence[Encoded], device: torch.device) -> Batch:
    """The picture fields of trees, one prompt each; the fields that say where pictures stand go, as the places do."""
    batch = fields_of(collate(prompts, 0))
    return {name: value.to(device) for name, value in batch.items() if name not in TOKEN_FIELDS}
