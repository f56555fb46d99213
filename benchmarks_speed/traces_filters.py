"""How fast traces are filtered: `python benchmarks_speed/traces_filters.py [traces]`, with FAIRREASON_DATA set.

Questions are BBQ's and GSM8K's training rows, four to one. Reasoning of 150 to 400 words is written by a Markov chain
over pairs of words of real reasoning (the data folder's `traces`) and of GSM8K's solutions, with the question quoted
in it as models do; one answer in twenty is wrong, one in twenty a near-copy. Filtered, deduplicated and compared with
every test split at hand, in one thread. Target for 10,000: 60 s and 2 GB.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import defaultdict

from fairreason.benchmarks import get
from fairreason.benchmarks.base import answer_text
from fairreason.benchmarks.sources import find_all, rows
from fairreason.records import Completion, Example
from fairreason.traces.answers import Answer, Candidate
from fairreason.traces.filters import sift
from fairreason.traces.labelled import FILES
from fairreason.traces.withheld import read_withheld

Chain = dict[tuple[str, str], list[str]]


def main(traces: int) -> None:
    rng = random.Random(0)
    bbq, gsm8k = get("bbq").load("train", None), get("gsm8k").load("train", None)
    said = ["\n\n".join(row["cot"]) for file in find_all("traces", FILES, None) for _, row in rows(file.path)]
    chains = {"bbq": chain(said), "gsm8k": chain([row.solution or "" for row in gsm8k])}
    asked = {"bbq": rng.sample(bbq, traces * 4 // 5), "gsm8k": [gsm8k[i % len(gsm8k)] for i in range(traces // 5)]}
    made = {name: answers(examples, chains[name], rng) for name, examples in asked.items()}
    words = sorted(len(one.answer.completion.text.split()) for found in made.values() for one in found)
    print(
        f"{sum(map(len, made.values())):,} traces of {words[0]} to {words[-1]} words, "
        f"{words[len(words) // 2]} in the middle"
    )
    print(f"  {'made, questions loaded':32} peak memory {peak():.2f} GB")
    wall, cpu = time.perf_counter(), time.process_time()
    tests = read_withheld()
    show("test splits read and indexed", wall, cpu)
    print(
        f"  {sum(tests.sizes.values()):,} test questions of {', '.join(tests.sizes)}; absent: {', '.join(tests.absent)}"
    )
    for name, found in made.items():
        start, used = time.perf_counter(), time.process_time()
        sifted = sift(found, get(name), keep="all", tests=tests)
        show(f"{name}: {len(found):,} sifted", start, used)
        print(
            "  " + ", ".join(f"{reason} {n}" for reason, n in sifted.counts.items() if n), f"kept {len(sifted.kept):,}"
        )
    show("everything", wall, cpu)
    print(f"  peak memory {peak():.2f} GB")


def chain(texts: list[str]) -> Chain:
    """What follows each pair of words in real text."""
    following: Chain = defaultdict(list)
    for text in texts:
        words = text.split()
        for one, two, three in zip(words, words[1:], words[2:], strict=False):
            following[one, two].append(three)
    return following


def answers(examples: list[Example], following: Chain, rng: random.Random) -> list[Candidate]:
    starts = list(following)
    made: list[Candidate] = []
    samples: dict[str, int] = defaultdict(int)
    for example in examples:
        if made and rng.random() < 0.05:
            example, text = made[-1].example, nearly(made[-1].answer.completion.text, rng)
        else:
            text = written(example, following, starts, rng)
            if rng.random() < 0.05:
                text = text.replace("\\boxed{", "\\boxed{Z")
        made.append(Candidate(example, Answer(example.id, samples[example.id], Completion(text))))
        samples[example.id] += 1
    return made


def written(example: Example, following: Chain, starts: list[tuple[str, str]], rng: random.Random) -> str:
    wanted = rng.randrange(150, 400)
    said = ["Okay,", "the", "question", "is:", *example.prompt.split()]
    pair = rng.choice(starts)
    while len(said) < wanted:
        said.append(pair[0])
        pair = (pair[1], rng.choice(following[pair])) if pair in following else rng.choice(starts)
    return f"<think>\n{' '.join(said)}\n</think>\n\n{answer_text(example)}"


def nearly(text: str, rng: random.Random) -> str:
    """The same answer with two words of its reasoning changed."""
    said = text.split(" ")
    for _ in range(2):
        said[rng.randrange(1, len(said) - 2)] = "indeed"
    return " ".join(said)


def show(name: str, wall: float, cpu: float) -> None:
    print(f"  {name:32} {time.perf_counter() - wall:6.1f} s wall {time.process_time() - cpu:6.1f} s CPU")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
