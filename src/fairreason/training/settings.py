"""The trainer settings that all strategies share: identical conditions but for the strategy itself (law 6).

AdamW, a short linear warmup and linear decay, gradients clipped at norm 1. On a GPU bfloat16 autocast and gradient
checkpointing; on a CPU neither (TRL's defaults would switch both on).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import trl.trainer.utils as fused_head
from peft import LoraConfig

from fairreason.recipe import Lora, Recipe


def common(recipe: Recipe, folder: Path, steps: int, rows: int, parts: int, learning_rate: float) -> dict[str, Any]:
    """Arguments of any TRL config. `rows` are the rows of one batch, cut into `parts` micro-batches."""
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": -(-rows // parts),
        "gradient_accumulation_steps": parts,
        "max_steps": steps,
        "learning_rate": learning_rate,
        "weight_decay": recipe.strategy.weight_decay,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch",
        "seed": recipe.seed,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": recipe.strategy.save_every,
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_pin_memory": gpu,
        "use_cpu": not gpu,
        "bf16": gpu,
        "gradient_checkpointing": gpu,
    }


def lora_config(lora: Lora | None) -> LoraConfig | None:
    """peft's configuration of the recipe's adapter, None for full fine-tuning."""
    if lora is None:
        return None
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        task_type="CAUSAL_LM",
    )


@contextlib.contextmanager
def scoring_what_is_trained() -> Iterator[None]:
    """TRL's fused head scores the trained positions alone on a GPU and every position elsewhere, to keep shapes
    constant for compilers. On a CPU nothing is compiled and prompts are most of a batch, so it does so there too."""
    decides = fused_head._use_triton
    fused_head._use_triton = lambda device: device.type == "cpu" or decides(device)
    try:
        yield
    finally:
        fused_head._use_triton = decides
