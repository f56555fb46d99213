"""Where a model lies: `lab`, a folder, a run folder's checkpoint or a hub name, and what its weights hash to. No torch.

A hub name is resolved to a commit and downloaded; a folder is hashed file by file. Only safetensors weights are taken
unless `unsafe_weights`: a pickle runs code when it is opened.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from fairreason.errors import ModelError

SHIPPED = ("lab", "lab-teacher")
WEIGHTS = Path(__file__).parent.parent / "lab" / "weights"
IGNORED = {"README.md", "training_args.bin", "trainer_state.json", ".gitattributes"}


class Source(NamedTuple):
    """A model's folder, the name it was asked by, the hub's commit (None for a folder), whether pickles are allowed."""

    name: str
    folder: Path
    commit: str | None
    unsafe_weights: bool = False


def locate(
    name: str, *, revision: str | None = None, trust_remote_code: bool = False, unsafe_weights: bool = False
) -> Source:
    """The folder behind a name; downloads a hub name at one commit. Raises ModelError."""
    if name in SHIPPED:
        source = Source(name, WEIGHTS / name, None)
    elif Path(name).is_dir():
        source = Source(name, _checkpoint(Path(name)), None)
    elif Path(name).exists():
        raise ModelError(f"{name}: a file, not a model folder")
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(f"{name}: no such folder")
    else:
        source = _download(name, revision, trust_remote_code, unsafe_weights)
    _check(source, unsafe_weights)
    return source._replace(unsafe_weights=unsafe_weights)


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds a LoRA adapter instead of a whole model."""
    return (folder / "adapter_config.json").exists()


class Base(NamedTuple):
    """The model that an adapter was trained on: its name, and the commit where that is a hub name."""

    name: str
    revision: str | None


def base_of(folder: Path) -> Base:
    """The base of an adapter folder. Raises ModelError when it names none."""
    config = _json(folder / "adapter_config.json")
    name = config.get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise ModelError(f"{folder}: adapter_config.json names no base model (base_model_name_or_path)")
    return Base(name, config.get("revision") or None)


def fingerprint(source: Source) -> str:
    """SHA-256 over everything that decides an answer: weights, configuration, tokenizer, template (an adapter's base
    included). A hub model is its name at its commit."""
    digest = hashlib.sha256()
    if source.commit is not None:
        digest.update(f"{source.name}@{source.commit}".encode())
        return digest.hexdigest()
    for path in _deciding(source.folder):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    if is_adapter(source.folder):
        name, revision = base_of(source.folder)
        base = locate(name, revision=revision, unsafe_weights=source.unsafe_weights)
        digest.update(fingerprint(base).encode())
    return digest.hexdigest()


def stamps(source: Source) -> list[tuple[str, int, int, int]]:
    """Name, size, time and inode of what `fingerprint` hashes: a file that was written over has another stamp."""
    if source.commit is not None:
        return []
    found = [(path, path.stat()) for path in _deciding(source.folder)]
    own = [(str(path), at.st_size, at.st_mtime_ns, at.st_ino) for path, at in found]
    if not is_adapter(source.folder):
        return own
    name, revision = base_of(source.folder)
    return own + stamps(locate(name, revision=revision, unsafe_weights=source.unsafe_weights))


def _deciding(folder: Path) -> list[Path]:
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return [path for path in files if path.name not in IGNORED and not path.name.startswith(".")]


def _checkpoint(folder: Path) -> Path:
    """A run folder stands for the checkpoint in it."""
    inner = folder / "checkpoint"
    return inner if not (folder / "config.json").exists() and inner.is_dir() else folder


def _check(source: Source, unsafe_weights: bool) -> None:
    folder = source.folder
    if not folder.is_dir():
        raise ModelError(f"{source.name}: its weights are not installed (looked in {folder})")
    adapter = is_adapter(folder)
    if adapter:
        _json(folder / "adapter_config.json")
    elif not (folder / "config.json").exists():
        raise ModelError(f"{folder}: not a model folder (it has neither config.json nor adapter_config.json)")
    elif "model_type" not in _json(folder / "config.json"):
        raise ModelError(f"{folder}/config.json: names no model_type, so it is not a transformers model")
    if any(folder.glob("*.safetensors")):
        return
    if not (any(folder.glob("*.bin")) or any(folder.glob("*.pt"))):
        raise ModelError(f"{folder}: no weights (*.safetensors) in this model folder")
    if not unsafe_weights:
        raise ModelError(
            f"{folder}: only pickled weights (*.bin), and opening them can run code. "
            "Convert them to safetensors or set unsafe_weights: true"
        )


def _json(path: Path) -> dict:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: not a JSON object")
    return value


def _download(name: str, revision: str | None, trust_remote_code: bool, unsafe_weights: bool) -> Source:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.tiktoken"]
    patterns += ["*.py"] if trust_remote_code else []
    patterns += ["*.bin"] if unsafe_weights else []
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except GatedRepoError:
        raise ModelError(
            f"{name}: the hub asks for permission; accept its terms there and log in (hf auth login)"
        ) from None
    except RevisionNotFoundError:
        raise ModelError(f"{name}: the hub has no revision {revision}") from None
    except (RepositoryNotFoundError, HFValidationError):
        raise ModelError(f"{name}: no such folder, and no such model on the hub") from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"{name}: no such folder, and the hub cannot be reached ({type(error).__name__}). "
            "Download the model first and give its folder"
        ) from None
    return Source(name, folder, folder.name)
