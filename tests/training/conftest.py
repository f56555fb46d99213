"""Tiny models that have learned the answer's form, so that rewards differ."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

FAMILIES = ("tiny_qwen3", "tiny_vl", "tiny_internvl")


@pytest.fixture(scope="session")
def taught_models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each family after 40 steps of supervised training: most replies can be read, some are right."""
    from rows import asked, mixture

    from fairreason.training.train import train_on

    found = {}
    for family in FAMILIES:
        folder = tmp_path_factory.mktemp("taught") / family
        strategy = {"type": "sft", "sft": {"learning_rate": 1e-2}, "save_every": 1000}
        recipe = asked(request.getfixturevalue(family), size=640, batch=16, **strategy)
        train_on(recipe, mixture(recipe, pictures=family != "tiny_qwen3"), folder)
        found[family] = folder
    return found


@pytest.fixture(params=FAMILIES)
def taught(request: pytest.FixtureRequest, taught_models: dict[str, Path]) -> Path:
    """Each family in turn."""
    return taught_models[request.param]


@pytest.fixture
def taught_vl(taught_models: dict[str, Path]) -> Path:
    """The Qwen2.5-VL one."""
    return taught_models["tiny_vl"]
