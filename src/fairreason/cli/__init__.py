"""The command line. Even its own imports happen under guard, so that Ctrl-C is one line from the first moment on."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fairreason.cli import console


def main(arguments: Sequence[str] | None = None) -> None:
    """The program `fairreason`; leaves with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)

    def work() -> int | None:
        from fairreason.cli.app import app

        return app(given, prog_name="fairreason", standalone_mode=False)

    sys.exit(console.guarded(work))
