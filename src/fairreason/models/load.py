"""Loads any model that AutoModelForImageTextToText or AutoModelForCausalLM knows, with its tokenizer or processor.

`trust_remote_code` is off and weights come from safetensors only, unless the caller says otherwise (models/folder.py).
On a CPU every model computes in float32: half precision is slow there and would let the batch decide close answers.
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
from transformers.utils import logging

from fairreason.errors import ModelError
from fairreason.models import folder as folders


@dataclass(frozen=True)
class Loaded:
    """A model with what turns text and pictures into its input. `processor` is the tokenizer where there is no picture
    part; `fingerprint` hashes weights, configuration, tokenizer and template. `dtype` is what its config.json names (an
    adapter's: its base's), whatever the weights were read as."""

    model: Any
    processor: Any
    tokenizer: Any
    name: str
    commit: str | None
    is_vl: bool
    source: folders.Source = field(repr=False)
    dtype: torch.dtype | None = None
    stamps: list[tuple[str, int, int, int]] | None = field(default=None, repr=False)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Raises ModelError where the folder no longer holds what was loaded."""
        found = folders.fingerprint(self.source)
        if self.stamps is not None and folders.stamps(self.source) != self.stamps:
            raise ModelError(f"{self.name}: its files have changed since they were loaded; load it again")
        return found

    @property
    def pad_id(self) -> int:
        tokenizer = self.tokenizer
        return next(i for i in (tokenizer.pad_token_id, *sorted(self.eos_ids), 0) if i is not None)

    @functools.cached_property
    def eos_ids(self) -> frozenset[int]:
        """Every token that ends an answer: the tokenizer's and those of the model's generation config."""
        configured = getattr(getattr(self.model, "generation_config", None), "eos_token_id", None)
        listed = configured if isinstance(configured, list) else [configured]
        return frozenset(i for i in [*listed, self.tokenizer.eos_token_id] if i is not None)


def load(
    name: str,
    *,
    revision: str | None = None,
    trust_remote_code: bool = False,
    unsafe_weights: bool = False,
    dtype: str = "auto",
    device: str | None = None,
    threads: int = 1,
) -> Loaded:
    """The model behind `lab`, a folder (whole model, LoRA adapter or run) or a hub name, ready to answer (eval mode).

    `dtype` "auto" is the stored one on a GPU and float32 on a CPU. Raises ModelError in one sentence.
    """
    torch.set_num_threads(threads)
    logging.disable_progress_bar()  # a bar for every shard; ours show answers and steps
    source = folders.locate(name, revision=revision, trust_remote_code=trust_remote_code, unsafe_weights=unsafe_weights)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kind = ("float32" if device == "cpu" else "auto") if dtype == "auto" else dtype
    stamps = folders.stamps(source)
    try:
        if folders.is_adapter(source.folder):
            loaded = _with_adapter(source, trust_remote_code, unsafe_weights, kind, device, threads)
        else:
            loaded = _whole(source, trust_remote_code, unsafe_weights, kind, device)
        return replace(loaded, stamps=stamps)
    except ModelError:
        raise
    except Exception as error:  # transformers raises anything here: KeyError, ImportError, SafetensorError, ...
        reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
        raise ModelError(f"{name}: cannot be loaded ({type(error).__name__}: {reason})") from error


def load_processor(source: folders.Source, is_vl: bool, trust_remote_code: bool = False) -> Any:
    """The processor (pictures) or tokenizer of a model folder."""
    kind = AutoProcessor if is_vl else AutoTokenizer
    return kind.from_pretrained(source.folder, trust_remote_code=trust_remote_code)


def _whole(source: folders.Source, trust: bool, unsafe: bool, dtype: str, device: str) -> Loaded:
    config = AutoConfig.from_pretrained(source.folder, trust_remote_code=trust)
    is_vl = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING or "AutoModelForImageTextToText" in (
        getattr(config, "auto_map", None) or {}
    )
    stored = config.dtype  # reading the weights as another one changes it
    kind = AutoModelForImageTextToText if is_vl else AutoModelForCausalLM
    model = kind.from_pretrained(
        source.folder,
        config=config,
        trust_remote_code=trust,
        use_safetensors=None if unsafe else True,
        dtype=dtype,
    )
    processor = load_processor(source, is_vl, trust)
    model.to(device)  # type: ignore[arg-type]
    return _loaded(source, model.eval(), processor, is_vl, stored)


def _with_adapter(source: folders.Source, trust: bool, unsafe: bool, dtype: str, device: str, threads: int) -> Loaded:
    from peft import PeftModel

    name, revision = folders.base_of(source.folder)
    base = load(
        name,
        revision=revision,
        trust_remote_code=trust,
        unsafe_weights=unsafe,
        dtype=dtype,
        device=device,
        threads=threads,
    )
    with warnings.catch_warnings():  # peft 0.21 asks transformers 5.23 for a name that it renamed
        warnings.filterwarnings("ignore", message=".is_gradient_checkpointing. is deprecated", category=FutureWarning)
        model = PeftModel.from_pretrained(base.model, str(source.folder), is_trainable=False)
    own = (source.folder / "tokenizer_config.json").exists()
    processor = load_processor(source, base.is_vl, trust) if own else base.processor
    return _loaded(source, model.eval(), processor, base.is_vl, base.dtype)


def _loaded(source: folders.Source, model: Any, processor: Any, is_vl: bool, dtype: torch.dtype | None) -> Loaded:
    tokenizer = getattr(processor, "tokenizer", processor)
    if getattr(processor, "chat_template", None) is None and getattr(tokenizer, "chat_template", None) is None:
        raise ModelError(f"{source.name}: no chat template, so its questions cannot be written down; use a chat model")
    return Loaded(model, processor, tokenizer, source.name, source.commit, is_vl, source, dtype)
