"""Logs opened by Inspect itself: by its reader, and by the server that `inspect view` starts."""

import dataclasses
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from programs import inspect_path

import fairreason as fr
from fairreason.evaluation.folder import read_grades, read_result
from fairreason.evaluation.sides import read
from fairreason.exports import inspect_log

NAMES = ["lab-bias", "lab-chart"]


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The evaluation's folder and the logs of it, by benchmark: text and pictures, two answers a question."""
    out = tmp_path_factory.mktemp("evaluation")
    fr.evaluate("lab", NAMES, out=out, limit=8, samples=2, temperature=1.0, max_new_tokens=24)
    folder = tmp_path_factory.mktemp("logs")
    return out, {name: inspect_log.write(side, out, folder) for name, side in read(out, [], None).items()}


@pytest.mark.inspect
@pytest.mark.parametrize("name", NAMES)
def test_inspect_reads_every_answer_and_score(logs, name):
    out, paths = logs
    done = subprocess.run([inspect_path(), "log", "dump", paths[name]], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    log = json.loads(done.stdout)
    assert log["status"] == "success" and len(log["samples"]) == 16
    assert {sample["epoch"] for sample in log["samples"]} == {1, 2}
    outcomes = [sample["scores"]["fairreason"]["metadata"]["outcome"] for sample in log["samples"]]
    assert outcomes == [row["outcome"] for row in read_grades(out, name)]
    means = {s.metric: s.value for s in read_result(out, name).scores if s.category is None and s.condition is None}
    metrics = log["results"]["scores"][0]["metrics"]
    assert metrics["accuracy"]["value"] == means["accuracy"]
    assert metrics["accuracy"]["metadata"]["clusters"] > 1
    content = log["samples"][0]["input"][0]["content"]
    assert isinstance(content, str) == (name == "lab-bias")
    if name == "lab-chart":
        assert content[0]["image"].startswith("data:image/png;base64,")


def test_other_answers_in_a_folder_of_the_same_name_are_another_log(logs, tmp_path):
    out, paths = logs
    other = tmp_path / out.name
    shutil.copytree(out, other)
    again = inspect_log.write(read(other, NAMES[:1], None)[NAMES[0]], other, tmp_path)
    file = other / NAMES[0] / "completions.jsonl"
    file.write_text(file.read_text().replace('"text": "', '"text": "!', 1))
    changed = inspect_log.write(read(other, NAMES[:1], None)[NAMES[0]], other, tmp_path)
    assert again.name == paths[NAMES[0]].name != changed.name


@pytest.mark.inspect
def test_a_picture_that_is_gone_costs_its_own_sample(logs, tmp_path):
    out, _ = logs
    side = read(out, [], None)["lab-chart"]
    bad = dataclasses.replace(side.examples[0], images=(str(tmp_path / "gone.png"),))
    path = inspect_log.write(dataclasses.replace(side, examples=[bad, *side.examples[1:]]), out, tmp_path)
    done = subprocess.run([inspect_path(), "log", "dump", path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    first, *others = (sample["input"][0]["content"][0] for sample in json.loads(done.stdout)["samples"])
    assert first["type"] == "text" and "gone.png" in first["text"]
    assert len(others) == 15 and {part["type"] for part in others} == {"image"}


@pytest.mark.inspect
def test_inspect_view_lists_and_serves_them(logs):
    _, paths = logs
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = next(iter(paths.values())).parent
    command = [inspect_path(), "view", "start", "--log-dir", folder, "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listed = json.loads(_get(f"http://127.0.0.1:{port}/api/logs"))
        assert {file["task"] for file in listed["files"]} == set(NAMES)
        place = urllib.parse.quote(listed["files"][0]["name"], safe="")
        assert len(json.loads(_get(f"http://127.0.0.1:{port}/api/logs/{place}"))["samples"]) == 16
        assert re.search(rb"<title>.*</title>", _get(f"http://127.0.0.1:{port}/"))
    finally:
        server.terminate()
        server.wait(10)


def _get(url):
    """What the server answers, once it is up."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.read()
        except ConnectionError:
            pass
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
        time.sleep(0.25)
    raise AssertionError(f"nothing answers at {url}")
