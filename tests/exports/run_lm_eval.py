"""Runs lm-evaluation-harness on exported tasks with a model that knows every answer, or none. Prints its results.

run_lm_eval.py DIR right|wrong TASK...
"""

import json
import sys
from pathlib import Path

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager


class Knowing(LM):
    """Its likeliest letter, and what it writes, is the right one (or the one after it)."""

    MULTIMODAL = True

    def __init__(self, rows, kind):
        super().__init__()
        self.by_prompt, self.kind = {row["prompt"]: row for row in rows}, kind

    def loglikelihood(self, requests):
        answers = []
        for request in requests:
            prompt, letter = request.args
            row = self.by_prompt[prompt]
            target = (row["target"] + (self.kind == "wrong")) % len(row["choices"])
            answers.append((0.0 if letter.strip() == row["choices"][target] else -1.0, False))
        return answers

    def generate_until(self, requests):
        said = []
        for request in requests:
            row = self.by_prompt[request.args[0]]
            assert len(request.args) == 2 or len(request.args[2]["visual"]) == len(row["images"]) > 0
            said.append(f"Well, \\boxed{{no}} or rather \\boxed{{{row['target'] if self.kind == 'right' else '?'}}}")
        return said

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError


def main(folder, kind, *tasks):
    rows = [json.loads(line) for task in tasks for line in (Path(folder) / f"{task}.jsonl").read_text().splitlines()]
    done = simple_evaluate(
        Knowing(rows, kind), tasks=list(tasks), task_manager=TaskManager(include_path=folder), bootstrap_iters=0
    )
    print(json.dumps({"results": done["results"], "n": done["n-samples"]}, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
