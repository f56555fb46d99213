"""Programs that some tests need and not every machine has."""

from __future__ import annotations

import shutil
from pathlib import Path


def chromium_path() -> str | None:
    """The browser's program, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def inspect_path() -> str | None:
    """Inspect's program: that of `make`'s own environment for it, or the one on the PATH."""
    own = Path(__file__).parents[1] / ".venv-inspect" / "bin" / "inspect"
    return str(own) if own.exists() else shutil.which("inspect")
