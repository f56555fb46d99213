"""Fixtures that several parts share: tiny models of three families as ordinary model folders, and what a test requires.

The models are built from transformers' own configs with random weights; their tokenizer is trained here on a few lines.
`FAIRREASON_REQUIRE=data,chromium,bwrap,inspect` turns a skip for want of one of these into a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from programs import chromium_path, inspect_path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

hypothesis.settings.register_profile("untimed", deadline=None)  # a test asserts no time, and this machine may be busy
hypothesis.settings.load_profile("untimed")

NEEDS = {
    "data": lambda: bool(os.environ.get("FAIRREASON_DATA")),
    "chromium": lambda: chromium_path() is not None,
    "inspect": lambda: inspect_path() is not None,
    "bwrap": lambda: shutil.which("bwrap") is not None,
}


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts deaf to Ctrl-C
    # peft 0.21 asks transformers 5.23 for a name that it renamed
    config.addinivalue_line("filterwarnings", "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
    for need in NEEDS:
        config.addinivalue_line("markers", f"{need}: needs {need}; skipped without, failed under FAIRREASON_REQUIRE")


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = {name.strip() for name in os.environ.get("FAIRREASON_REQUIRE", "").split(",")} - {""}
    for need, present in NEEDS.items():
        if item.get_closest_marker(need) and not present():
            (pytest.fail if need in required else pytest.skip)(f"{need} is not here")


@pytest.fixture
def own_time_limit() -> Iterator[None]:
    """A server that never answers must not stop the tests for good."""

    def too_long(*_: object) -> None:
        raise AssertionError("the test took more than two minutes")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """FAIRREASON_DATA; use with the marker `data`."""
    return Path(os.environ["FAIRREASON_DATA"])


@pytest.fixture(scope="session")
def tiny_qwen3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text model: Qwen3, 2 layers, think tags as added tokens, a template that knows enable_thinking."""
    from tiny_models import build_qwen3

    return build_qwen3(tmp_path_factory.mktemp("tiny") / "qwen3")


@pytest.fixture(scope="session")
def tiny_vl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture model: Qwen2.5-VL, 2 layers, 56x56 pictures become 4 tokens."""
    from tiny_models import build_qwen2_5_vl

    return build_qwen2_5_vl(tmp_path_factory.mktemp("tiny") / "qwen2_5_vl")


@pytest.fixture(scope="session")
def tiny_internvl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture model: InternVL, 2 layers, every tile becomes 4 tokens."""
    from tiny_models import build_internvl

    return build_internvl(tmp_path_factory.mktemp("tiny") / "internvl")


@pytest.fixture(params=["tiny_qwen3", "tiny_vl", "tiny_internvl"])
def tiny_model(request: pytest.FixtureRequest) -> Path:
    """Each of the three families in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["tiny_vl", "tiny_internvl"])
def tiny_picture_model(request: pytest.FixtureRequest) -> Path:
    """Each of the two families that take pictures."""
    return request.getfixturevalue(request.param)
