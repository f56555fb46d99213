"""The Hugging Face backend: `model.generate` on batches of similar length, text and pictures mixed.

Prompts are sorted by length and cut into batches by a budget of tokens. Sampling is Gumbel noise on the logits
(choice.py); in float32 a row with a close choice is answered again alone, so no answer depends on the batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList

from fairreason.errors import DataError, ModelError
from fairreason.models import encode
from fairreason.models.backends.base import Prompt, Sampling, failed, sampling_key
from fairreason.models.backends.choice import ChooseToken
from fairreason.models.load import Loaded
from fairreason.records import Completion, FinishReason, open_image

BATCH_TOKENS = {"cpu": 6_000, "cuda": 65_536}
"""Tokens in a batch, prompts and room for the answers: on a CPU what was fastest for the lab's models (more rows leave
the cache, fewer pay Python's overhead), on a GPU what an 8 B model's cache takes in about 10 GB."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to make: prompt index, sample number, the encoded prompt, the key of its noise."""

    index: int
    sample: int
    prompt: encode.Encoded
    key: int


class HuggingFaceBackend:
    """Answers with a loaded model. `batch_tokens` bounds a batch (rows x longest row); None: by device."""

    name = "huggingface"

    def __init__(self, loaded: Loaded, batch_tokens: int | None = None) -> None:
        self.loaded = loaded
        self.model = loaded.model.get_base_model() if hasattr(loaded.model, "get_base_model") else loaded.model
        self.batch_tokens = batch_tokens or BATCH_TOKENS.get(self.model.device.type, BATCH_TOKENS["cpu"])

    @property
    def fingerprint(self) -> str:
        kind = str(self.model.dtype).removeprefix("torch.")
        return f"huggingface-{kind}-{self.loaded.fingerprint}"

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[tuple[int, list[Completion]]]:
        """See base.Backend. Longest prompts first, so that a batch too large for the memory shows at once."""
        copies = sampling.samples if sampling.temperature > 0 else 1
        order = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i].images), -len(prompts[i].text), i))
        waiting: dict[int, dict[int, Completion]] = {}
        for batch in self._batches(prompts, order, copies, sampling):
            for (index, sample), completion in self._answers(batch, sampling):
                done = waiting.setdefault(index, {})
                done[sample] = completion
                if len(done) == copies:
                    answers = [waiting[index][s] for s in range(copies)]
                    del waiting[index]
                    yield index, answers * (sampling.samples // copies)

    def _batches(
        self, prompts: Sequence[Prompt], order: Sequence[int], copies: int, sampling: Sampling
    ) -> Iterator[list[Row] | tuple[int, str]]:
        """Batches of rows within the budget; (index, reason) for a prompt that cannot be asked."""
        batch: list[Row] = []
        for index in order:
            try:
                encoded = self._encode(prompts[index], sampling)
            except (DataError, ModelError, ValueError) as error:
                yield index, str(error)
                continue
            for sample in range(copies):
                row = Row(index, sample, encoded, sampling_key(sampling.seed, prompts[index].id, sample))
                longest = max(len(r.prompt.input_ids) for r in [row, *batch[:1]]) + sampling.max_new_tokens
                if batch and (len(batch) + 1) * longest > self.batch_tokens:
                    yield batch
                    batch = []
                batch.append(row)
        if batch:
            yield batch

    def _encode(self, prompt: Prompt, sampling: Sampling) -> encode.Encoded:
        images = [open_image(reference) for reference in prompt.images]
        return encode.encode_prompt(self.loaded, prompt.text, images, sampling.thinking)

    def _answers(
        self, batch: list[Row] | tuple[int, str], sampling: Sampling
    ) -> Iterator[tuple[tuple[int, int], Completion]]:
        if isinstance(batch, tuple):
            index, reason = batch
            copies = sampling.samples if sampling.temperature > 0 else 1
            yield from (((index, s), c) for s, c in enumerate(failed(reason, copies)))
            return
        alone: list[Row] = []
        try:
            answers, close = self._run(batch, sampling)
        except Exception as error:  # out of memory or a row that breaks the model: halve until it stands alone
            if len(batch) == 1:
                yield (batch[0].index, batch[0].sample), failed(f"{type(error).__name__}: {error}", 1)[0]
                return
            _free_memory()
            half = len(batch) // 2
            yield from self._answers(batch[:half], sampling)
            yield from self._answers(batch[half:], sampling)
            return
        for row, answer, is_close in zip(batch, answers, close, strict=True):
            if is_close and len(batch) > 1:
                alone.append(row)
            else:
                yield (row.index, row.sample), self._completion(row, answer, sampling)
        for row in alone:
            yield from self._answers([row], sampling)

    def _run(self, batch: Sequence[Row], sampling: Sampling) -> tuple[list[list[int]], list[bool]]:
        """The tokens of each row's answer, and whether a choice in it was close."""
        rows = [row.prompt for row in batch]
        inputs = {k: v.to(self.model.device) for k, v in encode.collate(rows, self.loaded.pad_id, "left").items()}
        width = inputs["input_ids"].shape[1]
        eos = sorted(self.loaded.eos_ids)
        watch = self.model.dtype == torch.float32 and len(batch) > 1
        choose = ChooseToken([row.key for row in batch], sampling.temperature, eos, width, watch)
        active = watch or sampling.temperature > 0
        config = GenerationConfig(
            max_new_tokens=sampling.max_new_tokens, do_sample=False, eos_token_id=eos, pad_token_id=self.loaded.pad_id
        )
        with torch.inference_mode(), _own_settings(self.model, config):
            output = self.model.generate(**inputs, logits_processor=LogitsProcessorList([choose] if active else []))
        return [_until(row, self.loaded.eos_ids) for row in output[:, width:].tolist()], choose.close_B.tolist()

    def _completion(self, row: Row, ids: list[int], sampling: Sampling) -> Completion:
        reason: FinishReason = "stop" if ids and ids[-1] in self.loaded.eos_ids else "length"
        text = encode.decode(self.loaded, ids[:-1] if reason == "stop" else ids)
        if encode.prompt_ends_in_think(self.loaded, sampling.thinking):
            text = f"{encode.THINK}\n{text}"  # the prompt opened it; readers must see that the text starts inside
        return Completion(text, reason, len(row.prompt.input_ids), len(ids))


def _until(ids: list[int], ends: frozenset[int]) -> list[int]:
    """The tokens up to and with the first end, without the padding behind it."""
    stop = next((i for i, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: stop + 1]


@contextlib.contextmanager
def _own_settings(model: Any, config: GenerationConfig) -> Iterator[None]:
    """Only our generation settings: a model's folder may ask for sampling, penalties or a minimum length."""
    theirs, model.generation_config = model.generation_config, config
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.generation_config = theirs
        model.train(was_training)


def _free_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
