"""`fairreason traces` as a user meets it: real processes against a real server, killed and started again."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import Loopback, Reply, refuses, says
from teaching import KEY, holding, items, number, rows

from fairreason.cli import main
from fairreason.errors import DataError, ModelError, UsageError
from fairreason.models.backends import retries
from fairreason.traces.gather import UNCHECKABLE, Request, _kept, gather, source
from fairreason.traces.journal import Journal, journal_path
from fairreason.traces.teachers import PRESETS, Price, find

pytestmark = pytest.mark.usefixtures("own_time_limit")
COUNT = 300  # of which the train split has about 180


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("OPENAI_BASE_URL", "DEEPSEEK_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def begin(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "fairreason.cli", "traces", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def run(*arguments):
    process = begin(*arguments)
    out, err = process.communicate(timeout=100)
    assert KEY not in out + err
    return process.returncode, out, err


def refused(code, *arguments):
    """The one line that a wrong use or a failure gives, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(["traces", *map(str, arguments)])
    lines = err.getvalue().strip().splitlines()
    assert (left.value.code, out.getvalue(), len(lines)) == (code, "", 1), (left.value.code, lines)
    assert lines[0].startswith("Error: ") and KEY not in lines[0]
    return lines[0]


def right(body, before=0):
    asked = number(body)
    letter = next(line[0] for line in body["messages"][0]["content"].splitlines() if line.endswith(f". {asked}"))
    return says(rf"\boxed{{{letter}}}", reasoning_content=f"With seed {body['seed']} it is {asked}.")


def slowly(body, before=0):
    return Reply(right(body).content, delay=0.03)


def test_the_command_asks_counts_and_goes_on(tmp_path):
    bench, out = items(tmp_path, COUNT), tmp_path / "out" / "own.jsonl"
    server = Loopback(right)
    with server.running() as url:
        ask = (bench, "--teacher", "tiny", "--base-url", url, "--out", out, "--samples", 2, "--json", "--price", "1,2")
        code, printed, err = run(*ask, "--limit", 20)
        counts = json.loads(printed)
        assert code == 0 and (counts["wanted"], counts["answered"], counts["failed"], counts["left"]) == (40, 40, 0, 0)
        assert (counts["prompt_tokens"], counts["completion_tokens"]) == (280, 120)
        assert counts["cost"] == pytest.approx(40 * (7 + 2 * 3) / 1e6) and "spent" in err
        code, printed, _ = run("collect", *ask, "--limit", 30)  # the command by its whole name
        counts = json.loads(printed)
        assert code == 0 and (counts["before"], counts["answered"]) == (40, 20) and len(server.asked) == 60
    first = json.loads((tmp_path / "out" / "own.answers.jsonl").read_text().splitlines()[0])
    assert first["benchmark"] == bench and first["teacher"] == "tiny" and first["address"] == url
    assert (first["temperature"], first["split"], first["max_new_tokens"]) == (1.0, "train", 8192)
    assert not holding(KEY, tmp_path)


def test_killed_at_five_moments_and_started_again_nothing_is_lost_doubled_or_asked_twice(tmp_path):
    bench = items(tmp_path, COUNT)
    calm, torn = tmp_path / "calm.answers.jsonl", tmp_path / "torn.answers.jsonl"
    server = Loopback(slowly)

    def durable():
        lines = torn.read_bytes().splitlines(True)[1:] if torn.exists() else []
        return {json.loads(line)["id"] for line in lines if line.endswith(b"\n")}

    with server.running() as url:
        ask = (bench, "--teacher", "tiny", "--base-url", url, "--concurrency", 8)
        assert run(*ask, "--out", tmp_path / "calm.jsonl")[0] == 0
        wanted = len(rows(calm))
        assert wanted > 150
        for moment in (0, 20, 50, 90, 130):
            begun, before = len(server.asked), durable()
            process = begin(*ask, "--out", tmp_path / "torn.jsonl")
            wait(process, lambda limit=moment, at=begun: len(durable()) >= limit if limit else len(server.asked) > at)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            again = {f"own/{number(body)}" for body in server.asked[begun:]}
            assert not again & before
            time.sleep(0.1)
        begun, before = len(server.asked), durable()
        assert 130 <= len(before) < wanted
        assert run(*ask, "--out", tmp_path / "torn.jsonl")[0] == 0
        assert len(server.asked) - begun == wanted - len(before)
    by_id = lambda path: sorted(rows(path), key=lambda row: row["id"])  # noqa: E731
    assert by_id(torn) == by_id(calm)
    assert (tmp_path / "torn.jsonl").read_bytes() == (tmp_path / "calm.jsonl").read_bytes()
    assert len((tmp_path / "calm.jsonl").read_bytes().splitlines()) > 100
    assert not holding(KEY, tmp_path)


def wait(process, ready):
    end = time.monotonic() + 60
    while not ready():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.005)


def test_an_interrupt_says_that_the_same_command_goes_on(tmp_path):
    out = tmp_path / "own.jsonl"
    server = Loopback(slowly)
    with server.running() as url:
        process = begin(
            items(tmp_path, COUNT), "--teacher", "tiny", "--base-url", url, "--out", out, "--concurrency", 2
        )
        wait(process, lambda: (path := tmp_path / "own.answers.jsonl").exists() and len(rows_so_far(path)) > 5)
        process.send_signal(signal.SIGINT)
        out_, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out_ == ""
    assert err.splitlines()[-1] == "Interrupted. The same command goes on where it stopped."
    assert len(rows(tmp_path / "own.answers.jsonl")) == len(server.asked) > 5  # what was under way too
    assert "Waiting for the answers under way; Ctrl-C again gives them up." in err


def rows_so_far(path):
    return [line for line in path.read_bytes().splitlines(True)[1:] if line.endswith(b"\n")]


def test_a_ceiling_stops_with_a_sentence_and_exit_0(tmp_path):
    with Loopback(right).running() as url:
        ask = (
            items(tmp_path, COUNT),
            "--teacher",
            "tiny",
            "--base-url",
            url,
            "--out",
            tmp_path / "own.jsonl",
            "--json",
        )
        code, printed, err = run(*ask, "--max-new-tokens", 16, "--price", "0,62500", "--max-cost", "5")
        assert code == 0 and json.loads(printed)["answered"] == 22 and json.loads(printed)["left"] > 100
        assert (
            "stopped: --max-cost 5 leaves no room for another answer; the same command with a higher one goes on" in err
        )


def test_a_ceiling_counts_what_was_asked_for_without_a_price(tmp_path):
    """Three tokens written an answer; of every fourth one nobody counts, so it costs its worst case."""

    def answer(body, before=0):
        reply = json.loads(right(body).content)
        return Reply(json.dumps(reply | ({"usage": None} if len(server.asked) % 4 == 0 else {})).encode())

    server = Loopback(answer)
    with server.running() as url:
        ask = Request(items(tmp_path, COUNT), "tiny", tmp_path / "own.jsonl", url, max_new_tokens=16, concurrency=1)
        assert gather(replace(ask, limit=8)).asked.answered == 8
        price = Price(0, 1_000_000 / 16)
        spent = 6 * 3 / 16 + 2 * 16 / 16
        assert gather(replace(ask, price=price, max_cost=spent + 0.9)).asked.answered == 0
        more = gather(replace(ask, price=price, max_cost=spent + 1.5))
    assert more.asked.answered == 3 and more.asked.cost == 3 * 3 / 16 and len(server.asked) == 11


def test_a_ceiling_below_one_answer_stops_and_says_so(tmp_path):
    at = ("--teacher", "tiny", "--price", "0,62500", "--max-new-tokens", 16, "--out", tmp_path / "own.jsonl")
    server = Loopback(lambda body, before: Reply(b'{"choices": [], "usage": {"completion_tokens": 8}}'))
    with server.running() as url:
        ask = (items(tmp_path, COUNT), *at, "--base-url", url)
        code, _, err = run(*ask, "--max-cost", 0.9)
        assert code == 0 and server.asked == []
        assert "stopped: --max-cost 0.9 leaves no room for another answer" in err
        code, _, err = run(*ask, "--max-cost", 1.2)
        assert code == 0 and len(server.asked) == 1
        assert "a reply without a choice" in err and "stopped: --max-cost 1.2 leaves no room" in err


def test_what_cannot_be_asked_is_one_sentence_before_anything_is_paid(tmp_path, monkeypatch):
    bench, out = items(tmp_path, 40), tmp_path / "own.jsonl"
    server = Loopback(right)
    with server.running() as url:
        at = ("--base-url", url, "--out", out)
        assert "DEEPSEEK_API_KEY" in refused(2, bench, "--teacher", "deepseek-reasoner", "--out", out)
        assert "Did you mean o4-mini" in refused(2, bench, "--teacher", "o4-minni", "--out", out)
        assert "--price IN,OUT" in refused(2, bench, "--teacher", "tiny", *at, "--max-cost", 1)
        assert "takes no temperature" in refused(2, bench, "--teacher", "o4-mini", *at, "--temperature", 1)
        for option in (("--backend", "vllm"), ("--threads", 4)):
            sentence = refused(2, bench, "--teacher", "tiny", *at, *option)
            assert f"{option[0]}: is for the teacher self" in sentence
        elsewhere = ("--teacher", "tiny", "--base-url", url, "--out")
        ending = "must be a file's name that ends in .jsonl"
        assert ending in refused(2, bench, *elsewhere, tmp_path / "own.md")
        assert "answers.jsonl are for what stands" in refused(2, bench, *elsewhere, tmp_path / "own.answers.jsonl")
        traced = f"traces:{tmp_path / 't.jsonl'}"
        assert "name the benchmark that they are of" in refused(2, traced, "--teacher", "tiny", *at)
        assert "greedy" in refused(2, bench, "--teacher", "tiny", *at, "--temperature", 0, "--samples", 2)
        assert "evaluation alone" in refused(2, "bbq-open", "--teacher", "tiny", *at)
        assert "evaluation alone" in refused(2, "math500", "--teacher", "tiny", *at)
        assert "must be an address" in refused(2, bench, "--teacher", "tiny", "--base-url", "me:secret@x", "--out", out)
        assert "Did you mean lab-math" in refused(2, "lab-mat", "--teacher", "tiny", *at)
    assert server.asked == [] and not (tmp_path / "own.answers.jsonl").exists()


@pytest.mark.parametrize(
    "reply, sentence",
    [
        (refuses(401, KEY), "refuses the key in OPENAI_API_KEY (401)"),
        (refuses(404, "The model `tiny` does not exist"), "nothing there answers as tiny (404"),
        (refuses(400, "Model Not Exist"), "refuses the request (400: Model Not Exist)"),
    ],
)
def test_a_wrong_key_or_model_is_one_sentence(tmp_path, reply, sentence):
    with Loopback(lambda body, before: reply).running() as url:
        ask = (items(tmp_path, 60), "--teacher", "tiny", "--base-url", url, "--out", tmp_path / "own.jsonl")
        assert sentence in refused(1, *ask)


def test_nothing_is_written_over_that_is_not_ours(tmp_path):
    bench, out = items(tmp_path, 40), tmp_path / "own.jsonl"
    server = Loopback(right)
    with server.running() as url:
        ask = ("--teacher", "tiny", "--base-url", url, "--limit", 4)
        for name in ("own.jsonl", "own.dropped.jsonl", "own.md"):
            (tmp_path / name).write_text("precious")
            sentence = refused(2, bench, *ask, "--out", out)
            assert f"{name} is there already, without the answers (own.answers.jsonl)" in sentence
            assert (tmp_path / name).read_text() == "precious" and server.asked == []
            (tmp_path / name).unlink()
        assert run(bench, *ask, "--out", out)[0] == run(bench, *ask, "--out", out)[0] == 0  # what is ours, it may
        questions = tmp_path / "items.jsonl"
        before = questions.read_bytes()
        shutil.copy(tmp_path / "own.answers.jsonl", tmp_path / "items.answers.jsonl")
        assert "the questions themselves" in refused(2, bench, *ask, "--out", tmp_path / "." / "items.jsonl")
        shutil.copy(questions, tmp_path / "own.dropped.jsonl")
        other = f"items:{tmp_path / 'own.dropped.jsonl'}"
        assert "the questions themselves" in refused(2, other, *ask, "--out", out)
    assert questions.read_bytes() == before


def test_a_teacher_that_goes_away_leaves_its_answers_and_an_error(tmp_path):
    """Two times: the second finds answers and gets none."""
    server = Loopback(lambda body, before: right(body) if len(server.asked) <= 7 else refuses(402, "empty"))
    with server.running() as url:
        ask = Request(items(tmp_path, 60), "tiny", tmp_path / "own.jsonl", url, concurrency=1)
        for answered, before in ((7, 0), (0, 7)):
            found = gather(ask)
            assert "The 7 answers in" in str(found.error) and "the same command goes on" in str(found.error)
            assert "nothing left to pay with" in str(found.error) and len(found.answers) == 7
            assert (found.asked.answered, found.asked.before) == (answered, before) and found.asked.wanted > 20
        with pytest.raises(ModelError, match="nothing left to pay with"):
            gather(replace(ask, out=tmp_path / "other.jsonl"))


def test_answers_that_are_all_there_need_no_key(tmp_path, monkeypatch):
    bench, out, server = items(tmp_path, 60), tmp_path / "own.jsonl", Loopback(thought)
    with server.running() as url:
        monkeypatch.setitem(PRESETS, "deepseek-reasoner", replace(PRESETS["deepseek-reasoner"], base_url=url))
        monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
        ask = Request(bench, "deepseek-reasoner", out, limit=5)
        whole = gather(ask)
        monkeypatch.delenv("DEEPSEEK_API_KEY")
        assert gather(ask).answers == whole.answers and len(server.asked) == 5
        for more in (replace(ask, limit=6), replace(ask, out=tmp_path / "other.jsonl")):
            with pytest.raises(UsageError, match="needs a key; set DEEPSEEK_API_KEY"):
                gather(more)
        assert len(server.asked) == 5


def thought(body, before=0):
    return says("B", reasoning_content="So.")


def test_a_preset_whose_own_address_has_switched_it_off_says_so(tmp_path):
    teacher, journal = find("o4-mini"), Journal(tmp_path / "own.answers.jsonl", {})
    assert "was switched off there on 2026-10-23" in str(_kept(ModelError("no"), journal, teacher))
    assert str(_kept(ModelError("no"), journal, find("o4-mini", model="a-successor"))) == "no"


def test_another_recipe_is_refused_and_the_answers_stay(tmp_path):
    bench, out = items(tmp_path, 40), tmp_path / "own.jsonl"
    with Loopback(right).running() as url:
        ask = (bench, "--base-url", url, "--out", out, "--limit", 5)
        assert run(*ask, "--teacher", "tiny")[0] == 0
        before = (tmp_path / "own.answers.jsonl").read_bytes()
        assert "temperature 1.0, not 0.5" in refused(2, *ask, "--teacher", "tiny", "--temperature", 0.5)
        assert "teacher tiny, not other" in refused(2, *ask, "--teacher", "other")
    assert (tmp_path / "own.answers.jsonl").read_bytes() == before


def test_a_source_without_a_checkable_answer_is_refused_and_others_are_left_out(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mixture-of-thoughts" / "math"
    folder.mkdir(parents=True)

    def row(i, answer):
        turns = [
            {"role": "user", "content": f"What is {i}?"},
            {"role": "assistant", "content": f"<think>\nhm\n</think>\n{answer}"},
        ]
        return {"messages": turns, "num_tokens": 9, "source": "open-r1/OpenR1-Math-220k"}

    def write(answers):
        (folder / "train.jsonl").write_text("".join(json.dumps(row(i, a)) + "\n" for i, a in enumerate(answers)))

    write(["It follows."] * 60)
    with pytest.raises(DataError, match=r"no questions to ask \(\d+ left out: no rule can check"):
        source("mixture-of-thoughts/math", None, tmp_path)
    write(["It follows.", r"It is \boxed{7}."] * 30)
    found = source("mixture-of-thoughts/math", None, tmp_path)
    assert (
        found.left_out[UNCHECKABLE] > 5
        and all(e.metadata["checkable"] for e in found.examples)
        and len(found.examples) > 5
    )


@pytest.mark.bwrap
def test_a_full_disk_is_one_sentence_and_what_was_paid_for_stays(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    with Loopback(lambda body, before: says("B" * 3000)).running() as url:
        ask = f"traces {items(tmp_path, COUNT)} --teacher tiny --base-url {url} --out {small}/own.jsonl --concurrency 4"
        script = f"{sys.executable} -m fairreason.cli {ask}; echo rc=$?; wc -l < {small}/own.answers.jsonl"
        command = ["bwrap", "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", str(small), "sh", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.stderr.splitlines()[-1] == (
        f"Error: {small}/own.answers.jsonl: cannot be written (No space left on device). What it holds stays; "
        "the same command goes on from there"
    )
    code, lines = done.stdout.split()
    assert code == "rc=1" and int(lines) > 10


def test_the_help_reads_well_and_loads_nothing_heavy():
    code = "from fairreason.cli import main\ntry: main(['traces', '--help'])\nexcept SystemExit: pass\n"
    code += "import sys; print(set(sys.modules) & {'torch', 'transformers', 'openai', 'datasets'})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "COLUMNS": "120"}
    )
    assert "fairreason traces" in done.stdout and "BENCH" in done.stdout and "collect" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"
    assert Counter(done.stdout.split())["collect"] >= 1


def test_batches_under_way_are_not_asked_for_otherwise(tmp_path):
    (tmp_path / "own.batch.json").write_text('{"batches": []}')
    with Loopback(right).running() as url:
        ask = (items(tmp_path, 40), "--teacher", "tiny", "--base-url", url, "--out", tmp_path / "own.jsonl")
        assert "ask their own teacher with --batch" in refused(2, *ask)
    for teacher in (("self", "--model", "lab", "--max-new-tokens", 4), ("source",)):
        ask = ("lab-math", "--teacher", *teacher, "--out", tmp_path / "own.jsonl", "--limit", 4)
        assert "ask their own teacher with --batch" in refused(2, *ask)


def test_paths_of_the_journal(tmp_path):
    assert journal_path(Path("a/b.c.jsonl")) == Path("a/b.c.answers.jsonl")
