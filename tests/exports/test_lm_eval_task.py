"""Exported tasks, opened and run by lm-evaluation-harness itself."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.base import prompt_text
from fairreason.errors import DataError
from fairreason.exports import lm_eval_task

RUN = Path(__file__).with_name("run_lm_eval.py")
NAMES = ("lab-bias", "lab-bias-vl", "lab-math", "lab-chart")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("tasks")
    for name in NAMES:
        lm_eval_task.write(benchmarks.get(name), benchmarks.get(name).load("dev", None)[:12], out)
    return out


def test_rows_hold_the_very_prompts(folder):
    for name in NAMES:
        rows = (folder / f"{lm_eval_task.task_name(name)}.jsonl").read_text().splitlines()
        asked = benchmarks.get(name).load("dev", None)[:12]
        assert [json.loads(row)["prompt"] for row in rows] == [prompt_text(example) for example in asked]


def test_the_helper_reads_rows_that_hold_other_line_ends(tmp_path):
    """Unicode's own line and page ends are text inside a JSON string."""
    question = dataclasses.replace(benchmarks.get("lab-math").load("dev", None)[0], prompt="1\u2028\x85\x0c2?")
    lm_eval_task.write(benchmarks.get("lab-math"), [question, question], tmp_path)
    spec = importlib.util.spec_from_file_location("exported_task", tmp_path / "fairreason_task.py")
    helper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(helper)
    assert helper.rows("fairreason_lab_math.jsonl")["test"]["prompt"] == [prompt_text(question)] * 2


@pytest.mark.parametrize(("kind", "value"), [("right", 1.0), ("wrong", 0.0)])
def test_the_harness_runs_them_and_finds_right_what_is_right(folder, kind, value):
    tasks = [lm_eval_task.task_name(name) for name in NAMES]
    found = harness(folder, kind, tasks)
    scores = {task: row.get("acc,none", row.get("exact_match,boxed")) for task, row in found["results"].items()}
    assert scores == dict.fromkeys(tasks, value)
    assert {row["effective"] for row in found["n"].values()} == {12}


@pytest.mark.data
def test_the_harness_runs_the_published_ones(tmp_path):
    """Letters, integers, LaTeX, plain text; programs are asked for and not run there (`bypass`)."""
    names = ("bbq/Religion", "bbq-aligned", "bbq-open", "gsm8k", "aime2024", "math500", "humaneval", "mbpp")
    for name in names:
        lm_eval_task.write(benchmarks.get(name), benchmarks.get(name).load("test", None)[:30], tmp_path)
    found = harness(tmp_path, "right", [lm_eval_task.task_name(name) for name in names])["results"]
    scores = {task: row.get("acc,none", row.get("exact_match,boxed", "not run")) for task, row in found.items()}
    ran = [score for task, score in scores.items() if task not in ("fairreason_humaneval", "fairreason_mbpp")]
    assert "--log_samples" in (tmp_path / "fairreason_mbpp.yaml").read_text()
    assert ran == [1.0] * 6 and scores["fairreason_humaneval"] == scores["fairreason_mbpp"] == "not run"


def harness(folder, kind, tasks):
    """The results of lm-evaluation-harness in a process of its own."""
    done = subprocess.run(
        [sys.executable, RUN, folder, kind, *tasks],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_question_whose_picture_is_gone_is_left_out_and_said(tmp_path):
    benchmark = benchmarks.get("lab-chart")
    gone = str(tmp_path / "gone.png")
    bad, *good = benchmark.load("dev", None)[:4]
    bad = dataclasses.replace(bad, images=(gone,))
    task = lm_eval_task.write(benchmark, [bad, *good], tmp_path / "tasks")
    assert task.questions == 3 and gone in task.left_out[bad.id] and len(task.left_out) == 1
    rows = task.path.with_suffix(".jsonl").read_text().splitlines()
    assert [json.loads(row)["id"] for row in rows] == [example.id for example in good]
    assert f"# Left out, since a picture cannot be opened: {bad.id}\n" in task.path.read_text()
    with pytest.raises(DataError, match="none of its questions can be exported"):
        lm_eval_task.write(benchmark, [bad], tmp_path / "tasks")


@pytest.mark.data
@pytest.mark.parametrize("name", [*benchmarks.BENCHMARKS])
def test_every_benchmark_has_a_task(name, tmp_path):
    benchmark = benchmarks.get(name)
    try:
        examples = benchmark.load("test", None)[:3]
    except DataError as absent:
        pytest.skip(str(absent))
    text = lm_eval_task.write(benchmark, examples, tmp_path).path.read_text()
    assert f"task: {lm_eval_task.task_name(name)}" in text
