"""The Hugging Face backend: batches of like prompts, text and pictures mixed.

What prompts begin with alike (four questions on one context) is read once, models/read.py; ended answers leave their
batch, models/write.py; other kinds of model go through `model.generate`. Sampling is Gumbel noise on the logits
(choice.py); in float32 a close choice is made again from that row alone, so no answer depends on the batch.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList

from fairreason.models import encode
from fairreason.models.backends.base import Prompt, Sampling, failed
from fairreason.models.backends.batches import Row, batches, budget
from fairreason.models.backends.choice import ChooseToken, InGenerate, refuse_nan, scale
from fairreason.models.backends.letters import letter_tokens, weigh
from fairreason.models.load import Loaded
from fairreason.models.read import inner, is_plain, positions, read
from fairreason.models.write import write
from fairreason.pictures import open_image
from fairreason.records import Completion, FinishReason


class HuggingFaceBackend:
    """Answers with a loaded model. `batch_tokens` bounds a batch (rows x longest row); None: by device."""

    name = "huggingface"
    modes = ("generate", "letters")

    def __init__(self, loaded: Loaded, batch_tokens: int | None = None) -> None:
        self.loaded = loaded
        self.model = inner(loaded.model)
        self.plain = is_plain(self.model)
        self.batch_tokens = batch_tokens or budget(self.model)
        self._tokens = functools.lru_cache(maxsize=26)(functools.partial(letter_tokens, loaded))

    @property
    def fingerprint(self) -> str:
        kind = str(self.model.dtype).removeprefix("torch.")
        return f"huggingface-{kind}-{self.loaded.fingerprint}"

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, first: int = 0
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See base.Backend."""
        if sampling.mode == "letters":
            for letters in dict.fromkeys(prompt.letters for prompt in prompts):
                self._tokens(letters)  # a vocabulary without them is an error now
        copies = sampling.samples if sampling.temperature > 0 else 1
        waiting: dict[int, dict[int, Completion]] = {}
        encoder = functools.partial(self._encode, thinking=sampling.thinking)
        for batch in batches(prompts, encoder, copies, sampling, self.batch_tokens, first):
            for (index, sample), completion in self._answers(batch, sampling):
                done = waiting.setdefault(index, {})
                done[sample] = completion
                if len(done) == copies:
                    answers = [waiting[index][s] for s in range(copies)]
                    del waiting[index]
                    yield index, answers * (sampling.samples // copies)

    def _encode(self, prompt: Prompt, thinking: encode.Thinking) -> encode.Encoded:
        images = [open_image(reference) for reference in prompt.images]
        return encode.encode_prompt(self.loaded, prompt.text, images, thinking)

    def _answers(
        self, batch: list[Row] | tuple[int, str], sampling: Sampling
    ) -> Iterator[tuple[tuple[int, int], Completion]]:
        if isinstance(batch, tuple):
            index, reason = batch
            copies = sampling.samples if sampling.temperature > 0 else 1
            yield from (((index, s), c) for s, c in enumerate(failed(reason, copies)))
            return
        try:
            answers = self._run(batch, sampling)
        except Exception as error:  # out of memory or a row that breaks the model: halve until it stands alone
            if len(batch) == 1:
                yield (batch[0].index, batch[0].sample), failed(f"{type(error).__name__}: {error}", 1)[0]
                return
            _free_memory()
            half = len(batch) // 2
            yield from self._answers(batch[:half], sampling)
            yield from self._answers(batch[half:], sampling)
            return
        yield from (((row.index, row.sample), answer) for row, answer in zip(batch, answers, strict=True))

    def _run(self, batch: Sequence[Row], sampling: Sampling) -> list[Completion]:
        with torch.inference_mode(), _answering(self.model):
            if sampling.mode == "letters":
                return self._choose_letters(batch)
            written = self._write(batch, sampling) if self.plain else self._generate(batch, sampling)
        return [self._completion(row, ids, sampling) for row, ids in zip(batch, written, strict=True)]

    def _write(self, batch: Sequence[Row], sampling: Sampling) -> list[list[int]]:
        places: dict[int, int] = {}
        answers = [places.setdefault(row.index, len(places)) for row in batch]
        firsts = {row.index: row for row in reversed(batch)}
        prompts = [firsts[index] for index in places]
        return write(
            self.model,
            [row.prompt for row in prompts],
            [row.asked.images for row in prompts],
            answers,
            sampling.max_new_tokens,
            sorted(self.loaded.eos_ids),
            self._choose(batch, sampling),
        )

    def _generate(self, batch: Sequence[Row], sampling: Sampling) -> list[list[int]]:
        inputs = self._inputs([row.prompt for row in batch])
        width, ends = inputs["input_ids"].shape[1], sorted(self.loaded.eos_ids)
        processor = InGenerate(self._choose(batch, sampling), ends, width)
        output = self.model.generate(
            **inputs,
            generation_config=self._config(sampling.max_new_tokens),
            logits_processor=LogitsProcessorList([processor]),
        )
        return [_until(row, self.loaded.eos_ids) for row in output[:, width:].tolist()]

    def _choose(self, batch: Sequence[Row], sampling: Sampling) -> ChooseToken:
        keys, watch = [row.key for row in batch], self.model.dtype == torch.float32
        alone = (lambda row, ids: self._alone(batch[row].prompt.plus(ids))) if watch else None
        return ChooseToken(keys, sampling.temperature, alone)

    def _choose_letters(self, batch: Sequence[Row]) -> list[Completion]:
        found: dict[int, Completion] = {}
        for index, logits_V, size in self._last(batch):
            refuse_nan(torch.tensor(size))
            row = batch[index]
            tokens = self._tokens(row.asked.letters)
            weighed = weigh([logits_V[ids].tolist() for ids in tokens], size)
            if weighed.unsure and self.model.dtype == torch.float32:
                logits_V = self._alone(row.prompt)
                weighed = weigh([logits_V[ids].tolist() for ids in tokens], float(scale(logits_V[None])))
            text = rf"\boxed{{{row.asked.letters[weighed.best]}}}"
            found[index] = Completion(text, "stop", len(row.prompt.input_ids), 0, tuple(weighed.probabilities))
        return [found[index] for index in range(len(batch))]

    def _last(self, batch: Sequence[Row]) -> Iterator[tuple[int, torch.Tensor, float]]:
        """Of every row its number, the logits behind its prompt (V) and the largest of them."""
        rows = [row.prompt for row in batch]
        if self.plain:
            for part in read(self.model, rows, [row.asked.images for row in batch], cache=False):
                yield from zip(part.prompts, part.logits, scale(part.logits).tolist(), strict=True)
        else:
            config = self._config(1, output_logits=True, return_dict_in_generate=True)
            logits_NV = self.model.generate(**self._inputs(rows), generation_config=config).logits[0]
            yield from zip(range(len(rows)), logits_NV, scale(logits_NV).tolist(), strict=True)

    def _alone(self, row: encode.Encoded) -> torch.Tensor:
        """The logits behind a row's last token (V), from a forward over this row and nothing else."""
        inputs = self._inputs([row])
        if self.plain:
            inputs["position_ids"] = positions(self.model, inputs)
        last = {"logits_to_keep": 1} if self.model._supports_logits_to_keep() else {}
        return self.model(**inputs, use_cache=False, **last).logits[0, -1]

    def _inputs(self, rows: Sequence[encode.Encoded]) -> dict[str, torch.Tensor]:
        return {k: v.to(self.model.device) for k, v in encode.collate(rows, self.loaded.pad_id, "left").items()}

    def _config(self, max_new_tokens: int, **more: Any) -> GenerationConfig:
        ends, pad = sorted(self.loaded.eos_ids), self.loaded.pad_id
        return GenerationConfig(
            max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=ends, pad_token_id=pad, **more
        )

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
def _answering(model: Any) -> Iterator[None]:
    """Without dropout, and without the settings of the model's folder: sampling, penalties, a minimum length."""
    theirs, model.generation_config = model.generation_config, GenerationConfig()
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
