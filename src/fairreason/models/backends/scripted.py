"""Answers that are known beforehand: from a function, or from a JSONL file with one `{"id", "response"}` a row.

For tests and for replaying answers made elsewhere. The same id on k rows gives the k samples in file order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fairreason.benchmarks.sources import rows
from fairreason.errors import DataError
from fairreason.models.backends.base import Prompt, Sampling, failed
from fairreason.records import Completion

Answer = str | Completion


class ScriptedBackend:
    """`answer(prompt, sample)` gives the text, or a whole Completion; an exception in it is that prompt's `error`."""

    name = "scripted"

    def __init__(self, answer: Callable[[Prompt, int], Answer], fingerprint: str = "scripted") -> None:
        self._answer = answer
        self.fingerprint = fingerprint

    @classmethod
    def from_file(cls, path: Path) -> ScriptedBackend:
        """The answers in a file. Raises DataError on a row without id or response; a missing id is an `error`."""
        answers: dict[str, list[str]] = {}
        for number, row in rows(path):
            if not isinstance(row.get("id"), str) or not isinstance(row.get("response"), str):
                raise DataError(f"{path}:{number}: needs `id` and `response`, both text")
            answers.setdefault(row["id"], []).append(row["response"])

        def answer(prompt: Prompt, sample: int) -> str:
            texts = answers.get(prompt.id, [])
            if sample >= len(texts):
                raise DataError(f"{path}: no answer {sample} for {prompt.id}")
            return texts[sample]

        return cls(answer, "scripted-" + hashlib.sha256(path.read_bytes()).hexdigest())

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, first: int = 0
    ) -> Iterator[tuple[int, list[Completion]]]:
        for index, prompt in enumerate(prompts):
            yield index, [self._one(prompt, sample) for sample in range(first, first + sampling.samples)]

    def _one(self, prompt: Prompt, sample: int) -> Completion:
        try:
            answer = self._answer(prompt, sample)
        except Exception as error:
            return failed(str(error), 1)[0]
        return answer if isinstance(answer, Completion) else Completion(answer)
