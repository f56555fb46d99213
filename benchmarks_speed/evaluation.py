"""How fast a model is asked: ours against lm-evaluation-harness and against a loop over one row at a time.

    python benchmarks_speed/evaluation.py --data DIR [--case letters] [--case generate] [--model FOLDER]

One model folder (speed_model.py, built where --model has none), the same prompts token by token, the same threads, and
the same question: `letters` is which option's letter comes first on 1,000 rows of BBQ (the harness: the log-likelihood
of each letter), `generate` the whole greedy answer to 500 problems of GSM8K (the harness: generate_until). The harness
runs its hf back end at the batch size that was fastest on a part of the rows. The loop is what scripts do: `generate`
on a row, then the next; on both cases it lets the model write its answer, and on `letters` takes the letter that the
answer starts with. It runs on every n-th row and its seconds are scaled to all.

Clocked is what turns prompts into predictions, tokenization included, loading not. Order A B B A, `--times` over;
medians. Void (exit 1) where ours agrees with the other on fewer than 99.9 % of the predictions.
"""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from speed_model import build, rendered
from transformers import AutoModelForCausalLM, AutoTokenizer

from fairreason import benchmarks
from fairreason.benchmarks.base import everything, letters, prompt_text
from fairreason.evaluation.subset import subset
from fairreason.models import encode
from fairreason.models.backends import Prompt, Sampling
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load
from fairreason.records import Example

NEW_TOKENS = 256
AGREE = 0.999
BATCHES = {"letters": (8, 16, 32, 64), "generate": (32, 64, 128, 256)}  # that the harness may choose from
STEPS = 200  # three to five minutes on two threads

Predict = Callable[[], list[str]]


class Seconds(NamedTuple):
    """Of the wall, and of all the process's threads."""

    wall: float
    cpu: float


def ours(folder: Path, prompts: Sequence[Prompt], case: str, threads: int) -> Predict:
    backend = HuggingFaceBackend(load(str(folder), threads=threads))
    sampling = (
        Sampling(1, thinking="off", mode="letters") if case == "letters" else Sampling(NEW_TOKENS, thinking="off")
    )

    def predict() -> list[str]:
        found = dict(backend.generate(prompts, sampling))
        texts = [found[index][0].text for index in range(len(prompts))]
        return [text.removeprefix("\\boxed{").removesuffix("}") for text in texts] if case == "letters" else texts

    return predict


def harness(folder: Path, prompts: Sequence[Prompt], case: str, batch: int) -> Predict:
    model = HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=batch)
    if case == "generate":
        how = {"until": ["<|im_end|>"], "max_gen_toks": NEW_TOKENS, "do_sample": False}
        asked = [Instance("generate_until", {}, (rendered(p.text), how), i) for i, p in enumerate(prompts)]
        return lambda: model.generate_until(asked, disable_tqdm=True)
    pairs = [(rendered(prompt.text), letter) for prompt in prompts for letter in prompt.letters]
    asked = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)]

    def predict() -> list[str]:
        scores = iter(model.loglikelihood(asked, disable_tqdm=True))
        rows = [[next(scores)[0] for _ in prompt.letters] for prompt in prompts]
        return [prompt.letters[row.index(max(row))] for prompt, row in zip(prompts, rows, strict=True)]

    return predict


def loop(folder: Path, prompts: Sequence[Prompt], case: str) -> Predict:
    model, words = AutoModelForCausalLM.from_pretrained(folder, dtype="float32"), AutoTokenizer.from_pretrained(folder)

    def predict() -> list[str]:
        texts = []
        for prompt in prompts:
            turns = [{"role": "user", "content": prompt.text}]
            inputs = words.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
            ids = model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)[0]
            texts.append(words.decode(ids[inputs["input_ids"].shape[1] :], skip_special_tokens=True))
        return [text[:1] for text in texts] if case == "letters" else texts

    return predict


def check_tokens(folder: Path, prompts: Sequence[Prompt], case: str) -> None:
    """Stops unless the harness asks in our tokens."""
    loaded = load(str(folder), threads=torch.get_num_threads())
    model = HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer)
    for prompt in prompts:
        own, text = encode.encode_prompt(loaded, prompt.text, [], "off").input_ids, rendered(prompt.text)
        for letter in prompt.letters if case == "letters" else ("",):
            context, rest = model._encode_pair(text, letter) if letter else (model.tok_encode(text), [])
            if context + rest[:-1] != own:
                sys.exit(f"{prompt.id}: the prompts differ")


def clocked(predict: Predict) -> tuple[Seconds, list[str]]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = predict()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu), found


def fastest_batch(folder: Path, prompts: Sequence[Prompt], case: str) -> int:
    """The harness's best batch size, on every second row."""
    found = {size: clocked(harness(folder, prompts[::2], case, size))[0].wall for size in BATCHES[case]}
    print(f"{case}: lm-eval's seconds by batch size { ({size: round(s, 1) for size, s in found.items()}) }", flush=True)
    return min(found, key=lambda size: found[size])


def compare(folder: Path, prompts: Sequence[Prompt], case: str, options: argparse.Namespace) -> bool:
    every = max(1, len(prompts) // options.loop_rows)
    some = prompts[::every]
    check_tokens(folder, prompts, case)
    batch = options.batch or fastest_batch(folder, prompts, case)
    a, b = ours(folder, prompts, case, options.threads), harness(folder, prompts, case, batch)
    c = loop(folder, some, case)
    seconds: dict[str, list[Seconds]] = {"ours": [], "lm-eval": [], "loop": []}
    worst = 1.0
    for turn in range(options.times):
        for name, predict in (("ours", a), ("lm-eval", b), ("lm-eval", b), ("ours", a), ("loop", c)):
            spent, found = clocked(predict)
            if name == "ours":
                own = found
            scale = len(prompts) / len(some) if name == "loop" else 1.0
            seconds[name].append(Seconds(spent.wall * scale, spent.cpu * scale))
            mine = own[::every] if name == "loop" else own
            agree = sum(x.strip() == y.strip() for x, y in zip(mine, found, strict=True))
            worst = min(worst, agree / len(found))
        print(f"  turn {turn + 1}, load {os.getloadavg()[0]:.1f}: {shown(seconds)}", flush=True)
    print(f"{case}, {len(prompts)} rows: {shown(seconds)}; lm-eval's batch {batch}, the loop on {len(some)} rows")
    for clock in Seconds._fields:
        middle = {name: statistics.median(getattr(s, clock) for s in all_) for name, all_ in seconds.items()}
        ratios = ", ".join(f"{middle[name] / middle['ours']:.1f} x {name}" for name in ("lm-eval", "loop"))
        print(f"{case}, {clock} clock: {ratios}")
    print(f"{case}: at least {worst:.2%} of the predictions agree{'' if worst >= AGREE else ': VOID'}", flush=True)
    return worst >= AGREE


def shown(seconds: dict[str, list[Seconds]]) -> str:
    return ", ".join(f"{name} {statistics.median(s.wall for s in all_):.1f} s" for name, all_ in seconds.items())


def questions(name: str, data: Path, count: int) -> list[Example]:
    """So many of all a benchmark's questions, evenly over its clusters."""
    return subset(everything(benchmarks.get(name), data), count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("out/speed-model"))
    parser.add_argument("--case", choices=["letters", "generate"], action="append")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, help="lm-eval's batch size; the fastest is looked for without")
    parser.add_argument("--letters-rows", type=int, default=1_000)
    parser.add_argument("--generate-rows", type=int, default=500)
    parser.add_argument("--loop-rows", type=int, default=25)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"$ python {shlex.join(sys.argv)}", flush=True)
    logging.disable(logging.WARNING)  # the harness explains itself at length
    asked = {
        "letters": questions("bbq", options.data, options.letters_rows),
        "generate": questions("gsm8k", options.data, options.generate_rows),
    }
    if not (options.model / "config.json").exists():
        build(options.model, [row for rows in asked.values() for row in rows], STEPS)
    passed = [
        compare(
            options.model,
            [Prompt(row.id, prompt_text(row), letters=letters(row)) for row in asked[case]],
            case,
            options,
        )
        for case in options.case or asked
    ]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
