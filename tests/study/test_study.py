"""A real study on a tiny model with random weights: folders, skipping, failures, kills. The answers are nonsense, but
every byte of weights, metrics, completions and scores must come out the same however often the study is killed."""

import fcntl
import io
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from functools import partial
from pathlib import Path

import pytest

from fairreason.errors import RunError, UsageError
from fairreason.locks import locked
from fairreason.models.folder import Source
from fairreason.recipe import Recipe
from fairreason.study import study as studies
from fairreason.study.identity import Identity
from fairreason.study.progress import Progress, duration, rewrite
from fairreason.study.run import prepare, read_recipe, reason_of

SECRET = "sk-do-not-write-me-down-5f0c"
SECRETS = dict.fromkeys(("HF_TOKEN", "OPENAI_API_KEY", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY"), SECRET)
ENVIRONMENT = {**os.environ, **SECRETS, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def recipe(model, grid, **strategy):
    return {
        "model": str(model),
        "mixture": {"size": 32, "bias_share": 0.5, "bias": {"lab-bias": 1}, "reasoning": {"lab-math": 1}},
        "strategy": {
            "type": "sft",
            "batch": 8,
            "save_every": 1,
            "grpo": {"completions": 2, "max_new_tokens": 8},
            **strategy,
        },
        "evaluation": {"benchmarks": ["lab-bias", "lab-math"], "limit": 24, "max_new_tokens": 8},
        "study": {"grid": grid},
    }


def start(content, out, workers=1):
    file = out.with_suffix(".yaml")
    file.write_text(json.dumps(content))  # JSON is YAML
    command = [sys.executable, "-m", "fairreason.cli", "study", str(file), "--out", str(out), "--workers", str(workers)]
    wake = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a background job starts deaf to Ctrl-C
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=wake
    )


def finish(content, out, workers=1):
    process = start(content, out, workers)
    return process.communicate()[1], process.returncode


def results(out):
    """All that must be the same: bytes of every run's result, the tables without the seconds."""
    found = {}
    for path in sorted((out / "runs").rglob("*")):
        if path.is_file() and path.name not in {"state.json", "training.json", "log.txt", ".lock"}:
            found[str(path.relative_to(out))] = path.read_bytes()
    text = (out / "frontier.json").read_text()
    found["frontier.json"] = "\n".join(line for line in text.splitlines() if '"seconds"' not in line)
    found["results.csv"] = (out / "results.csv").read_bytes()
    return found


def same(one, two):
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def holding(secret, folder):
    """The files of a result folder in which the secret stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if secret.encode() in path.read_bytes()]


def until(condition, process, seconds=300):
    """Waits for the condition while the process runs; False when it ended first."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if condition():
            return True
        time.sleep(0.002)
    return False


@pytest.fixture(scope="module")
def content(tiny_vl):
    return recipe(tiny_vl, {"mixture": {"bias_share": [0, 1]}})


@pytest.fixture(scope="module")
def unbroken(content, tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "unbroken"
    errors, code = finish(content, out)
    assert code == 0, errors
    return out


def test_a_study_leaves_the_files_that_others_rely_on(unbroken):
    info = json.loads((unbroken / "study.json").read_text())
    assert [run["strategy"] for run in info["runs"]] == ["none", "sft", "sft"]  # the base first
    assert {run["status"] for run in info["runs"]} == {"finished"}
    for run in info["runs"]:
        folder = unbroken / run["folder"]
        assert (folder / "recipe.json").exists() and not (folder / "trainer").exists()
        assert (folder / "checkpoint/model.safetensors").exists() == (run["strategy"] != "none")
        assert (folder / "evaluation/lab-bias/scores.json").exists()
    rows = (unbroken / "results.csv").read_text().splitlines()
    assert rows[0].startswith("run,model,strategy,bias_share,seed,thinking,split,marks,benchmark,metric,")
    assert rows[0].endswith(",clusters,steps,prompt_tokens,trained_tokens,sampled_tokens")
    assert {row.split(",")[0] for row in rows[1:]} == {run["name"] for run in info["runs"]}
    frontier = json.loads((unbroken / "frontier.json").read_text())
    assert [point["bias_share"] for point in frontier["points"]] == [0.0, 1.0]
    assert frontier["points"][0]["cost"]["steps"] == 4


def test_no_file_of_a_study_holds_a_secret(content, unbroken, tmp_path):
    """Law 8: what stood in its environment (`start` sets it) is in no weights, logs, recipes or report; nor in what a
    killed run leaves, where the trainer's own arguments lie."""
    assert holding(SECRET, unbroken) == []
    process = start(content, tmp_path / "s")
    assert until(lambda: reached(tmp_path / "s", "between two steps"), process)
    process.kill()
    process.communicate()
    assert list(tmp_path.glob("s/runs/sft-*/trainer/checkpoint-*"))
    assert holding(SECRET, tmp_path / "s") == []


def test_a_finished_study_is_not_run_again(content, unbroken):
    before = {path: path.stat().st_mtime_ns for path in (unbroken / "runs").rglob("*") if path.is_file()}
    outcome = studies.study(Recipe.parse(content), unbroken)
    assert {run["status"] for run in outcome["runs"]} == {"finished"}
    assert before == {path: path.stat().st_mtime_ns for path in (unbroken / "runs").rglob("*") if path.is_file()}


def test_a_second_process_says_that_the_folder_is_taken(content, unbroken):
    with (
        locked(unbroken),
        pytest.raises(RunError, match=rf"another process works in this folder \(process {os.getpid()}\)"),
    ):
        studies.study(Recipe.parse(content), unbroken)


def test_a_folder_with_other_things_is_left_alone(content, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds other files \(thesis.txt"):
        studies.study(Recipe.parse(content), tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        studies.study(Recipe.parse(content), tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


MOMENTS = {
    "base, evaluation": "runs/none-*/evaluation/lab-bias/completions.partial.jsonl",
    "training begins": "runs/sft-b0-*/state.json:running",
    "a checkpoint half written": "runs/sft-b0-*/trainer/checkpoint-2",
    "between two steps": "runs/sft-b0-*/trainer/checkpoint-3/fairreason.json",
    "training ends": "runs/sft-b0-*/training.json",
    "evaluation": "runs/sft-b0-*/evaluation/lab-bias/completions.partial.jsonl",
    "between two benchmarks": "runs/sft-b0-*/evaluation/lab-bias/scores.json",
    "between two runs": "runs/sft-b1-*/state.json:running",
}


def reached(out, moment):
    pattern, _, status = MOMENTS[moment].partition(":")
    return any(not status or f'"{status}"' in path.read_text() for path in out.glob(pattern))


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_the_same_command_ends_in_the_same_numbers(moment, content, unbroken, tmp_path):
    process = start(content, tmp_path / "s")
    assert until(lambda: reached(tmp_path / "s", moment), process)
    process.kill()
    process.communicate()
    errors, code = finish(content, tmp_path / "s")
    assert code == 0, errors
    same(results(tmp_path / "s"), results(unbroken))


def test_killed_again_and_again(content, unbroken, tmp_path):
    for moment in MOMENTS:
        process = start(content, tmp_path / "s")
        assert until(lambda moment=moment: reached(tmp_path / "s", moment), process), moment
        process.kill()
        process.communicate()
    errors, code = finish(content, tmp_path / "s")
    assert code == 0, errors
    same(results(tmp_path / "s"), results(unbroken))


def test_two_workers_give_the_same_bytes(content, unbroken, tmp_path):
    errors, code = finish(content, tmp_path / "s", workers=2)
    assert code == 0, errors
    same(results(tmp_path / "s"), results(unbroken))


def test_the_number_of_workers_changes_no_answer_about_pictures(tiny_vl, tmp_path):
    content = recipe(tiny_vl, {"mixture": {"bias_share": [0, 1]}})
    content["mixture"] |= {"size": 16, "bias": {"lab-bias-vl": 1}, "reasoning": {"lab-chart": 1}}
    content["evaluation"] |= {"benchmarks": ["lab-bias-vl", "lab-chart"], "limit": 12}
    for workers in (1, 2):
        errors, code = finish(content, tmp_path / str(workers), workers)
        assert code == 0, errors
    one, two = results(tmp_path / "1"), results(tmp_path / "2")
    same(one, two)
    answers = [name for name in one if name.endswith("lab-chart/completions.jsonl")]
    assert len(answers) == 3 and len({one[name] for name in answers}) == 3  # three models, three sets of answers


def test_a_run_that_fails_is_marked_and_the_study_goes_on(tiny_vl, tmp_path):
    grid = {"strategy": {"sft": {"learning_rate": [1e30, 1e-3]}}}
    _, code = finish(recipe(tiny_vl, grid), tmp_path / "s")
    assert code == 1
    runs = json.loads((tmp_path / "s/study.json").read_text())["runs"]
    assert [run["status"] for run in runs] == ["finished", "failed", "finished"]
    assert "at step" in runs[1]["reason"] and "learning rate 1e+30" in runs[1]["reason"]
    frontier = json.loads((tmp_path / "s/frontier.json").read_text())
    assert frontier["failed"] == [{"run": runs[1]["name"], "reason": runs[1]["reason"]}]
    assert len(frontier["points"]) == 1
    page = (tmp_path / "s/report/index.html").read_text()
    assert "sft · learning_rate=1e+30" in page and "failed: <bdi>the loss is" in page
    assert "Traceback" in (tmp_path / "s" / runs[1]["folder"] / "log.txt").read_text()
    assert holding(SECRET, tmp_path / "s") == []


def test_a_killed_run_is_marked_and_the_same_command_retries_it(content, unbroken, tmp_path):
    out = tmp_path / "s"
    process = start(content, out)
    assert until(lambda: reached(out, "between two steps"), process)
    run = next(out.glob("runs/sft-b0-*"))
    os.kill(int((run / ".lock").read_text()), signal.SIGKILL)
    process.communicate()
    assert process.returncode == 1
    state = json.loads((run / "state.json").read_text())
    assert state["status"] == "failed" and state["reason"].startswith("its process was killed (SIGKILL")
    errors, code = finish(content, out)
    assert code == 0, errors
    same(results(out), results(unbroken))


def test_the_run_dies_with_its_study(content, tmp_path):
    process = start(content, tmp_path / "s")
    assert until(lambda: reached(tmp_path / "s", "training begins"), process)
    child = int((next(tmp_path.glob("s/runs/sft-b0-*")) / ".lock").read_text())
    process.kill()
    process.communicate()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the run goes on without its study")


def test_ctrl_c_ends_the_study_and_the_same_command_goes_on(content, unbroken, tmp_path):
    process = start(content, tmp_path / "s")
    assert until(lambda: reached(tmp_path / "s", "between two steps"), process)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].rstrip().splitlines()[-1].startswith("Interrupted.") and process.returncode == 130
    states = [json.loads(path.read_text())["status"] for path in tmp_path.glob("s/runs/sft-b0-*/state.json")]
    assert states == ["running"]
    errors, code = finish(content, tmp_path / "s")
    assert code == 0, errors
    same(results(tmp_path / "s"), results(unbroken))


@pytest.mark.slow
def test_a_grpo_run_resumes_to_the_same_numbers(tiny_vl, tmp_path):
    content = recipe(tiny_vl, {"seed": [0]}, type="grpo")
    assert finish(content, tmp_path / "whole")[1] == 0
    process = start(content, tmp_path / "s")
    assert until(lambda: any(tmp_path.glob("s/runs/grpo-*/trainer/checkpoint-2/fairreason.json")), process)
    process.kill()
    process.communicate()
    assert finish(content, tmp_path / "s")[1] == 0
    same(results(tmp_path / "s"), results(tmp_path / "whole"))


def test_a_base_that_cannot_be_loaded_stops_the_study_in_one_sentence(content, tiny_vl, tmp_path):
    broken = tmp_path / "model"
    shutil.copytree(tiny_vl, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(Exception, match="no weights"):
        studies.study(Recipe.parse({**content, "model": str(broken)}), tmp_path / "s")


def test_reasons_in_one_line():
    assert reason_of(MemoryError()) == "out of memory"
    text = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"
    assert reason_of(RuntimeError(text)).startswith("out of memory: [enforce fail]")
    assert reason_of(RunError("the loss is nan at step 3")) == "the loss is nan at step 3"
    try:
        _ = {}["x"]
    except KeyError as error:
        assert reason_of(error).startswith("KeyError: 'x' at test_study.py:")


def test_a_line_is_cut_to_the_terminal_that_it_is_written_to():
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    with open(follower, "w") as terminal:
        rewrite("x" * 200, terminal)
        assert os.read(leader, 1000) == b"\r\x1b[K" + b"x" * 49
    os.close(leader)


def test_durations():
    assert [duration(x) for x in (42.4, 90, 3599, 3700)] == ["42 s", "2 min", "1 h 00 min", "1 h 02 min"]


def test_the_progress_line_says_what_and_how_long(capsys):
    progress = Progress(["a", "b", "c"], ["sft lab"] * 3, workers=1)
    progress.begin("a")
    progress.end("a", None)
    progress.seconds["sft lab"] = [120.0]
    progress.begin("b")
    progress.report("b", "training", 5, 10)
    assert progress.left() == pytest.approx(240, abs=1)
    progress.shown = -1e9
    progress.show()
    progress.end("b", "out of memory")
    shown = capsys.readouterr().err
    assert "1 of 3 runs, 4 min left: b training 5/10" in shown and "b: failed: out of memory" in shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_progress_line_never_wraps(monkeypatch):
    """Two workers say more than fits; a line as wide as the terminal already makes some of them wrap."""
    monkeypatch.setenv("COLUMNS", "80")
    names, terminal = ["sft-b0.05-s0", "grpo-b0.05-s0"], Terminal()
    progress = Progress(names, ["sft lab", "grpo lab"], workers=2, stream=terminal)
    for name in names:
        progress.begin(name)
        progress.report(name, "training", 1234, 10000)
    progress.seconds["sft lab"], progress.shown = [4000.0], -1e9
    progress.show()
    lines = terminal.getvalue().split("\r\x1b[K")
    assert max(map(len, lines)) == 79 and lines[-1].startswith("0 of 2 runs, ") and "sft-b0.05-s0 training" in lines[-1]
    progress.close()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_train_alone_ends_in_a_run_folder_that_is_not_run_again(content, tmp_path):
    """The same files as the study's run; another recipe and a folder of other things are left alone."""
    file, out = tmp_path / "recipe.yaml", tmp_path / "run"
    file.write_text(json.dumps({key: value for key, value in content.items() if key != "study"}))
    command = [sys.executable, "-m", "fairreason.cli", "train", str(file), "--out", str(out)]
    first = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    assert json.loads((out / "state.json").read_text())["status"] == "finished"
    assert subprocess.run(command, env=ENVIRONMENT, capture_output=True).returncode == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}
    other = subprocess.run([*command, "--set", "seed=7"], env=ENVIRONMENT, capture_output=True, text=True)
    assert other.returncode == 1 and "holds the run of another recipe" in other.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/metrics.jsonl").write_text("years of work\n")
    taken = subprocess.run([*command[:-1], str(tmp_path / "mine")], env=ENVIRONMENT, capture_output=True, text=True)
    assert taken.returncode == 2 and "holds other files (metrics.jsonl" in taken.stderr
    assert (tmp_path / "mine/metrics.jsonl").read_text() == "years of work\n"


def test_a_retry_runs_with_what_was_changed_to_cure_the_failure(content, tmp_path):
    """batch_tokens changes no result, so the fingerprint and the folder stay; the recipe in it must not."""
    one = Recipe.parse({key: value for key, value in content.items() if key != "study"})
    prepare(tmp_path, one)
    prepare(tmp_path, one.with_changes({"evaluation": {"batch_tokens": 500}}))
    assert read_recipe(tmp_path).evaluation.batch_tokens == 500


def test_a_hub_name_is_settled_at_the_commit_that_was_resolved(tmp_path):
    """The student's and the teacher's, so that a run asks for no other; a folder has none."""
    identity = Identity(None)
    identity._models = {
        ("org/a", None): Source("org/a", tmp_path, "c0ffee"),
        ("org/t", "main"): Source("t", tmp_path, "beef"),
    }
    asked = {
        "model": "org/a",
        "strategy": {"type": "kd", "kd": {"mode": "on_policy", "teacher": "org/t", "teacher_revision": "main"}},
    }
    settled = identity.settled(Recipe.parse(asked))
    assert (settled.revision, settled.strategy.kd.teacher_revision) == ("c0ffee", "beef")
    assert Identity(None).settled(Recipe.parse({})) == Recipe.parse({})


def test_what_is_trained_starts_from_the_base(content, tmp_path):
    """R is measured against the base: a second model in the grid would be measured against another's."""
    with pytest.raises(UsageError, match=r"lab-teacher is trained in a study whose base is .*; make it two studies"):
        grid = {"model": [content["model"], "lab-teacher"]}
        studies.plan(Recipe.parse({**content, "study": {"grid": grid}}), tmp_path, None)


def test_numbers_of_different_settings_are_not_put_into_one_study(content, tmp_path):
    with pytest.raises(UsageError, match=r"thinking is on and off in one study"):
        studies.plan(Recipe.parse({**content, "study": {"grid": {"thinking": ["on", "off"]}}}), tmp_path, None)
    with pytest.raises(UsageError, match=r"evaluation.limit is 24 and 48 in one study"):
        studies.plan(Recipe.parse({**content, "study": {"grid": {"evaluation": {"limit": [24, 48]}}}}), tmp_path, None)
    with pytest.raises(UsageError, match=r"mixture.split is cluster and rows in one study"):
        grid = {"mixture": {"split": ["cluster", "rows"]}}
        studies.plan(Recipe.parse({**content, "study": {"grid": grid}}), tmp_path, None)
