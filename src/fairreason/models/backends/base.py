"""What a backend is: prompts in, completions out, in any order, each under the index of its prompt.

Law of every backend: a completion depends on the prompt, the sampling settings and the weights, never on what else is
asked, in which order or how much at once. A prompt that cannot be answered (its picture is broken) gets completions
with finish reason `error` and the reason as text; it stops nobody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from fairreason.records import Completion

Mode = Literal["generate", "letters"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to a model: an id (it seeds the sampling), the text, pictures as paths or data URLs, and in mode
    `letters` the letters of the options that the text shows."""

    id: str
    text: str
    images: tuple[str, ...] = ()
    letters: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to answer. Temperature 0 is greedy; `samples` answers a prompt; `thinking` goes to the chat template. Mode
    `generate` lets the model write, `letters` asks which option's letter it would write first (letters.py)."""

    max_new_tokens: int = 64
    temperature: float = 0.0
    samples: int = 1
    seed: int = 0
    thinking: Literal["on", "off"] = "on"
    mode: Mode = "generate"


class Backend(Protocol):
    """`fingerprint` names everything on the model's side that decides an answer; equal fingerprints, equal answers. One
    that knows more than mode `generate` lists its `modes`; one that cannot cover the weights (a server's) says so by an
    attribute `weights_are_known` that is False."""

    name: str

    @property
    def fingerprint(self) -> str: ...

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, first: int = 0
    ) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index of the prompt, its `sampling.samples` completions, of which `first` is the first one's number),
        every prompt exactly once."""
        ...


def sampling_key(seed: int, prompt_id: str, sample: int) -> int:
    """The 63-bit key that one answer's noise grows from: of (seed, example, sample) alone (law 3)."""
    digest = hashlib.sha256(f"{seed}\0{prompt_id}\0{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def failed(reason: str, samples: int) -> list[Completion]:
    """The completions of a prompt that could not be asked."""
    return [Completion(reason, "error")] * samples
