"""Which prompts are asked together: those that begin alike side by side, in batches of like length within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fairreason.errors import DataError, ModelError
from fairreason.models.backends.base import Prompt, Sampling, sampling_key
from fairreason.models.encode import Encoded
from fairreason.models.trees import alike

BATCH_TOKENS = 65_536
"""Tokens in a batch, prompts and room for the answers."""
CACHE_BYTES = {"cpu": 10**9, "cuda": 10**10}  # what the cache of a batch may take
ROWS = 256  # answers in a batch; more gain nothing on a CPU
SHARED = 0.25  # of a text that must be shared with the one before it to be asked beside it
BUNDLE = 8  # prompts side by side for what they share


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to make: prompt index, which of the samples asked for, the prompt as text and encoded, the key of its
    noise."""

    index: int
    sample: int
    asked: Prompt
    prompt: Encoded
    key: int


def batches(
    prompts: Sequence[Prompt],
    encode: Callable[[Prompt], Encoded],
    copies: int,
    sampling: Sampling,
    most: int,
    first: int = 0,
) -> Iterator[list[Row] | tuple[int, str]]:
    """All prompts, `copies` rows each (samples `first`, `first` + 1, ...), in batches of at most `most` tokens (rows x
    longest row, room for the answer counted); (index, reason) for a prompt that `encode` refuses."""
    batch: list[Row] = []
    longest = 0
    for index in in_bundles(prompts):
        asked = prompts[index]
        try:
            encoded = encode(asked)
        except (DataError, ModelError, ValueError) as error:
            yield index, str(error)
            continue
        length = len(encoded.input_ids) + sampling.max_new_tokens
        for sample in range(copies):
            longest = max(longest, length)
            if batch and ((len(batch) + 1) * longest > most or len(batch) == ROWS):
                yield batch
                batch, longest = [], length
            batch.append(Row(index, sample, asked, encoded, sampling_key(sampling.seed, asked.id, first + sample)))
    if batch:
        yield batch


def in_bundles(prompts: Sequence[Prompt]) -> list[int]:
    """The order in which prompts are asked: those that begin alike side by side, then most pictures and longest first,
    so that a batch too large for the memory shows at once.

    >>> in_bundles([Prompt("a", "One. Who?"), Prompt("b", "A much longer story."), Prompt("c", "One. What?")])
    [1, 2, 0]
    """
    bundles: list[list[int]] = []
    for index in sorted(range(len(prompts)), key=lambda i: (prompts[i].images, prompts[i].text, i)):
        here, before = prompts[index], prompts[bundles[-1][-1]] if bundles else None
        joins = before is not None and len(bundles[-1]) < BUNDLE and before.images == here.images
        if before is not None and joins and alike(before.text, here.text) >= SHARED * len(here.text):
            bundles[-1].append(index)
        else:
            bundles.append([index])
    bundles.sort(key=lambda b: (-len(prompts[b[0]].images), -max(len(prompts[i].text) for i in b), prompts[b[0]].id))
    return [index for bundle in bundles for index in bundle]


def budget(model: Any) -> int:
    """Tokens in a batch: as many as the device's share for a cache holds, BATCH_TOKENS at most. A model without
    attention keeps no cache that grows."""
    text = model.config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or getattr(text, "num_attention_heads", None)
    if heads is None:
        return BATCH_TOKENS
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    bytes_a_token = 2 * text.num_hidden_layers * heads * size * model.dtype.itemsize
    return min(BATCH_TOKENS, CACHE_BYTES.get(model.device.type, CACHE_BYTES["cpu"]) // bytes_a_token)
