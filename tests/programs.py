"""Programs that some tests need and not every machine has."""

from __future__ import annotations

import shutil


def chromium_path() -> str | None:
    """The browser's program, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
