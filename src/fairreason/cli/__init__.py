"""The command line."""

from fairreason.cli.app import main

__all__ = ["main"]
