"""Writes docs/cli.md from the commands' own help: `python -m fairreason.cli.docs docs/cli.md`; `--check` compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer.main

from fairreason.cli.app import app

HEAD = "# The command line\n\nMade from the commands' own help by `make format`; `make check` compares.\n"


def document() -> str:
    """The help of the program and of every command, in the order in which the program lists them."""
    return "\n".join([HEAD, *_sections(typer.main.get_command(app), "fairreason", None)])


def _sections(command: Any, path: str, parent: Any) -> list[str]:
    context = command.make_context(
        path.rpartition(" ")[2], [], parent=parent, resilient_parsing=True, terminal_width=100, max_content_width=100
    )
    found = [f"## {path}\n\n```\n{command.get_help(context).rstrip()}\n```\n"]
    for name, inner in getattr(command, "commands", {}).items():
        found += _sections(inner, f"{path} {name}", context)
    return found


def main() -> int:
    *flags, target = sys.argv[1:]
    path = Path(target)
    if flags == ["--check"]:
        if path.exists() and path.read_text() == document():
            return 0
        print(f"Error: {path} is not what the commands say; run `make format`", file=sys.stderr)
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
