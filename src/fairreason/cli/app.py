"""The command line: every command is registered on one program, in the order in which its help names them."""

from __future__ import annotations

# isort: off
from fairreason.cli import training
from fairreason.cli import measuring
from fairreason.cli import teaching
from fairreason.cli.options import app
# isort: on

__all__ = ["app", "measuring", "teaching", "training"]
