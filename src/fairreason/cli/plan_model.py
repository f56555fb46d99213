"""What a plan needs to know of a model without loading its weights: how many parameters, and its tokenizer.

A safetensors file opens with a JSON header that holds every tensor's shape, so counting reads a few kilobytes.
"""

from __future__ import annotations

import json
import math
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fairreason.errors import ModelError
from fairreason.models import folder as folders
from fairreason.models.folder import SHIPPED, Source
from fairreason.recipe import Recipe

if TYPE_CHECKING:
    from fairreason.models.load import Loaded

WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1}
BILLIONS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)[bB](?![a-zA-Z])")
LARGEST_HEADER = 100_000_000


class ModelFacts(NamedTuple):
    """Parameters (None: unknown) and bytes for each; `source` says where that comes from, or what is missing."""

    parameters: float | None
    bytes_each: float
    source: str


def model_facts(name: str, revision: str | None = None) -> ModelFacts:
    """Parameters counted in the model's files where they are at hand, else read from its name ("8B").

    Raises ModelError for a folder that is no model; a hub name that is not on this machine is no error.
    """
    source = at_hand(name, revision)
    if source is not None:
        counted = _count(source.folder)
        if folders.is_adapter(source.folder):
            base = model_facts(*folders.base_of(source.folder))
            return base._replace(source=f"its base: {base.source}")
        if counted is not None:
            return ModelFacts(*counted, f"counted in {name}")
    size = BILLIONS.search(name.rpartition("/")[2])
    if size:
        return ModelFacts(float(size[1]) * 1e9, 2, f"read from the name {name}, bfloat16 presumed")
    return ModelFacts(None, 2, f"{name} is not on this machine and its name says no size")


def at_hand(name: str, revision: str | None = None, unsafe_weights: bool = True) -> Source | None:
    """The model's folder if it is on this machine (shipped, a folder, the hub's cache). Raises ModelError for a folder
    that is no model."""
    local = name in SHIPPED or Path(name).exists() or name.startswith((".", "/", "~")) or name.count("/") > 1
    if local:
        return folders.locate(name, revision=revision, unsafe_weights=unsafe_weights)
    from huggingface_hub import snapshot_download

    try:
        cached = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (OSError, ValueError):
        return None
    return Source(name, cached, cached.name)


def reader(recipe: Recipe) -> Loaded | None:
    """The model's tokenizer and template without its weights, None where they are not on this machine."""
    source = at_hand(recipe.model, recipe.revision, recipe.unsafe_weights)
    if source is None:
        return None
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING as PICTURE_MODELS

    from fairreason.models.load import Loaded, load_processor

    folder, trust = source.folder, recipe.trust_remote_code
    if folders.is_adapter(folder) and not (folder / "config.json").exists():
        name, revision = folders.base_of(folder)
        return reader(recipe.model_copy(update={"model": name, "revision": revision}))
    try:
        is_vl = type(AutoConfig.from_pretrained(folder, trust_remote_code=trust)) in PICTURE_MODELS
        processor = load_processor(source, is_vl, trust)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(f"{recipe.model}: its tokenizer cannot be loaded ({str(error).splitlines()[0]})") from None
    return Loaded(
        None, processor, getattr(processor, "tokenizer", processor), source.name, source.commit, is_vl, source
    )


def _count(folder: Path) -> tuple[float, float] | None:
    """Parameters, and bytes for each, over all safetensors files; None where there are none."""
    parameters, size = 0, 0
    for path in sorted(folder.glob("*.safetensors")):
        for entry in _header(path).values():
            if "shape" in entry:
                count = math.prod(entry["shape"])
                parameters += count
                size += count * WIDTHS.get(entry.get("dtype", ""), 4)
    return (parameters, size / parameters) if parameters else None


def _header(path: Path) -> dict[str, dict]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LARGEST_HEADER:
                raise ValueError("header too long")
            header = json.loads(file.read(length))
        return {name: entry for name, entry in header.items() if isinstance(entry, dict) and name != "__metadata__"}
    except (OSError, ValueError, struct.error, AttributeError) as error:
        raise ModelError(f"{path}: not a safetensors file ({error})") from None
