"""`fairreason traces push`: what the command does, apart from reading its options."""

from __future__ import annotations

from pathlib import Path

from fairreason.cli import console


def run_push(file: Path, repo: str, private: bool, as_json: bool = False) -> None:
    """Sends a file of traces and its card to the hub and prints the commit's address."""
    from fairreason.traces.push import push

    commit = push(file, repo, private)
    console.show({"commit": commit}) if as_json else print(commit)
