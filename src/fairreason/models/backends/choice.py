"""Which token comes next: the largest logit, or a sample as the largest of logits / temperature + Gumbel noise.

The noise of a token is a hash of (key of the answer, position, token), so it does not depend on the batch. The logits
do, in their last bits: a row beside others goes through other kernels than the same row alone (differences up to 6e-5
at logits of 12 on a 1.1 M model in float32). Where the two best are so close that this could decide, `close` says so
and the backend answers that row again alone, which makes the answer the same for every batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

CLOSE = 1e-4  # of the largest logit; ten times the relative difference that was measured
MIX_1, MIX_2, STEP = -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15, -0x61C8864680B583EB  # splitmix64's, as signed 64 bit


class ChooseToken(LogitsProcessor):
    """Adds the noise, and watches for close choices among rows that are not finished. One per batch.

    `keys`: one a row (base.sampling_key). `eos_ids` end a row. Positions count from `prompt_width`.
    """

    def __init__(self, keys: Sequence[int], temperature: float, eos_ids: Sequence[int], prompt_width: int, watch: bool):
        self.keys_B = torch.tensor(keys, dtype=torch.int64)
        self.temperature = temperature
        self.eos_ids = torch.tensor(sorted(eos_ids), dtype=torch.int64)
        self.prompt_width = prompt_width
        self.watch = watch
        self.close_B = torch.zeros(len(keys), dtype=torch.bool)
        self.finished_B = torch.zeros(len(keys), dtype=torch.bool)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scale_B = scores.abs().amax(-1)
        if self.temperature > 0:
            position = input_ids.shape[1] - self.prompt_width
            scale_B = scale_B / self.temperature
            scores = scores / self.temperature + gumbel(self.keys_B.to(scores.device), position, scores.shape[1])
        if self.watch:
            self._look(scores, scale_B)
        return scores

    def _look(self, scores: torch.Tensor, scale_B: torch.Tensor) -> None:
        top = scores.topk(2)
        close_B = (top.values[:, 0] - top.values[:, 1]) < CLOSE * scale_B.clamp(min=1)
        self.close_B |= close_B.cpu() & ~self.finished_B
        self.finished_B |= torch.isin(top.indices[:, 0].cpu(), self.eos_ids)


def gumbel(keys_B: torch.Tensor, position: int, size: int) -> torch.Tensor:
    """Standard Gumbel noise, rows x size, float32; entry (b, v) is a function of (keys_B[b], position, v) alone."""
    row_B1 = mix(keys_B + torch.full_like(keys_B, position + 1) * STEP)[:, None]
    bits_BV = mix(row_B1 + torch.arange(1, size + 1, device=keys_B.device) * STEP)
    uniform_BV = (((bits_BV >> 12) & (2**52 - 1)).double() + 0.5) * 2.0**-52  # never 0, never 1
    return -torch.log(-torch.log(uniform_BV)).float()


def mix(x: torch.Tensor) -> torch.Tensor:
    """splitmix64's finalizer (Steele, Lea and Flood 2014) on int64, which wraps as unsigned 64 bit does.

    The first output of splitmix64 seeded with 0 (its state is then STEP):
    >>> hex(mix(torch.tensor(STEP)).item() & (2**64 - 1))
    '0xe220a8397b1dcdaf'
    """
    x = (x ^ ((x >> 30) & (2**34 - 1))) * MIX_1
    x = (x ^ ((x >> 27) & (2**37 - 1))) * MIX_2
    return x ^ ((x >> 31) & (2**33 - 1))
