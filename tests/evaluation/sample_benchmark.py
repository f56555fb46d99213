"""A small benchmark with pictures for the tests of evaluation, and the process that one of them kills.

Run as a program: `sample_benchmark.py MODEL OUT` evaluates slowly, an answer at a time.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fairreason.benchmarks.base import Benchmark
from fairreason.evaluation import evaluate
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load
from fairreason.pictures import data_url
from fairreason.records import Completion, Example, Grade, Measure


def png(color: tuple[int, int, int]) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (56, 56), color).save(buffer, "PNG")
    return data_url(buffer.getvalue())


def examples(split: str = "test", data: Path | None = None) -> list[Example]:
    """30 questions in 10 clusters, every third with a picture; the right answer holds an even letter count."""
    return [
        Example(
            f"sample/{i}",
            "sample",
            "reasoning",
            f"cluster {i % 10}",
            "Who is left-handed? " + "the baker " * (i % 7),
            "even",
            images=(png((i * 8, 99, 5)),) if i % 3 == 0 else (),
            metadata={"category": "ab"[i % 2]},
        )
        for i in range(30)
    ]


def grade(example: Example, completion: Completion) -> Grade:
    if "ZeroDivision" in completion.text:
        raise ZeroDivisionError("division by zero")
    if completion.finish_reason == "length" and "cut" in completion.text:
        return Grade("truncated")
    if not completion.text:
        return Grade("unparsed")
    return Grade("correct" if len(completion.text) % 2 == 0 else "wrong", answer=completion.text, rule="length")


def summarize(examples: list[Example], grades: list[Grade]) -> list[Measure]:
    values = np.array([float(g.outcome == "correct") for g in grades])
    clusters = np.array([e.cluster for e in examples])
    return [
        Measure("accuracy", None, None, values, np.ones(len(values)), np.zeros(len(values), int), clusters, np.ones(1))
    ]


SAMPLE = Benchmark("sample", "reasoning", examples, grade, summarize)


class Slow(HuggingFaceBackend):
    """An answer every tenth of a second, so that a kill finds it at work."""

    def generate(self, prompts, sampling):
        for item in super().generate(prompts, sampling):
            yield item
            time.sleep(0.1)


def run(model: str, out: Path, batch_tokens: int, slow: bool = False) -> None:
    evaluate.SAVE_SECONDS = 0.0
    backend = (Slow if slow else HuggingFaceBackend)(load(model), batch_tokens)
    evaluate.evaluate(backend, [SAMPLE], out=out, samples=2, temperature=1.0, max_new_tokens=8, seed=3)


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), 200, slow=True)
