"""The mixture's batches on their way into a TRL trainer: row numbers from the sampler, tokens from models/encode.

The trainers' data set holds row numbers only. `BatchStream` turns each batch of the sampler into the micro-batches of
one optimizer step; `Rows` encodes a row when it is needed, with the tokenization that evaluation uses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset

from fairreason.benchmarks.base import prompt_text
from fairreason.data.sampler import Sampler
from fairreason.errors import DataError
from fairreason.models import encode
from fairreason.models.encode import Encoded, Thinking
from fairreason.pictures import open_image
from fairreason.records import Example

if TYPE_CHECKING:
    from fairreason.models.load import Loaded

IGNORED = -100  # torch's label for a token that is not trained on


def row_numbers(examples: Sequence[Example]) -> Dataset:
    """The data set that the trainers see: `prompt` is the row's number as text, which is what TRL hands back."""
    return Dataset.from_dict({"row": list(range(len(examples))), "prompt": [str(i) for i in range(len(examples))]})


class Rows:
    """Examples as tokens. `keep` encoded prompts stay in memory: pictures are large."""

    def __init__(self, loaded: Loaded, examples: Sequence[Example], thinking: Thinking, keep: int) -> None:
        self.loaded, self.examples, self.thinking = loaded, examples, thinking
        self.opened = encode.prompt_ends_in_think(loaded, thinking)
        self.prompt: Callable[[int], Encoded] = functools.lru_cache(maxsize=keep)(self._prompt)

    def _prompt(self, row: int) -> Encoded:
        example = self.examples[row]
        images = [open_image(reference) for reference in example.images]
        return encode.encode_prompt(self.loaded, prompt_text(example), images, self.thinking)

    def prompts(self, rows: Sequence[int]) -> dict[str, torch.Tensor]:
        """The rows' prompts as one batch, padded on the left."""
        return encode.collate([self.prompt(row) for row in rows], self.loaded.pad_id, "left")

    def completion(self, reasoning: str, answer: str) -> list[int]:
        """A taught completion's tokens, with the end of turn."""
        text = encode.completion_text(reasoning, answer, self.opened, self.thinking)
        return encode.encode_completion(self.loaded, text)

    def text(self, ids: Sequence[int]) -> str:
        """A sampled completion as text, as the evaluation's backend gives it: a thinking part that the prompt opened
        stands in it."""
        text = encode.decode(self.loaded, ids)
        return f"{encode.THINK}\n{text}" if self.opened else text

    def supervised(self, row: int, reasoning: str, answer: str, max_length: int) -> tuple[Encoded, int, bool]:
        """Prompt and completion as one row, where the completion starts, and whether `max_length` cut its end off.

        Raises DataError when the prompt alone fills `max_length`: a cut prompt would be another question.
        """
        prompt, ids = self.prompt(row), self.completion(reasoning, answer)
        start = len(prompt.input_ids)
        if start >= max_length:
            raise DataError(
                f"{self.examples[row].id}: the prompt has {start} tokens, so nothing of the answer fits into "
                f"strategy.max_length {max_length}. Raise it"
            )
        return prompt.plus(ids[: max_length - start]), start, start + len(ids) > max_length


class BatchStream:
    """A batch sampler for torch's DataLoader: `parts` micro-batches a batch of the sampler, perhaps
    fewer for the last.

    With `repeat` set, every micro-batch is the whole batch with each row `repeat` times: TRL's sampling trainers want
    the round's prompts at each of its micro-steps. The places of batches that were trained on before a restart are
    taken by empty lists, which the trainer skips without looking at them. `size` of a row puts rows of like size into
    one micro-batch, which saves padding.
    """

    def __init__(
        self,
        sampler: Sampler,
        parts: int,
        repeat: int | None = None,
        size: Callable[[int], int] | None = None,
    ) -> None:
        self.sampler, self.parts, self.repeat, self.size = sampler, parts, repeat, size
        self.micro = -(-sampler.batch // parts)
        self.batch_size, self.drop_last = self.micro, False  # what accelerate asks a batch sampler for

    def _last(self) -> int:
        rows = self.sampler.size - (len(self.sampler) - 1) * self.sampler.batch
        return self.parts if self.repeat else -(-rows // self.micro)

    def __len__(self) -> int:
        return (len(self.sampler) - 1) * self.parts + self._last()

    def __iter__(self) -> Iterator[list[int]]:
        for _ in range(self.sampler.batches * self.parts):
            yield []
        for batch in self.sampler:
            if self.repeat:
                yield from [[row for row in batch for _ in range(self.repeat)]] * self.parts
            else:
                batch = batch if self.size is None else sorted(batch, key=self.size)
                yield from (batch[start : start + self.micro] for start in range(0, len(batch), self.micro))


def size_of(example: Example) -> int:
    """About how long the row is, without its tokens."""
    texts = (example.prompt, *example.options, example.solution or "", example.trace or "")
    return sum(map(len, texts)) + 64 * len(example.images)


def divide(rows: int, at_once: int | None) -> int:
    """Into how many equal micro-batches a batch is cut so that none holds more than `at_once` rows.

    >>> divide(40, None), divide(40, 16), divide(40, 40)
    (1, 4, 1)
    """
    if at_once is None or at_once >= rows:
        return 1
    return next(parts for parts in range(-(-rows // at_once), rows + 1) if rows % parts == 0)


def labels(rows: Sequence[Encoded], starts: Sequence[int], width: int) -> torch.Tensor:
    """What each position is to predict: the completion's own tokens, nothing elsewhere; padded on the right."""
    filled = [
        [IGNORED] * start + row.input_ids[start:] + [IGNORED] * (width - len(row.input_ids))
        for row, start in zip(rows, starts, strict=True)
    ]
    return torch.tensor(filled)


def as_batch(rows: Sequence[Encoded], starts: Sequence[int], pad_id: int) -> dict[str, Any]:
    """Supervised rows as the model's input with labels."""
    batch = encode.collate(rows, pad_id, "right")
    return {**batch, "labels": labels(rows, starts, batch["input_ids"].shape[1])}
