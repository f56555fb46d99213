"""The command line as a stranger meets it: help at once, data on stdout, one sentence and an exit code for errors."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from fairreason.cli import console, docs, main
from fairreason.errors import DataError, RunError, UsageError

ROOT = Path(__file__).parents[1]
COMMANDS = [
    "",
    "demo",
    "study",
    "train",
    "eval",
    "mix",
    "bench",
    "report",
    "score",
    "compare",
    "check",
    "lab",
    "lab build",
    "traces",
    "traces collect",
]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str | Path, **environment: str) -> Done:
    """The program in this process, without the user's data folder."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.delenv("FAIRREASON_DATA", raising=False)
        for key, value in environment.items():
            patch.setenv(key, value)
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
    return Done(int(left.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


def refused(done: Done, code: int, *words: str) -> None:
    """One line on stderr that says these words, nothing on stdout, this exit code."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), done.stderr
    assert all(word in lines[0] for word in words), lines[0]
    assert done.returncode == code and done.stdout == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_loads_nothing_heavy_for_it(command: str) -> None:
    ask = [*command.split(), "--help"]
    code = f"from fairreason.cli import main\ntry: main({ask})\nexcept SystemExit as e: code = e.code"
    heavy = "{'torch', 'transformers', 'datasets', 'plotly'}"
    code += f"\nimport sys; print(set(sys.modules) & {heavy}, code)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("Usage: fairreason") and done.stdout.endswith("set() 0\n") and not done.stderr


def test_docs_are_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == docs.document(), "run `make format`"


def test_without_a_command_the_help_stands_on_stderr() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("Usage: fairreason")


def test_version() -> None:
    assert run("--version").stdout == "fairreason 0.2.0\n"


def test_wrong_use() -> None:
    refused(run("stduy"), 2, "No such command 'stduy'", "Did you mean 'study'")
    refused(run("study"), 2, "Missing argument 'RECIPE'", "See `fairreason study --help`")
    refused(run("study", "x.yaml", "--wrokers", "2"), 2, "No such option", "--workers")
    refused(run("study", "x.yaml", "--workers", "0"), 2, "--workers")
    refused(run("study", "x.yaml", "--workers", "two"), 2, "--workers", "a valid integer")
    refused(run("eval", "lab", "--backend", "vlm"), 2, "--backend", "huggingface", "scripted")


def test_recipes_that_cannot_be(recipe: Callable[[str], Path], tmp_path: Path) -> None:
    refused(run("study", tmp_path / "none.yaml"), 2, "none.yaml: no recipe to read")
    refused(run("study", tmp_path), 2, "no recipe to read", "Is a directory")
    refused(
        run("train", recipe("mixture: {siez: 3}")), 2, "mine.yaml: unknown key mixture.siez. Did you mean mixture.size?"
    )
    refused(run("mix", recipe("mixture: {bias_share: 1.2}")), 2, "mixture.bias_share must be between 0 and 1, got 1.2")
    refused(run("train", recipe("strategy: {type: dpo}")), 2, "strategy.type must be sft, kd, grpo or none, got dpo")
    refused(run("train", recipe("seed: 1"), "--set", "sed=2"), 2, "--set: unknown key sed. Did you mean seed?")
    refused(run("study", recipe("seed: 1")), 2, "has no study", "fairreason train")
    refused(run("train", recipe("study: {grid: {seed: [0]}}")), 2, "has a study", "study=null")
    refused(run("mix", recipe("strategy: {type: none}")), 2, "strategy none trains on nothing")


def test_names_that_do_not_exist(recipe: Callable[[str], Path], tmp_path: Path) -> None:
    refused(run("train", recipe("mixture: {bias: {lab-bais: 1}}")), 2, "lab-bais", "lab-bias")
    refused(run("train", recipe("evaluation: {benchmarks: [lab-mat]}")), 2, "lab-mat", "lab-math")
    refused(run("eval", "lab", "--bench", "lab-mat"), 2, "lab-mat", "lab-math")
    refused(run("eval", "lab", "--bench", ","), 2, "--bench", "at least one")
    refused(run("bench", "lab-mat"), 2, "lab-mat", "lab-math")
    refused(run("eval", "lab", "--data", tmp_path / "none"), 2, "no such data folder")
    refused(run("train", recipe("mixture: {bias: {lab-math: 1}}")), 2, "lab-math", "mixture.reasoning")


def test_a_benchmark_that_is_not_at_hand_can_be_planned(recipe: Callable[[str], Path], tmp_path: Path) -> None:
    path = recipe("evaluation: {benchmarks: [mathverse]}\nstrategy: {type: none}")
    refused(run("train", path, "--data", tmp_path, "--out", tmp_path / "run"), 1, "mathverse", "testmini.json")
    planned = run("train", path, "--data", tmp_path, "--dry-run")
    assert planned.returncode == 0 and "mathverse as published, all splits; not at hand" in planned.stdout


def test_a_plan_says_what_it_cannot_know(recipe: Callable[[str], Path], tmp_path: Path) -> None:
    """Rows without a teacher's trace cannot be trained on by kd, but planned: their trained tokens are unknown."""
    items = "".join(
        json.dumps({"id": str(i), "prompt": f"{i}?", "answer": "1", "cluster": str(i)}) + "\n" for i in range(200)
    )
    (tmp_path / "own.jsonl").write_text(items)
    path = recipe(
        f"strategy: {{type: kd}}\nmixture: {{size: 40, bias_share: 0, reasoning: {{'items:{tmp_path}/own.jsonl': 1}}}}"
    )
    planned = run("train", path, "--dry-run")
    assert (
        planned.returncode == 0
        and "trained tokens unknown: " in planned.stdout
        and "no teacher's trace" in planned.stdout
    )


def test_too_few_examples(recipe: Callable[[str], Path], tmp_path: Path) -> None:
    mixture = "mixture: {size: 9000, bias: {lab-bias: 1}, reasoning: {lab-math: 1}}"
    path = recipe(f"{mixture}\nevaluation: {{benchmarks: [lab-math]}}\nstrategy: {{type: sft}}")
    refused(run("train", path, "--out", tmp_path / "run"), 1, "lab-", "repeat: true")
    refused(run("mix", path), 1, "repeat: true")
    refused(run("train", path, "--dry-run"), 1, "repeat: true")


def test_files_that_are_broken(recipe: Callable[[str], Path], tmp_path: Path) -> None:
    items = tmp_path / "own.jsonl"
    items.write_text('{"id": "1", "prompt": "1+1?", "answer": "2"}\n{"id": \n')
    refused(run("eval", "lab", "--bench", f"items:{items}"), 1, f"{items}:2", "not JSON")
    refused(run("eval", "lab", "--bench", f"items:{tmp_path}/none.jsonl"), 1, "none.jsonl")
    items.write_text('{"id": "1", "prompt": "What?", "answer": "2", "images": ["gone.png"]}\n')
    refused(run("eval", "lab", "--bench", f"items:{items}"), 1, "gone.png")


def test_models_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    ask = ("--bench", "lab-math", "--limit", "1")
    refused(run("eval", tmp_path / "empty", *ask), 1, "empty: not a model folder")
    refused(run("eval", tmp_path / "file", *ask), 1, "a file, not a model folder")
    refused(run("eval", tmp_path / "gone", *ask), 1, "gone: no such folder")
    refused(run("eval", "no/hub", *ask, HF_HUB_OFFLINE="1"), 1, "no/hub: no such folder")
    (tmp_path / "empty" / "config.json").write_text("{")
    refused(run("eval", tmp_path / "empty", *ask), 1, "config.json: cannot be read as JSON")


def test_reports_of_nothing(tmp_path: Path) -> None:
    refused(run("report", tmp_path), 1, str(tmp_path))
    refused(run("report", tmp_path / "gone"), 1, "gone")
    (tmp_path / "study.json").write_text("{")
    refused(run("report", tmp_path), 1, "study.json")


def test_eval_of_scripted_answers(tmp_path: Path) -> None:
    items = tmp_path / "own.jsonl"
    rows = [{"id": str(i), "prompt": f"{i}+1?", "answer": str(i + 1)} for i in range(4)]
    items.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = tmp_path / "answers.jsonl"
    said = ["\\boxed{1}", "\\boxed{9}", "no idea", "\\boxed{4}"]
    answers.write_text("".join(json.dumps({"id": str(i), "response": text}) + "\n" for i, text in enumerate(said)))
    bench = ("--bench", f"items:{items}", "--backend", "scripted")
    done = run("eval", answers, *bench, "--json", "--grades", tmp_path / "grades.jsonl")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["counts"] == {"correct": 2, "wrong": 1, "unparsed": 1, "truncated": 0, "error": 0}
    accuracy = next(row for row in printed["scores"] if row["metric"] == "accuracy")
    assert (accuracy["value"], accuracy["n"]) == (0.5, 4)
    grades = [json.loads(line) for line in (tmp_path / "grades.jsonl").read_text().splitlines()]
    assert [row["outcome"] for row in grades] == ["correct", "wrong", "unparsed", "correct"]
    assert "accuracy" in run("eval", answers, *bench).stdout
    generic = ("--bench", "short-answer", "--items", items, "--backend", "scripted")
    again = json.loads(run("eval", answers, *generic, "--json").stdout)
    assert again["counts"] == printed["counts"]
    refused(run("eval", answers, "--bench", "short-answer"), 2, "--items FILE")


def test_bench_lists_validates_and_exports(tmp_path: Path) -> None:
    listed = json.loads(run("bench", "--json").stdout)
    assert {"lab-bias", "lab-math", "bbq"} <= {row["benchmark"] for row in listed}
    done = run("bench", "lab-math", "--validate", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)[0]["status"] == "passed"
    out = tmp_path / "q.jsonl"
    assert run("bench", "lab-math", "--export", out).returncode == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) >= 1000 and set(rows[0]) == {"id", "prompt", "options", "images"}
    refused(run("bench", "--export", out), 2, "--export", "name the benchmark")


def test_mix_counts_exactly(recipe: Callable[[str], Path]) -> None:
    path = recipe("mixture: {size: 200, bias_share: .2}\nstrategy: {type: sft}")
    printed = json.loads(run("mix", path, "--json", "--examples", "1").stdout)
    axes = {row["axis"]: row["examples"] for row in printed["counts"] if not row["source"]}
    assert abs(axes["bias"] - 40) < 4 and sum(axes.values()) == 200


def test_a_progress_line_never_wraps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = console.Progress("items:a/path/that/is/long.jsonl")
    progress(0, 5000)
    progress.shown = -1e9
    progress(1000, 5000)
    progress.close()
    assert capsys.readouterr().err == "\r\x1b[Kitems:a/path/that/is/long.jsonl: 1,000 \n"  # 39 columns


def test_interrupted_in_one_line(tmp_path: Path) -> None:
    ask = [sys.executable, "-m", "fairreason.cli", "demo", "--out", str(tmp_path / "demo")]
    child = subprocess.Popen(
        ask, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job starts deaf
    )  # fmt: skip
    assert child.stderr is not None
    first = child.stderr.readline()  # the progress line: by now the work has begun
    assert " runs" in first, first
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 130 and out == ""
    assert err.strip().splitlines()[-1] == "Interrupted. The same command goes on where it stopped."
    assert "Traceback" not in err


@pytest.mark.bwrap
def test_nothing_is_written_over_when_the_disk_is_full(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = (
        f"echo old > {small}/q.jsonl; {sys.executable} -m fairreason.cli bench lab-math --export {small}/q.jsonl; "
        f"echo rc=$?; cat {small}/q.jsonl"
    )
    command = ["bwrap", "--dev-bind", "/", "/", "--size", "40960", "--tmpfs", str(small), "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == f"Error: {small}/q.jsonl: cannot be written (No space left on device)\n"
    assert done.stdout == "rc=1\nold\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    command = f"{sys.executable} -m fairreason.cli bench lab-math > /dev/full"
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, env=buffered)
    assert done.returncode == 1 and done.stderr.strip().splitlines() == [
        "Error: the disk is full; nothing was written over"
    ]


@pytest.mark.parametrize("arguments, code", [("bench lab-math", 0), ("nonsense", 2)])
def test_a_closed_stdout_is_no_mistake_of_ours(arguments: str, code: int) -> None:
    command = f"{sys.executable} -m fairreason.cli {arguments} >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert done.returncode == code and len(done.stderr.splitlines()) == bool(code)


@pytest.mark.parametrize(
    "error, code, line",
    [
        (UsageError("r.yaml: no"), 2, "Error: r.yaml: no"),
        (DataError("a\nb"), 1, "Error: a b"),
        (RunError("x"), 1, "Error: x"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (OSError(errno.ENOSPC, "No space left on device", "w.bin"), 1, "Error: w.bin: the disk is full"),
        (
            RuntimeError("Error: No space left on device (os error 28)"),
            1,
            "Error: the disk is full; nothing was written over",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "w.bin"), 1, "Error: w.bin: Permission denied"),
    ],
)
def test_errors_on_purpose(error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise error

    assert console.guarded(work) == code
    assert capsys.readouterr().err == line + "\n"


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        console.guarded(lambda: 1 // 0)


def test_a_table_cuts_nothing_off(capsys: pytest.CaptureFixture[str]) -> None:
    console.table([{"a": "x" * 300, "n": 1234}, {"a": "y", "n": None}])
    assert capsys.readouterr().out == f"a{' ' * 299}      n\n{'x' * 300}  1,234\ny{' ' * 299}      -\n"
