"""A whole evaluation against a server: what was paid for is never lost and never asked twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback import Loopback, Reply, refuses, says

import fairreason as fr
from fairreason.errors import ModelError, UsageError
from fairreason.models.backends import retries

KEY = "sk-never-to-be-seen-0123456789"
ITEMS = 60


pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()


@pytest.fixture
def bench(tmp_path):
    """A multiple-choice test of our own: the first option is right."""
    rows = [
        {
            "id": f"own/{i}",
            "prompt": f"Which is number {i}?",
            "options": [str(i), "none"],
            "answer": 0,
            "cluster": str(i),
        }
        for i in range(ITEMS)
    ]
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"items:{path}"


def evaluate(bench, url, **options):
    options = {"split": "test", **options}
    return fr.evaluate("tiny", [bench], backend="openai", base_url=url, **options)[bench]


def right(body, before=0):
    text = body["messages"][0]["content"]
    number = text.partition("number ")[2].partition("?")[0]
    letter = next(line[0] for line in text.splitlines() if line.endswith(f". {number}"))
    return says(rf"\boxed{{{letter}}}")


def holding(secret, folder):
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_all_faults_at_once_change_no_score(bench, tmp_path):
    faults = [refuses(429, retry_after="0.01"), refuses(500), None, Reply(b"<html>"), Reply(b'{"choices": [{"mess')]

    def answer(body, before):
        number = int(body["messages"][0]["content"].partition("number ")[2].partition("?")[0])
        return right(body) if before or number % 7 > 4 else faults[number % 7]

    with Loopback(right).running() as url:
        calm = evaluate(bench, url, out=tmp_path / "calm", concurrency=1)
    assert calm.counts["correct"] == sum(calm.counts.values()) > 9
    with Loopback(answer).running() as url:
        assert evaluate(bench, url, out=tmp_path / "stormy", concurrency=16) == calm
    assert not holding(KEY, tmp_path)


def test_an_endless_or_odd_answer_is_one_counted_outcome(bench, tmp_path):
    odd = [says("the baker " * 5_000_000), says("\0" * 99), says(""), Reply(b"\xff\xfe<html>")]

    def answer(body, before):
        number = len(server.asked) - 1
        return odd[number] if number < len(odd) else right(body)

    server = Loopback(answer)
    with server.running() as url:
        counts = evaluate(bench, url, out=tmp_path / "out", concurrency=1).counts
    count = len(server.asked) - 1  # the HTML was asked again
    assert counts == {"correct": count - 3, "wrong": 0, "unparsed": 3, "truncated": 0, "error": 0}


def test_a_refused_key_stops_in_one_sentence_and_what_was_paid_for_stays(bench, tmp_path):
    def answer(body, before):
        return right(body) if len(server.asked) <= 5 else refuses(401)

    server = Loopback(answer)
    with server.running() as url:
        with pytest.raises(ModelError, match="refuses the key") as error:
            evaluate(bench, url, concurrency=1)
        sentence, _, kept = str(error.value).partition(". What was answered is kept: go on with --out ")
        assert sentence.startswith(url) and Path(kept).is_dir() and KEY not in str(error.value)
        paid = [body["messages"] for body in server.asked[:5]]
        server.answer = right
        result = evaluate(bench, url, out=kept, concurrency=1)
    later = [body["messages"] for body in server.asked[6:]]
    assert result.counts["correct"] == len(paid) + len(later) and not [m for m in later if m in paid]


def test_without_answers_nothing_is_left_behind(bench, tmp_path):
    with Loopback(lambda body, before: refuses(401)).running() as url, pytest.raises(ModelError) as error:
        evaluate(bench, url)
    assert "kept" not in str(error.value) and not list((tmp_path / "tmp").iterdir())


def run(*arguments, out=subprocess.PIPE):
    code = "from fairreason.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=out, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_scores_that_cannot_be_printed_cost_no_answer(bench, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # what is in the buffer cannot be written at the end either
    with Loopback(right).running() as url, open("/dev/full", "w") as full:
        process = run("eval", "tiny", "--bench", bench, "--backend", "openai", "--base-url", url, out=full)
        _, err = process.communicate(timeout=100)
    assert process.returncode == 1
    sentence, _, kept = err.splitlines()[-1].partition(". What was answered is kept: go on with --out ")
    assert sentence == "Error: the scores cannot be printed (No space left on device)" and Path(kept).is_dir()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_in_the_middle_loses_and_doubles_no_answer(bench, tmp_path, end):
    def slowly(body, before):
        reply = right(body)
        reply.delay = 0.1
        return reply

    server = Loopback(slowly)
    arguments = ["eval", "tiny", "--bench", bench, "--backend", "openai", "--concurrency", 2, "--out", tmp_path / "out"]
    with server.running() as url:
        process = run(*arguments, "--base-url", url)
        partial = next_partial(tmp_path / "out", process, 6)
        process.send_signal(end)
        out, err = process.communicate(timeout=60)
        assert process.returncode == (-signal.SIGKILL if end == signal.SIGKILL else 130) and out == ""
        if end == signal.SIGINT:
            assert err.splitlines()[-1] == "Interrupted. The same command goes on where it stopped."
        time.sleep(0.3)
        begun = len(server.asked)
        kept = {json.loads(line)["id"] for line in partial.read_bytes().splitlines(True)[1:] if line.endswith(b"\n")}
        assert begun - 2 <= len(kept)  # at most the two that were under way, which an interrupt waits for
        assert begun == len(kept) or end == signal.SIGKILL
        done = run(*arguments, "--base-url", url, "--json")
        out, err = done.communicate(timeout=60)
    assert done.returncode == 0, err
    counts = json.loads(out)["counts"]
    assert counts["correct"] == sum(counts.values()) == len(kept) + len(server.asked) - begun
    assert not holding(KEY, tmp_path) and KEY not in out + err


def next_partial(folder, process, lines):
    end = time.monotonic() + 100
    while True:
        for path in folder.rglob("completions.partial.jsonl"):
            if path.read_bytes().count(b"\n") > lines:
                return path
        assert process.poll() is None and time.monotonic() < end, process.stderr.read()
        time.sleep(0.01)


def test_a_cache_needs_a_name_for_the_servers_weights(bench, tmp_path):
    server = Loopback(right)
    with server.running() as url:
        with pytest.raises(UsageError, match="add --revision NAME"):
            evaluate(bench, url, cache=tmp_path / "cache")
        assert server.asked == []
        first = evaluate(bench, url, cache=tmp_path / "cache", revision="of May")
        count = len(server.asked)
        assert evaluate(bench, url, cache=tmp_path / "cache", revision="of May") == first
        assert len(server.asked) == count > 9
        evaluate(bench, url, cache=tmp_path / "cache", revision="of June")
        assert len(server.asked) == 2 * count
    assert not holding(KEY, tmp_path)


def test_options_of_another_backend_are_refused(bench):
    with pytest.raises(UsageError, match=r"base-url is for --backend openai, not huggingface"):
        fr.evaluate("lab", [bench], base_url="http://127.0.0.1:9/v1")


def test_the_command_line_says_in_one_line_that_nobody_is_there(bench):
    process = run("eval", "tiny", "--bench", bench, "--backend", "openai", "--base-url", "http://127.0.0.1:9/v1")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1 and out == "" and err.count("\n") == 1
    assert err.startswith("Error: http://127.0.0.1:9/v1: no connection")
