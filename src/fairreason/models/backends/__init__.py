"""The backends by name; each is a function (model name, options) -> Backend that imports its libraries when called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairreason.models.backends.base import Backend, Prompt, Sampling

__all__ = ["BACKENDS", "Backend", "Prompt", "Sampling"]


def _huggingface(model: str, **options: Any) -> Backend:
    from fairreason.models.backends.huggingface import HuggingFaceBackend
    from fairreason.models.load import load

    batch_tokens = options.pop("batch_tokens", None)
    return HuggingFaceBackend(load(model, **options), batch_tokens)


def _scripted(model: str, **options: Any) -> Backend:
    from pathlib import Path

    from fairreason.models.backends.scripted import ScriptedBackend

    return ScriptedBackend.from_file(Path(model))


def _openai(model: str, **options: Any) -> Backend:
    from fairreason.models.backends.openai_server import OpenAIBackend

    return OpenAIBackend(model, **options)


def _vllm(model: str, **options: Any) -> Backend:
    from fairreason.models.backends.vllm_engine import VllmBackend

    return VllmBackend(model, **options)


BACKENDS: dict[str, Callable[..., Backend]] = {
    "huggingface": _huggingface,
    "vllm": _vllm,
    "openai": _openai,
    "scripted": _scripted,
}
