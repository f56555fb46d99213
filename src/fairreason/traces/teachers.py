"""Who can be asked for reasoning: presets as plain data, and any model behind an OpenAI-compatible address.

    deepseek-reasoner   DeepSeek-R1 (arXiv 2501.12948): the reasoning stands in `reasoning_content`; temperature, top_p
                        and seed are not taken; max_tokens counts the reasoning too
    o4-mini             OpenAI: the reasoning stays with them, a summary comes through the Responses API alone;
                        max_output_tokens counts the reasoning too
    self                the model under training, traces/own.py
    source              the source's own traces, traces/published.py

Anything else is a model's name at --base-url: chat completions, the reasoning in `reasoning_content`, in `reasoning` or
in a <think> block of the text. Prices are US dollars for a million tokens, of the date beside them; --price replaces
them. Both presets' own addresses have since switched these names off (`retired`): the same model elsewhere, or a
successor there, is named with --base-url and --model.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fairreason.errors import UsageError, nearest
from fairreason.models.backends.base import Prompt, Sampling
from fairreason.models.backends.openai_key import KEY, own_key
from fairreason.models.backends.openai_messages import BadReplyError, Dialect
from fairreason.records import Completion

SELF, SOURCE = "self", "source"
OVERHEAD = 64
"""Tokens that a template may put around a question."""
MILLION = 1_000_000


class Price(NamedTuple):
    """US dollars for a million tokens read and written, and the day that they are of, "" for today's."""

    input: float
    output: float
    date: str = ""

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """
        >>> Price(0.5, 2.0).of(1_000_000, 500_000)
        1.5
        """
        return (prompt_tokens * self.input + completion_tokens * self.output) / MILLION


@dataclass(frozen=True)
class Teacher:
    """A model that is asked over a server. `model` is the server's name for it, `key` the environment's variable,
    `picture_tokens` the most that one picture counts, `retired` the day on which `base_url` switched `model` off."""

    name: str
    model: str
    base_url: str
    key: str = KEY
    dialect: Dialect = field(default_factory=Dialect)
    price: Price | None = None
    picture_tokens: int = 16_384  # Qwen2.5-VL's largest picture: 12,845,056 pixels, 28 x 28 a token
    retired: str = ""

    def most(self, prompt: Prompt, sampling: Sampling) -> float:
        """What an answer costs at most, 0 without a price: a token is a byte of the text at least."""
        if self.price is None:
            return 0.0
        read = len(prompt.text.encode()) + OVERHEAD + self.picture_tokens * len(prompt.images)
        return self.price.of(read, sampling.max_new_tokens)

    def cost(self, answer: Completion, most: float) -> float | None:
        """What an answer cost, None without a price; `most` where the server did not count both what was read and what
        was written."""
        if self.price is None:
            return None
        counted = answer.prompt_tokens and answer.completion_tokens
        return self.price.of(answer.prompt_tokens, answer.completion_tokens) if counted else most

    def lost(self, reply: BadReplyError) -> float:
        """What a reply without an answer cost by the tokens that it names, 0 without a price."""
        return self.price.of(reply.prompt_tokens, reply.completion_tokens) if self.price else 0.0


PRESETS = {
    "deepseek-reasoner": Teacher(
        name="deepseek-reasoner",
        model="deepseek-reasoner",
        base_url="https://api.deepseek.com/v1",
        key="DEEPSEEK_API_KEY",
        dialect=Dialect(sampled=False, switch=False),
        price=Price(0.55, 2.19, "2025-02-08"),
        retired="2026-07-24",
    ),
    "o4-mini": Teacher(
        name="o4-mini",
        model="o4-mini",
        base_url="https://api.openai.com/v1",
        dialect=Dialect(
            api="responses",
            sampled=False,
            switch=False,
            limit="max_output_tokens",
            more={"reasoning": {"effort": "medium", "summary": "auto"}},
        ),
        price=Price(1.10, 4.40, "2026-03-21"),
        picture_tokens=2_643,  # at most 1,536 patches of 32 x 32, times 1.72
        retired="2026-10-23",
    ),
}


def find(name: str, base_url: str | None = None, model: str | None = None, price: Price | None = None) -> Teacher:
    """The preset of this name, or the model of this name at `base_url`. `model` replaces the server's name for it. A
    preset's price holds for its own address and model alone. Raises UsageError."""
    known = PRESETS.get(name)
    address = base_url or (None if known else os.environ.get("OPENAI_BASE_URL"))
    if known is None:
        if address is None:
            near = nearest(name, [*PRESETS, SELF, SOURCE])
            hint = f"Did you mean {near}? " if near else ""
            raise UsageError(
                f"--teacher: no teacher {name}. {hint}There are {', '.join(PRESETS)}, {SELF} and {SOURCE}; any other "
                "name is a model's at the server that --base-url names"
            )
        return Teacher(name, model or name, address.rstrip("/"), price=price)
    if base_url is None and model is None:
        return replace(known, price=price or known.price)
    address = (base_url or known.base_url).rstrip("/")
    return replace(known, model=model or known.model, base_url=address, price=price, retired="")


def check_key(teacher: Teacher) -> None:
    """Raises UsageError where a preset's own address would be asked without a key."""
    if not own_key(teacher.key).value and teacher.base_url in {one.base_url for one in PRESETS.values()}:
        raise UsageError(f"{teacher.name}: needs a key; set {teacher.key} in the environment (it is written nowhere)")


def check_sampling(teacher: Teacher, temperature: float | None, thinking: str) -> None:
    """Raises UsageError where something is asked for that the teacher does not take."""
    if temperature is not None and not teacher.dialect.sampled:
        raise UsageError(
            f"{teacher.name}: takes no temperature; leave --temperature out (its answers differ by themselves)"
        )
    if thinking == "off" and not teacher.dialect.switch:
        raise UsageError(f"{teacher.name}: its thinking cannot be switched off; leave --thinking out")


def parse_price(text: str) -> Price:
    """`0.55,2.19` as a price. Raises UsageError.

    >>> parse_price("0.55,2.19")
    Price(input=0.55, output=2.19, date='')
    """
    try:
        read, written = (float(part) for part in text.split(","))
    except ValueError:
        read = written = math.nan
    if not (0 <= read < math.inf and 0 <= written < math.inf):
        raise UsageError(f"--price {text}: must be IN,OUT, US dollars for a million tokens each, e.g. 0.55,2.19")
    return Price(read, written)
