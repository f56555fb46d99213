"""An evaluation as a log that Inspect opens (`inspect view --log-dir DIR`): every question, answer, reading and score.

One JSON file a benchmark, in version 2 of Inspect's log format (EvalLog, written and read with inspect_ai 0.3.285). A
sample's score is `C` or `I` with the outcome and the rule that fired; its metrics are our means over categories.
Pictures travel inside as data URLs; of one that cannot be read its sample says why.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairreason import __version__
from fairreason.benchmarks.base import answer_text, folder_name, letters, prompt_text
from fairreason.draws import shown_order
from fairreason.errors import DataError
from fairreason.evaluation.folder import read_result
from fairreason.evaluation.sides import Side, evaluation_folder
from fairreason.files import read_jsonl, write_atomic
from fairreason.pictures import data_url
from fairreason.pictures import read as read_picture
from fairreason.records import Example, Grade

SCORER = "fairreason"
STOPS = {"stop": "stop", "length": "max_tokens", "error": "unknown"}


def write(side: Side, run: Path, out: Path) -> Path:
    """Writes one benchmark's log into `out` and returns its path. `side` is what sides.evaluated gave of `run`."""
    folder = evaluation_folder(run)
    own = folder / folder_name(side.benchmark.name)
    answers = {(row["id"], row["sample"]): row for row in read_jsonl(own / "completions.jsonl")}
    created = datetime.datetime.fromtimestamp((own / "scores.json").stat().st_mtime, datetime.UTC).isoformat(
        timespec="seconds"
    )
    told = f"{side.benchmark.name}\0{sorted(side.settings.items())}\0{run.name}\0".encode()
    identity = hashlib.sha256(told + (own / "completions.jsonl").read_bytes()).hexdigest()
    model = f"fairreason/{run.resolve().name}"
    samples = [
        _sample(example, grade, number, answers[example.id, number], model)
        for example, grade, number in zip(side.examples, side.grades, side.samples, strict=True)
    ]
    log = {
        "version": 2,
        "status": "success",
        "eval": _about(side, model, created, identity),
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": _results(side, folder),
        "stats": {"started_at": created, "completed_at": created, "model_usage": {}},
        "samples": samples,
    }
    task = folder_name(side.benchmark.name).replace("_", "-")
    path = out / f"{created.replace(':', '-')}_{task}_{identity[:22]}.json"
    write_atomic(path, json.dumps(log, ensure_ascii=False, allow_nan=False))
    return path


def _about(side: Side, model: str, created: str, identity: str) -> dict[str, Any]:
    ids = list(dict.fromkeys(example.id for example in side.examples))
    settings = side.settings
    return {
        "eval_id": identity[:22],
        "run_id": identity[22:44],
        "created": created,
        "task": side.benchmark.name,
        "task_id": identity[:22],
        "task_version": 0,
        "task_attribs": {},
        "task_args": {"split": settings.get("split")},
        "dataset": {"name": side.benchmark.name, "samples": len(ids), "sample_ids": ids, "shuffled": False},
        "model": model,
        "model_generate_config": {"max_tokens": settings.get("max_new_tokens"), "seed": settings.get("seed")},
        "model_args": {},
        "config": {"epochs": settings.get("samples", 1)},
        "packages": {"fairreason": __version__},
        "metadata": {key: settings[key] for key in ("thinking", "mode", "temperature") if key in settings},
    }


def _results(side: Side, folder: Path) -> dict[str, Any]:
    metrics = {}
    for score in read_result(folder, side.benchmark.name).scores:
        if score.category is None and score.value is not None:
            name = f"{score.metric}/{score.condition}" if score.condition else score.metric
            more = {key: getattr(score, key) for key in ("stderr", "ci_low", "ci_high", "n", "clusters")}
            metrics[name] = {"name": name, "value": score.value, "params": {}, "metadata": more}
    score_row = {"name": SCORER, "scorer": SCORER, "params": {}, "metrics": metrics}
    total = len(side.examples)
    return {"total_samples": total, "completed_samples": total, "scores": [score_row]}


def _sample(example: Example, grade: Grade, number: int, answer: Mapping[str, Any], model: str) -> dict[str, Any]:
    content: Any = prompt_text(example)
    if example.images:
        content = [*map(_picture, example.images), {"type": "text", "text": content}]
    user = {"role": "user", "content": content, "source": "input"}
    assistant = {"role": "assistant", "content": answer["text"], "source": "generate"}
    used = {"input_tokens": answer["prompt_tokens"], "output_tokens": answer["completion_tokens"]}
    used["total_tokens"] = used["input_tokens"] + used["output_tokens"]
    output = {
        "model": model,
        "choices": [{"message": assistant, "stop_reason": STOPS[answer["finish_reason"]]}],
        "completion": answer["text"],
        "usage": used,
    }
    return {
        "id": example.id,
        "epoch": number + 1,
        "input": [user],
        "choices": [example.options[index] for index in shown_order(example)] or None,
        "target": _target(example),
        "messages": [user, assistant],
        "output": output,
        "scores": {SCORER: _score(example, grade)},
        "metadata": {"category": example.metadata.get("category"), "condition": example.metadata.get("condition")},
        "store": {},
        "events": [],
        "model_usage": {model: used},
        "attachments": {},
    }


def _picture(reference: str) -> dict[str, str]:
    """The picture as it travels; of one that is not there or too large the reason, for its answer is an error already
    and the others' are paid for."""
    try:
        return {"type": "image", "image": data_url(read_picture(reference))}
    except DataError as error:
        return {"type": "text", "text": f"[picture: {error}]"}


def _score(example: Example, grade: Grade) -> dict[str, Any]:
    said = grade.answer
    if grade.choice is not None:
        said = letters(example)[shown_order(example).index(grade.choice)] if example.options else str(grade.choice)
    return {
        "value": "C" if grade.outcome == "correct" else "I",
        "answer": said,
        "explanation": f"{grade.outcome} ({grade.rule})" if grade.rule else grade.outcome,
        "metadata": {"outcome": grade.outcome, "rule": grade.rule, "choice": grade.choice, "cluster": example.cluster},
    }


def _target(example: Example) -> str:
    if example.options and isinstance(example.answer, int):
        return letters(example)[shown_order(example).index(example.answer)]
    return answer_text(example)
