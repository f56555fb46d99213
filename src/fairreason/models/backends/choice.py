"""Which token comes next: the largest logit, or a sample as the largest of logits / temperature + Gumbel noise.

The noise of a token is a hash of (key of the answer, position, token), so it does not depend on the batch. The logits
do, in their last bits: a row beside others goes through other kernels than the same row alone (differences up to 6e-5
at logits of 12 on a 1.1 M model in float32). Where the two best are so close that this could decide, the choice is made
again from a forward over that row's tokens alone, which makes the answer the same for every batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import LogitsProcessor

from fairreason.errors import ModelError

CLOSE = 1e-4  # of the largest logit; ten times the relative difference that was measured
MIX_1, MIX_2, STEP = -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15, -0x61C8864680B583EB  # splitmix64's, as signed 64 bit

BLOCK = 256  # or the largest power of two that divides the vocabulary
NOISE = 1 << 20  # numbers made at once: the hash needs several times their memory

Alone = Callable[[int, Sequence[int]], torch.Tensor]
"""(row, what it has written) -> logits of its next token (V), from a forward that holds nothing else."""


class ChooseToken:
    """The next token of each row that goes on; `models.write.Choose`. One per batch.

    `keys`: one a row (base.sampling_key). Without `alone` close choices stay as the batch has them.
    """

    def __init__(self, keys: Sequence[int], temperature: float, alone: Alone | None):
        self.keys_B = torch.tensor(keys, dtype=torch.int64)
        self.temperature = temperature
        self.alone = alone

    def __call__(self, logits_NV: torch.Tensor, going_N: torch.Tensor, written_BT: torch.Tensor) -> torch.Tensor:
        scores_NV = self._scores(logits_NV, going_N, written_BT.shape[1])
        if self.alone is None:
            best = scores_NV.max(-1)
            refuse_nan(best.values)
            return best.indices
        values_N2, token_N = two_best(scores_NV)
        refuse_nan(values_N2)
        unit = self.temperature or 1.0
        close_N = (values_N2[:, 0] - values_N2[:, 1]) < CLOSE * scale(logits_NV).clamp(min=unit) / unit
        for n in close_N.nonzero()[:, 0].tolist():
            row = int(going_N[n])
            logits_1V = self.alone(row, written_BT[row].tolist())[None]
            token_N[n] = self._scores(logits_1V, going_N[n : n + 1], written_BT.shape[1]).argmax()
        return token_N

    def _scores(self, logits_NV: torch.Tensor, going_N: torch.Tensor, position: int) -> torch.Tensor:
        if not self.temperature:
            return logits_NV
        keys_N = self.keys_B.to(going_N.device)[going_N]
        return logits_NV / self.temperature + gumbel(keys_N, position, logits_NV.shape[1])


class InGenerate(LogitsProcessor):
    """The same choice inside `model.generate`: all but the chosen token are ruled out."""

    def __init__(self, choose: ChooseToken, ends: Sequence[int], prompt_width: int):
        self.choose, self.ends, self.prompt_width = choose, torch.tensor(list(ends)), prompt_width

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        written_BT = input_ids[:, self.prompt_width :]
        ended_B = torch.isin(written_BT, self.ends.to(input_ids.device)).any(-1)
        going_N = (~ended_B).nonzero()[:, 0]
        only_BV = torch.full_like(scores, -torch.inf)
        only_BV[ended_B, 0] = 0  # what comes there is thrown away
        only_BV[going_N, self.choose(scores[going_N], going_N, written_BT)] = 0
        return only_BV


def refuse_nan(largest: torch.Tensor) -> None:
    """Raises ModelError where a row's largest logit is NaN, which is larger than any number to torch."""
    if largest.isnan().any():
        raise ModelError("its logits are not numbers (NaN): the weights are broken, or too large for their precision")


def two_best(scores_NV: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row's two largest values (N x 2) and where the largest stands (N). `topk` over a whole vocabulary is slow on
    a CPU: the largest of every block is looked for first, then inside the best block.

    >>> two_best(torch.tensor([[1.0, 5.0, 4.0, 2.0, 3.0, 0.0]]))
    (tensor([[5., 4.]]), tensor([1]))
    """
    vocabulary = scores_NV.shape[1]
    size = min(BLOCK, vocabulary & -vocabulary)
    if size == 1 or size == vocabulary:
        top = scores_NV.topk(2)
        return top.values, top.indices[:, 0].clone()
    blocks = scores_NV.unflatten(1, (-1, size))
    best = blocks.amax(-1).topk(2)
    inside = blocks[torch.arange(len(blocks), device=blocks.device), best.indices[:, 0]].topk(2)
    second_N = torch.maximum(best.values[:, 1], inside.values[:, 1])
    return torch.stack([best.values[:, 0], second_N], 1), best.indices[:, 0] * size + inside.indices[:, 0]


def scale(logits_NV: torch.Tensor) -> torch.Tensor:
    """How large a row's logits are, by which its rounding errors are measured."""
    return torch.maximum(-logits_NV.amin(-1), logits_NV.amax(-1))


def gumbel(keys_B: torch.Tensor, position: int, size: int) -> torch.Tensor:
    """Standard Gumbel noise, rows x size, float32; entry (b, v) is a function of (keys_B[b], position, v) alone."""
    if len(keys_B) * size > NOISE and len(keys_B) > 1:
        return torch.cat([gumbel(part_B, position, size) for part_B in keys_B.split(max(1, NOISE // size))])
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
