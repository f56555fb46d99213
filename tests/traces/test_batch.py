"""The batch API: the id is on disk before anything is waited for; nothing is asked twice, nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from batch_server import BatchServer, done
from loopback import chat
from teaching import KEY, SETTINGS, holding, items, prompts, rows

from fairreason.errors import ModelError, RunError
from fairreason.models.backends import Sampling, retries
from fairreason.traces import ask, batch, teachers, under_way
from fairreason.traces.batch_api import BatchApi
from fairreason.traces.budget import Budget
from fairreason.traces.gather import Request, _teacher
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Price, Teacher

pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(batch, "FIRST_LOOK", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


ONE_DOLLAR = Price(0, 1_000_000 / 16)


def echo(line):
    return done(
        chat(f"\\boxed{{{line['body']['messages'][0]['content'].rpartition(' ')[2]}}}", reasoning_content="So.")
    )


def run(url, path, asked, samples=1, ceiling=None, price=ONE_DOLLAR, teacher=None, tell=print, thinking="on"):
    teacher = teacher or Teacher("tiny", "tiny", url, price=price)
    hashes = ask.hashes(asked)
    with Journal(path, SETTINGS) as journal:
        budget = Budget(ceiling, teacher.price, journal.spent)
        jobs = ask.missing(asked, hashes, samples, journal)
        sampling = Sampling(16, 1.0, samples, thinking=thinking)
        return batch.ask_batch(teacher, jobs, sampling, journal, budget, tell=tell)


def test_questions_go_as_one_batch_and_its_results_into_the_journal(tmp_path):
    server, path, lines = BatchServer(echo, looks=2), tmp_path / "own.answers.jsonl", []
    with server.running() as url:
        asked = run(url, path, prompts(40), samples=2, tell=lines.append)
        assert (asked.answered, asked.failed) == (80, 0) and len(server.batches) == 1
        assert run(url, path, prompts(40), samples=2).answered == 0 and len(server.batches) == 1
    body = server.asked[0]["body"]
    assert body["messages"] == [{"role": "user", "content": "question 0"}] and body["max_tokens"] == 16
    assert server.asked[0]["method"] == "POST" and server.asked[0]["url"] == "/v1/chat/completions"
    assert len({line["body"]["seed"] for line in server.asked}) == 80
    texts = {(row["id"], row["sample"]): row["completion"]["text"] for row in rows(path)}
    assert texts == {(f"q/{i}", s): f"<think>\nSo.\n</think>\n\n\\boxed{{{i}}}" for i in range(40) for s in range(2)}
    assert {row["model"] for row in rows(path)} == {"tiny-of-may"} and asked.cost == pytest.approx(80 * 3 / 16)
    assert not (tmp_path / "own.batch.json").exists() and server.keys == {f"Bearer {KEY}"}
    assert any("in_progress" in line for line in lines) and not holding(KEY, tmp_path)


def test_a_run_broken_off_while_it_waits_picks_the_batch_up(tmp_path, monkeypatch):
    server, path = BatchServer(echo, looks=1), tmp_path / "own.answers.jsonl"

    class GoneError(Exception):
        pass

    async def gone(self, seconds):
        if seconds > 0:
            raise GoneError

    with server.running() as url:
        with monkeypatch.context() as patch, pytest.raises(GoneError):
            patch.setattr("fairreason.models.backends.openai_session.Session.sleep", gone)
            run(url, path, prompts(10))
        kept = json.loads((tmp_path / "own.batch.json").read_text())
        assert [one["batch"] for one in kept["batches"]] == ["batch_0"] and rows(path) == []
        asked = run(url, path, prompts(12))  # two more than before: the old batch, and one with these
    assert asked.answered == 12 and len(server.asked) == 12 and len(server.batches) == 2
    assert sorted(row["id"] for row in rows(path)) == sorted(f"q/{i}" for i in range(12))


def test_a_batch_whose_making_was_not_heard_of_is_found_and_not_made_again(tmp_path):
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    server.fail = lambda what, before: what == "POST /v1/batches" and before == 0
    with server.running() as url:
        assert run(url, path, prompts(10)).answered == 10
    assert len(server.batches) == 1 and len(server.asked) == 10


def test_it_is_found_behind_more_batches_than_one_list_holds(tmp_path):
    server = BatchServer(echo)
    server.page = 2
    with server.running() as url:
        for number in range(5):
            run(url, tmp_path / f"{number}.answers.jsonl", prompts(1))
        server.fail = lambda what, before: what == "POST /v1/batches" and before == 5
        assert run(url, tmp_path / "own.answers.jsonl", prompts(10)).answered == 10
    assert len(server.batches) == 6


def test_thinking_off_goes_to_the_template_and_no_field_of_the_clients_goes_along(tmp_path):
    server = BatchServer(echo)
    with server.running() as url:
        run(url, tmp_path / "own.answers.jsonl", prompts(1), thinking="off")
    fields = {"model", "messages", "max_tokens", "temperature", "top_p", "seed", "chat_template_kwargs"}
    assert set(server.asked[0]["body"]) == fields
    assert server.asked[0]["body"]["chat_template_kwargs"] == {"enable_thinking": False}


def test_lines_refused_for_the_name_of_the_limit_are_asked_again_under_the_other(tmp_path):
    def answer(line):
        refusal = {"error": {"message": "use 'max_completion_tokens' instead"}}
        refused = {"response": {"status_code": 400, "body": refusal}, "error": None}
        return refused if "max_tokens" in line["body"] or line["custom_id"] == "3" else echo(line)

    server, path = BatchServer(answer), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        asked = run(url, path, prompts(8))
    assert (asked.answered, asked.failed, len(server.asked)) == (7, 1, 16)  # the fourth says so of either name
    assert [line["body"].get("max_completion_tokens") for line in server.asked] == [None] * 8 + [16] * 8
    assert asked.cost == pytest.approx(7 * 3 / 16) and not (tmp_path / "own.batch.json").exists()


def killed(*arguments):
    raise KilledError


class KilledError(Exception):
    pass


def test_a_run_killed_before_it_noted_that_its_answers_are_kept_counts_and_pays_nothing_twice(tmp_path, monkeypatch):
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        with monkeypatch.context() as patch, pytest.raises(KilledError):
            save = under_way.save
            patch.setattr(under_way, "save", lambda *all: save(*all) if all[2] else killed())
            run(url, path, prompts(10))
        assert len(rows(path)) == 10 and (tmp_path / "own.batch.json").exists()
        asked = run(url, path, prompts(12), ceiling=10 * 3 / 16 + 2)  # what they cost, and room for two more
        assert (asked.answered, asked.failed, asked.stopped) == (2, 0, "") and asked.cost == pytest.approx(2 * 3 / 16)
    assert len(rows(path)) == len(server.asked) == 12 and not (tmp_path / "own.batch.json").exists()


def test_a_smaller_limit_keeps_what_was_asked_and_counts_only_what_is_wanted(tmp_path, monkeypatch):
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        with monkeypatch.context() as patch, pytest.raises(KilledError):
            patch.setattr(BatchApi, "look", killed)
            run(url, path, prompts(30))
        asked = run(url, path, prompts(10))
        assert (asked.wanted, asked.answered, asked.failed) == (10, 10, 0)
        assert run(url, path, prompts(30)).wanted == 0
    assert len(rows(path)) == len(server.asked) == 30


def test_results_that_are_none_are_counted_and_asked_again_by_the_next_run(tmp_path):
    faults = {
        1: {"response": {"status_code": 400, "body": {"error": {"message": f"too long, {KEY}"}}}, "error": None},
        2: {"response": None, "error": {"code": "batch_expired", "message": "not in time"}},
        3: None,
        4: done({"choices": []}),
    }
    first = []

    def answer(line):
        number = int(line["body"]["messages"][0]["content"].rpartition(" ")[2])
        return faults[number] if number in faults and not first else echo(line)

    server, path = BatchServer(answer, status="expired"), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        asked = run(url, path, prompts(8))
        assert (asked.answered, asked.failed) == (4, 4)
        assert "too long, [key]" in asked.reasons and "not in time" in asked.reasons
        assert "the batch expired without it (no reason given)" in asked.reasons
        first.append("over")
        assert run(url, path, prompts(8)).answered == 4
    assert len(server.asked) == 12 and len(rows(path)) == 8


def test_a_result_without_an_answer_costs_what_it_names(tmp_path):
    empty = {**chat("B"), "choices": []}
    with BatchServer(lambda line: done(empty) if line["custom_id"] == "3" else echo(line)).running() as url:
        asked = run(url, tmp_path / "own.answers.jsonl", prompts(8), ceiling=8)
    assert (asked.answered, asked.failed) == (7, 1) and asked.cost == pytest.approx(8 * 3 / 16)


def test_a_batch_that_failed_says_why(tmp_path):
    server, path = BatchServer(lambda line: None, status="failed"), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        asked = run(url, path, prompts(3))
    assert asked.failed == 3 and "the batch failed without it (the model does not exist)" in asked.reasons


def halved(content):
    return content[: len(content) // 2 + 20]


def without_a_line(content):
    return b"\n".join(content.splitlines()[3:])


def late(found):
    return {key: value for key, value in found.items() if key != "output_file_id"}


DAMAGES = {
    "HTML": (lambda content: b"<html>502 bad gateway</html>", "/content"),
    "half the file": (halved, "/content"),
    "half its lines": (without_a_line, "/content"),
    "nothing": (lambda content: b"", "/content"),
    "a line that is none": (lambda content: content + b'\n{"custom_id": null', "/content"),
    "the file's name comes late": (late, "/v1/batches/batch_0"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_results_that_come_down_badly_once_are_not_paid_again(tmp_path, damage):
    (spoil, where), server, path = DAMAGES[damage], BatchServer(echo), tmp_path / "own.answers.jsonl"
    server.mangle = lambda what, before, value: spoil(value) if what.endswith(where) and before == 0 else value
    with server.running() as url:
        assert run(url, path, prompts(10)).answered == 10
    assert len(server.asked) == len(rows(path)) == 10 and not (tmp_path / "own.batch.json").exists()


def test_a_line_that_is_none_is_passed_over_where_every_answer_is_there(tmp_path):
    (spoil, where), server, path = DAMAGES["a line that is none"], BatchServer(echo), tmp_path / "own.answers.jsonl"
    server.mangle = lambda what, before, value: spoil(value) if what.endswith(where) else value
    with server.running() as url:
        assert run(url, path, prompts(10)).answered == 10
    assert not (tmp_path / "own.batch.json").exists()


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage != "a line that is none"])
def test_results_that_never_come_whole_leave_their_batch_written_down(tmp_path, damage):
    """What came is kept, and another batch's answers too."""
    (spoil, where), server, path = DAMAGES[damage], BatchServer(echo), tmp_path / "own.answers.jsonl"
    where = {"/content": "batch_0-output_file_id/content"}.get(where, where)
    server.mangle = lambda what, before, value: spoil(value) if what.endswith(where) else value
    with server.running() as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "REQUESTS", 10)
        with pytest.raises(ModelError, match=r"results of batch batch_0 do not come whole, \d+ of 10 .*own.batch.json"):
            run(url, path, prompts(20))
        came = {"half the file": 5, "half its lines": 7}.get(damage, 0)
        assert len(rows(path)) == 10 + came
        assert [one["batch"] for one in json.loads((tmp_path / "own.batch.json").read_text())["batches"]] == ["batch_0"]
        server.mangle = lambda what, before, value: value
        assert run(url, path, prompts(20)).answered == 10 - came
    assert len(server.asked) == len(rows(path)) == 20 and not (tmp_path / "own.batch.json").exists()


def test_results_that_are_gone_are_one_sentence_and_other_batches_come_in(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "REQUESTS", 10)
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    server.mangle = lambda what, before, value: None if "batch_0-output" in what else value
    gone = pytest.raises(
        ModelError, match=r"has the results batch_0-output_file_id no more, .*own.batch.json names; del"
    )
    with server.running() as url, gone:
        run(url, path, prompts(20))
    assert len(rows(path)) == 10 and (tmp_path / "own.batch.json").exists()


def changed(**fields):
    return lambda found: {**found, **fields}


ODD = {
    "no status": lambda found: {key: value for key, value in found.items() if key != "status"},
    "a status that is none": changed(status=None),
    "null counts": changed(status="in_progress", request_counts={"completed": None}),
    "counts in words": changed(status="in_progress", request_counts={"completed": "7"}),
    "counts that are none": changed(status="in_progress", request_counts="seven"),
    "errors that are none": changed(errors="none"),
    "an error in words": changed(errors={"data": ["none"]}),
    "HTML": lambda found: b"<html>",
    "a list": lambda found: b"[]",
}


POSTS = [(what, odd) for what in ("POST /v1/batches", "POST /v1/files") for odd in ("HTML", "a list")]


@pytest.mark.parametrize("what, odd", [*(("GET /v1/batches/batch_0", odd) for odd in ODD), *POSTS])
def test_odd_replies_are_asked_again_or_read_as_they_can_be(tmp_path, what, odd):
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    server.mangle = lambda which, before, value: ODD[odd](value) if which == what and before == 0 else value
    with server.running() as url:
        assert run(url, path, prompts(4)).answered == 4
    assert len(server.asked) == 4


@pytest.mark.parametrize("response", ["oops", [], 7, {"status_code": 200, "body": "oops"}])
def test_a_response_that_is_none_is_counted(tmp_path, response):
    server = BatchServer(echo)
    server.mangle = lambda what, before, value: odd_line(value, response) if what.endswith("/content") else value
    with server.running() as url:
        asked = run(url, tmp_path / "own.answers.jsonl", prompts(8))
    assert (asked.answered, asked.failed) == (7, 1)


def odd_line(content, response):
    odd = [
        {**row, "response": response} if row["custom_id"] == "3" else row
        for row in map(json.loads, content.splitlines())
    ]
    return b"\n".join(json.dumps(row).encode() for row in odd)


def test_the_ceiling_is_kept_by_what_is_sent(tmp_path):
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        asked = run(url, path, prompts(100), ceiling=5.0)  # one dollar each at most, and 3/16 in the end
    sizes, spent = [len(one["lines"]) for one in server.batches.values()], 0.0
    for size in sizes:
        assert spent + size <= 5.0
        spent += size * 3 / 16
    # 4.125 dollars leave no room, 3.9375 do, as where questions are asked one by one
    assert asked.answered == sum(sizes) == 22 and sizes[0] == 5 and "leaves no room" in asked.stopped


def test_a_batch_holds_no_more_than_its_results_may_weigh(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "REQUESTS", 4)
    server, path = BatchServer(echo), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        assert run(url, path, prompts(10)).answered == 10
    assert [len(one["lines"]) for one in server.batches.values()] == [4, 4, 2]


def test_a_preset_goes_through_its_own_api(tmp_path):
    def answer(line):
        assert line["url"] == "/v1/responses" and line["body"]["reasoning"]["summary"] == "auto"
        output = [{"type": "message", "content": [{"type": "output_text", "text": "B"}]}]
        return done({"status": "completed", "model": "m", "output": output, "usage": None})

    with BatchServer(answer).running() as url:
        teacher = teachers.find("o4-mini", url)
        assert run(url, tmp_path / "own.answers.jsonl", prompts(3), teacher=teacher).answered == 3


def test_a_server_without_a_batch_api_is_one_sentence(tmp_path):
    class Plain(BatchServer):
        def post(self, path, content, kind):
            return None

    without = pytest.raises(ModelError, match=r"this server has no batch API \(404\); leave --batch out")
    with Plain(echo).running() as url, without:
        run(url, tmp_path / "own.answers.jsonl", prompts(3))
    assert not (tmp_path / "own.batch.json").exists()


def test_a_batch_that_the_server_has_forgotten_is_one_sentence(tmp_path):
    path, settings = tmp_path / "own.answers.jsonl", {"format": 1, **SETTINGS}
    gone = {"file": "f", "batch": "gone", "asked": [[p.id, 0, "h", 0.0] for p in prompts(2)]}
    (tmp_path / "own.batch.json").write_text(json.dumps({"settings": settings, "batches": [gone]}))
    with BatchServer(echo).running() as url, pytest.raises(ModelError, match=r"does not know the batch gone .*delete"):
        run(url, path, prompts(2))
    other = {"settings": {**settings, "teacher": "another"}, "batches": []}
    (tmp_path / "own.batch.json").write_text(json.dumps(other))
    with pytest.raises(RunError, match="under way under other settings"):
        run("http://127.0.0.1:9/v1", path, prompts(2))
    (tmp_path / "own.batch.json").write_text("[")
    with pytest.raises(RunError, match="not a list of batches"):
        run("http://127.0.0.1:9/v1", path, prompts(2))


def test_a_killed_command_goes_on_with_the_batch_that_is_under_way(tmp_path):
    server, path = BatchServer(lambda line: done(chat("B")), looks=10**9), tmp_path / "own.batch.json"

    def begin(url):
        ask = [
            "traces",
            items(tmp_path, 60),
            "--teacher",
            "tiny",
            "--base-url",
            url,
            "--out",
            str(tmp_path / "own.jsonl"),
        ]
        command = [sys.executable, "-m", "fairreason.cli", *ask, "--batch", "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with server.running() as url:
        process = begin(url)
        end = time.monotonic() + 60
        while not (path.exists() and json.loads(path.read_text())["batches"][0]["batch"]):
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.looks = 0
        out, err = begin(url).communicate(timeout=100)
    counts = json.loads(out)
    assert counts["answered"] == counts["wanted"] == len(server.asked) > 20 and len(server.batches) == 1
    assert not path.exists() and not holding(KEY, tmp_path) and KEY not in out + err


def test_a_preset_costs_half_in_a_batch(tmp_path):
    request = Request(bench="bbq", teacher="o4-mini", out=tmp_path / "own.jsonl", batch=True)
    assert _teacher(request).price == Price(0.55, 2.20, "2026-03-21")
    assert _teacher(replace(request, price=Price(3, 4))).price == Price(3, 4)  # the user's word
