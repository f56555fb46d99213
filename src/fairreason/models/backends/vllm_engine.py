"""The vLLM backend, in this process: `make vllm` builds the environment that it needs, with its own torch.

Questions are handed over as token ids from models/encode.py, so vLLM is asked in the same tokens as all other backends;
a picture stands as one slot, which vLLM widens itself. The model folder's own sampling settings do not count. Each
answer has a seed of its own, of (seed, example, sample); vLLM's kernels may still let a close choice depend on the rest
of the batch. Written to the interface of vLLM 0.31; the engine itself has not been run by our tests.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairreason.errors import DataError, ModelError
from fairreason.models import encode
from fairreason.models import folder as folders
from fairreason.models.backends.base import Prompt, Sampling, failed, sampling_key
from fairreason.models.load import Loaded, load_processor
from fairreason.pictures import open_image
from fairreason.records import Completion, FinishReason

ROUND = 1_024
"""Answers handed to the engine at once, after which they are handed on: enough to keep it busy."""
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Of adapters, as vLLM 0.31 makes room for them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to make: prompt index, what the engine is asked, the seed."""

    index: int
    prompt: dict[str, Any]
    seed: int


class VllmBackend:
    """Answers with vLLM's own engine. A LoRA adapter's folder is put on its base by vLLM."""

    name = "vllm"

    def __init__(
        self, model: str, *, revision: str | None = None, trust_remote_code: bool = False, unsafe_weights: bool = False
    ) -> None:
        if importlib.util.find_spec("vllm") is None:
            raise ModelError(
                "vllm is not installed in this environment. `make vllm` builds .venv-vllm, where it is; or serve the "
                f"model there (.venv-vllm/bin/vllm serve {model}) and ask it with --backend openai --base-url URL"
            )
        self.trust_remote_code = trust_remote_code
        self.source = folders.locate(
            model, revision=revision, trust_remote_code=trust_remote_code, unsafe_weights=unsafe_weights
        )
        self.fingerprint = f"vllm-{folders.fingerprint(self.source)}"
        self.reader = reader(self.source, trust_remote_code)

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, first: int = 0
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See base.Backend."""
        rows: list[Row] = []
        for index, prompt in enumerate(prompts):
            try:
                asked = engine_prompt(self.reader, prompt, sampling)
            except (DataError, ModelError, ValueError) as error:
                yield index, failed(str(error), sampling.samples)
                continue
            copies = sampling.samples if sampling.temperature > 0 else 1
            rows += [Row(index, asked, sampling_key(sampling.seed, prompt.id, first + s)) for s in range(copies)]
            if len(rows) >= ROUND:
                yield from self._round(rows, sampling)
                rows = []
        yield from self._round(rows, sampling)

    def _round(self, rows: list[Row], sampling: Sampling) -> Iterator[tuple[int, list[Completion]]]:
        made: dict[int, list[Completion]] = {}
        for row, answer in zip(rows, self._answers(rows, sampling), strict=True):
            made.setdefault(row.index, []).append(answer)
        for index, answers in made.items():
            yield index, answers * (sampling.samples // len(answers))

    def _answers(self, rows: list[Row], sampling: Sampling) -> list[Completion]:
        """One answer a row; where the engine refuses them together (one is too long), halved until it is alone."""
        if not rows:
            return []
        from vllm import SamplingParams

        settings = [
            SamplingParams(
                temperature=sampling.temperature,
                max_tokens=sampling.max_new_tokens,
                seed=row.seed,
                stop_token_ids=sorted(ends(self.reader)),
                detokenize=False,
            )
            for row in rows
        ]
        try:
            outputs = self.engine.generate(
                [row.prompt for row in rows], settings, use_tqdm=False, lora_request=self.adapter
            )
        except ValueError as error:
            if len(rows) == 1:
                return failed(f"{type(error).__name__}: {error}", 1)
            half = len(rows) // 2
            return self._answers(rows[:half], sampling) + self._answers(rows[half:], sampling)
        return [self._read(output.outputs[0], len(output.prompt_token_ids), sampling) for output in outputs]

    def _read(self, output: Any, prompt_tokens: int, sampling: Sampling) -> Completion:
        reason: FinishReason = "length" if output.finish_reason == "length" else "stop"
        return completion(self.reader, list(output.token_ids), reason, prompt_tokens, sampling)

    @functools.cached_property
    def engine(self) -> Any:
        from vllm import LLM

        source, more = self.source, {}
        if folders.is_adapter(source.folder):
            base = folders.base_of(source.folder)
            rank = json.loads((source.folder / "adapter_config.json").read_text()).get("r", 16)
            source = folders.locate(base.name, revision=base.revision, unsafe_weights=source.unsafe_weights)
            more = {"enable_lora": True, "max_lora_rank": room_for(rank)}
        return LLM(model=str(source.folder), trust_remote_code=self.trust_remote_code, generation_config="vllm", **more)

    @functools.cached_property
    def adapter(self) -> Any:
        if not folders.is_adapter(self.source.folder):
            return None
        from vllm.lora.request import LoRARequest

        return LoRARequest("adapter", 1, str(self.source.folder))


def reader(source: folders.Source, trust_remote_code: bool = False) -> Loaded:
    """The model's tokenizer or processor without its weights; an adapter's base's where it has none of its own."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING as PICTURE_MODELS

    base, own = source, source
    if folders.is_adapter(source.folder):
        name, revision = folders.base_of(source.folder)
        base = folders.locate(name, revision=revision, unsafe_weights=source.unsafe_weights)
        own = source if (source.folder / "tokenizer_config.json").exists() else base
    config = AutoConfig.from_pretrained(base.folder, trust_remote_code=trust_remote_code)
    is_vl = type(config) in PICTURE_MODELS
    processor = load_processor(own, is_vl, trust_remote_code)
    return Loaded(None, processor, getattr(processor, "tokenizer", processor), source.name, source.commit, is_vl, base)


def room_for(rank: int) -> int:
    """The smallest of vLLM's ranks that holds an adapter of this one. Raises ModelError where none does.

    >>> room_for(4), room_for(16), room_for(17)
    (8, 16, 32)
    """
    fitting = [room for room in RANKS if room >= rank]
    if not fitting:
        raise ModelError(f"an adapter of rank {rank}: vllm takes {RANKS[-1]} at most. Merge it into its base")
    return fitting[0]


def engine_prompt(loaded: Loaded, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
    """The prompt as vLLM takes it. Raises DataError for a broken picture, ModelError for one too many."""
    pictures = [open_image(reference) for reference in prompt.images]
    ids = encode.slot_ids(loaded, prompt.text, len(pictures), sampling.thinking)
    asked: dict[str, Any] = {"prompt_token_ids": ids}
    return asked | {"multi_modal_data": {"image": pictures}} if pictures else asked


@functools.lru_cache(maxsize=8)
def _configured_ends(folder: Path) -> frozenset[int]:
    path = folder / "generation_config.json"
    named = json.loads(path.read_text()).get("eos_token_id") if path.exists() else None
    return frozenset(token for token in (named if isinstance(named, list) else [named]) if token is not None)


def ends(loaded: Loaded) -> frozenset[int]:
    """Every token that ends an answer: the tokenizer's and those of the folder's generation_config.json."""
    return loaded.eos_ids | _configured_ends(loaded.source.folder)


def completion(
    loaded: Loaded, ids: list[int], reason: FinishReason, prompt_tokens: int, sampling: Sampling
) -> Completion:
    """The engine's tokens as a completion, read as the Hugging Face backend reads its own."""
    text = encode.decode(loaded, ids[:-1] if ids and ids[-1] in ends(loaded) else ids)
    if encode.prompt_ends_in_think(loaded, sampling.thinking):
        text = f"{encode.THINK}\n{text}"
    return Completion(text, reason, prompt_tokens, len(ids))
