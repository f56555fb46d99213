"""Asking a teacher: no answer lost, doubled or asked twice, whatever the server does; money under its ceiling."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter

import pytest
from loopback import Loopback, Reply, refuses, says
from teaching import KEY, SETTINGS, holding, number, prompts, rows, run

from fairreason.errors import ModelError, RunError, UsageError
from fairreason.models.backends import Prompt, Sampling, retries
from fairreason.traces import ask
from fairreason.traces.budget import Budget
from fairreason.traces.journal import Journal
from fairreason.traces.teachers import Price

pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def thought(body, before=0):
    return says(rf"\boxed{{{number(body)}}}", reasoning_content=f"It is {number(body)}.")


FAULTS = {
    "429": refuses(429, retry_after="0.05"),
    "500": refuses(500),
    "half a JSON": Reply(says("B").content[:40]),
    "HTML": Reply(b"<html><body>502 Bad Gateway</body></html>"),
    "empty choice": Reply(b'{"choices": []}'),
    "closes mid-stream": Reply(says("B").content[:40], promised=4_000),
    "closes": None,
    "stalls": Reply(says("late").content, delay=99),
    "refusal": says(None, refusal=f"I cannot say, {KEY}."),  # an answer, and paid for
    "length": says(None, "length", reasoning_content="It is"),  # the same
    "filter": says("half", "content_filter"),  # the same
    "400": refuses(400, f"too long, {KEY}"),  # for good, and costs nothing
}


def test_200_requests_with_30_percent_faults_lose_double_and_repeat_nothing(tmp_path):
    draw = random.Random(4)
    faults = {i: draw.choice(list(FAULTS)) for i in draw.sample(range(200), 60)}
    assert len(set(faults.values())) == len(FAULTS)
    lock, done, repeated = threading.Lock(), set(), []

    def answer(body, before):
        asked = number(body)
        with lock:
            if asked in done:
                repeated.append(asked)
            fault = faults.get(asked)
            if fault == "400":
                return FAULTS[fault]
            if fault and before == 0:
                if fault in ("refusal", "length", "filter"):
                    done.add(asked)
                return FAULTS[fault]
            done.add(asked)
        return thought(body)

    server, path = Loopback(answer), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        asked = run(url, path, prompts(200), concurrency=16, time_limit=1)
        kept = rows(path)
        refused = [i for i, fault in faults.items() if fault == "400"]
        assert asked.answered + asked.failed == 200 and asked.failed == len(refused) > 0
        assert asked.reasons == {"the server refuses the request (400: too long, [key])": len(refused)}
        assert Counter(row["id"] for row in kept) == Counter(f"q/{i}" for i in range(200) if i not in refused)
        assert repeated == []
        ends = Counter(row["completion"]["finish_reason"] for row in kept)
        paid = Counter(faults.values())
        assert ends["length"] == paid["length"] and ends["error"] == paid["filter"]
        sound = {i: f"<think>\nIt is {i}.\n</think>\n\n\\boxed{{{i}}}" for i in range(200) if i not in faults}
        texts = {row["id"]: row["completion"]["text"] for row in kept}
        assert all(texts[f"q/{i}"] == text for i, text in sound.items())
        assert {row["model"] for row in kept if row["completion"]["finish_reason"] == "stop"} == {"tiny-of-may"}
        before = len(server.asked)
        again = run(url, path, prompts(200), concurrency=16, time_limit=1)  # asks what failed, and nothing else
        assert (again.answered, again.failed) == (0, len(refused)) and rows(path) == kept
        assert {number(body) for body in server.asked[before:]} == set(refused)
    assert not holding(KEY, tmp_path)


def test_an_answer_is_on_disk_before_its_slot_asks_for_the_next(tmp_path):
    path, seen = tmp_path / "own.answers.jsonl", []

    def answer(body, before):
        seen.append((number(body), len(rows(path))))
        return thought(body)

    with Loopback(answer).running() as url:
        run(url, path, prompts(20), concurrency=1)
    assert seen == [(i, i) for i in range(20)]


def test_samples_are_requests_with_seeds_of_their_own_and_more_of_them_ask_only_for_those(tmp_path):
    server, path = Loopback(lambda body, before: says(str(body["seed"]))), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        run(url, path, prompts(5), samples=2, concurrency=3)
        first = rows(path)
        run(url, path, prompts(8), samples=3, concurrency=3)
    assert len(server.asked) == 24 and rows(path)[:10] == first
    assert len({row["completion"]["text"] for row in rows(path)}) == 24
    with Journal(path, SETTINGS) as journal:
        found = journal.answers(ask.hashes(prompts(8)), 3)
    assert [(one.id, one.sample) for one in found] == [(f"q/{i}", s) for i in range(8) for s in range(3)]


def test_order_and_concurrency_change_nothing(tmp_path):
    def answer(body, before):
        return Reply(says(f"{number(body)} {body['seed']}").content, delay=random.random() / 50)

    ends = []
    with Loopback(answer).running() as url:
        for concurrency, seed in ((1, 0), (16, 1)):
            path, mixed = tmp_path / f"{seed}.answers.jsonl", prompts(30)
            random.Random(seed).shuffle(mixed)
            run(url, path, mixed, samples=2, concurrency=concurrency)
            with Journal(path, SETTINGS) as journal:
                ends.append(journal.answers(ask.hashes(prompts(30)), 2))
    assert ends[0] == ends[1] and len(ends[0]) == 60


def test_a_thinking_part_that_the_prompt_opened_is_whole(tmp_path):
    path = tmp_path / "own.answers.jsonl"
    with Loopback(lambda body, before: says("so\n</think>\n\nB")).running() as url:
        run(url, path, prompts(1))
    assert rows(path)[0]["completion"]["text"] == "<think>\nso\n</think>\n\nB"


def test_a_models_name_that_no_file_can_hold_is_made_one_that_can(tmp_path):
    odd = Reply(says("B").content.replace(b"tiny-of-may", rb"tiny\ud800\u001b[2J of\nMay"))
    with Loopback(lambda body, before: odd).running() as url:
        assert run(url, tmp_path / "own.answers.jsonl", prompts(3)).answered == 3
    assert {row["model"] for row in rows(tmp_path / "own.answers.jsonl")} == {"tiny [2J of May"}


def test_a_question_that_is_put_as_before_is_not_paid_again(tmp_path):
    server, first, other = Loopback(lambda body, before: says("B")), Prompt("q", "one"), Prompt("q", "another")
    with server.running() as url:
        for prompt in (first, other, first, other, first):
            run(url, tmp_path / "own.answers.jsonl", [prompt])
    assert len(server.asked) == 2


def refuse_a_quarter(refusal):
    return lambda body, before: refusal if number(body) % 4 == 1 else thought(body)


@pytest.mark.parametrize("refusal", [refuses(400, "flagged"), refuses(500)])
def test_questions_that_are_never_answered_keep_no_other_from_being_asked(tmp_path, refusal):
    server, path = Loopback(refuse_a_quarter(refusal)), tmp_path / "own.answers.jsonl"
    with server.running() as url:
        assert run(url, path, prompts(80), concurrency=1).answered == 60
        for samples in (1, 2) if refusal.status == 400 else (2,):
            try:
                again = run(url, path, prompts(80), samples=samples, concurrency=1)
            except ModelError:  # so many 5xx in a row
                assert refusal.status == 500
            else:
                assert (again.answered, again.failed) == (60 * (samples - 1), 20 * samples)
    assert len(rows(path)) == 120


def test_questions_that_always_fail_keep_no_later_run_from_the_others(tmp_path, monkeypatch):
    """They stand in a row behind the answers of the first run, which they stop."""
    monkeypatch.setattr(retries, "TRIES", 1)
    failing, path = range(20, 30), tmp_path / "own.answers.jsonl"
    server = Loopback(lambda body, before: refuses(500, "no") if number(body) in failing else thought(body))
    others = {f"q/{i}" for i in range(50) if i not in failing}
    with server.running() as url:
        with pytest.raises(ModelError, match="so did the last 8 questions"):
            run(url, path, prompts(50), concurrency=1)
        assert len(rows(path)) == 20
        for _ in range(20):
            with contextlib.suppress(ModelError):
                run(url, path, prompts(50), concurrency=1)
            if {row["id"] for row in rows(path)} == others:
                break
    assert {row["id"] for row in rows(path)} == others


def interrupt_after(server, asked):
    while len(server.asked) < asked:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("counting", [False, True])
def test_an_interrupt_keeps_what_is_under_way(tmp_path, counting):
    """Whether it comes while waiting for an answer or while counting one."""
    server, path, sent = Loopback(lambda body, before: Reply(says("B").content, delay=0.3)), tmp_path / "own.jsonl", []

    def count(asked):
        sent.append(asked)
        if counting and len(sent) == 1:
            raise KeyboardInterrupt

    with server.running() as url, pytest.raises(KeyboardInterrupt):
        if not counting:
            threading.Thread(target=interrupt_after, args=(server, 6)).start()
        run(url, path, prompts(400), concurrency=4, progress=count)
    assert 4 <= len(rows(path)) == len(server.asked) < 100


def test_a_broken_picture_costs_nothing_and_is_counted(tmp_path):
    path, server = tmp_path / "own.answers.jsonl", Loopback(thought)
    with server.running() as url:
        asked = run(url, path, [Prompt("a", "?", (str(tmp_path / "none.png"),)), *prompts(1)], price=Price(1, 1))
    assert (asked.answered, asked.failed, len(server.asked)) == (1, 1, 1) and "none.png" in next(iter(asked.reasons))


@pytest.mark.parametrize(
    "reply, sentence",
    [
        (refuses(401, KEY), "refuses the key in OPENAI_API_KEY (401)"),
        (refuses(404, "no such model"), "nothing there answers as tiny (404: no such model)"),
        (refuses(402, "Insufficient Balance"), "nothing left to pay with"),
    ],
)
def test_what_every_question_would_meet_stops_and_what_was_paid_for_stays(tmp_path, reply, sentence):
    server, path = Loopback(lambda body, before: thought(body) if number(body) < 5 else reply), tmp_path / "own.jsonl"
    with server.running() as url, pytest.raises(ModelError) as error:
        run(url, path, prompts(200), concurrency=1)
    assert sentence in str(error.value) and KEY not in str(error.value)
    assert len(rows(path)) == 5 and len(server.asked) == 6


def test_answers_that_cannot_be_written_stop_the_asking(tmp_path, monkeypatch):
    path, server = tmp_path / "own.jsonl", Loopback(thought)

    def full(self, group, file):
        if len(rows(path)) >= 10:
            self.error = self.error or RunError(f"{self.path}: cannot be written (No space left on device)")
        real(self, group, file)

    real = Journal._write
    monkeypatch.setattr(Journal, "_write", full)
    with server.running() as url, pytest.raises(RunError, match="No space left"):
        run(url, path, prompts(200), concurrency=4)
    assert 10 <= len(rows(path)) < 20 and len(server.asked) <= len(rows(path)) + 8


# money


ONE_DOLLAR = Price(0, 1_000_000 / 16)
"""With 16 new tokens an answer costs 1 dollar at most; the server's three tokens cost 3/16."""


def test_the_ceiling_is_kept_whatever_is_under_way(tmp_path):
    server, path = Loopback(lambda body, before: Reply(says("B").content, delay=0.01)), tmp_path / "own.jsonl"
    with server.running() as url:
        asked = run(url, path, prompts(100), price=ONE_DOLLAR, ceiling=5.0, concurrency=32)
        # the 22nd is asked at 21 x 3/16 = 3.9375 and the 23rd is not at 4.125: 5.125 would be too much
        assert server.most <= 5 and asked.answered == len(server.asked) == 22
        assert asked.cost == pytest.approx(22 * 3 / 16) and "--max-cost 5 leaves no room" in asked.stopped
        again = run(url, path, prompts(100), price=ONE_DOLLAR, ceiling=5.0, concurrency=32)
        assert len(server.asked) == 22 and again.answered == 0 and again.stopped
        more = run(url, path, prompts(100), price=ONE_DOLLAR, ceiling=100.0, concurrency=32)
        assert more.answered == 78 and not more.stopped and len(server.asked) == 100
    assert sum(row["cost"] for row in rows(path)) == pytest.approx(100 * 3 / 16)


@pytest.mark.parametrize("usage", ["null", '{"prompt_tokens": 7}', '{"completion_tokens": 3}'])
def test_answers_that_nobody_counted_cost_their_worst_case(tmp_path, usage):
    bare = Reply(f'{{"choices": [{{"message": {{"content": "B"}}}}], "usage": {usage}}}'.encode())
    with Loopback(lambda body, before: bare).running() as url:
        asked = run(url, tmp_path / "own.jsonl", prompts(100), price=ONE_DOLLAR, ceiling=5.0, concurrency=32)
    assert asked.answered == 5 and asked.cost == 5


EMPTY = Reply(b'{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}')
BROKEN_OFF = says("half", "insufficient_system_resource")


@pytest.mark.parametrize("reply", [EMPTY, BROKEN_OFF])
def test_replies_without_an_answer_cost_what_they_name(tmp_path, reply):
    server = Loopback(lambda body, before: reply)
    with server.running() as url:
        asked = run(url, tmp_path / "own.jsonl", prompts(9), price=ONE_DOLLAR, ceiling=2.0, concurrency=1)
    # five tries of the first question; of the second one, after which a whole answer would not fit: 6 x 3/16 + 1 > 2
    assert (asked.failed, len(server.asked)) == (2, 6) and asked.cost == 6 * 3 / 16 and asked.stopped
    server = Loopback(lambda body, before: thought(body) if before else reply)
    with server.running() as url:
        asked = run(url, tmp_path / "other.jsonl", prompts(4), price=ONE_DOLLAR)
    assert asked.answered == 4 and asked.cost == 4 * 2 * 3 / 16
    assert [row["cost"] for row in rows(tmp_path / "other.jsonl")] == [2 * 3 / 16] * 4


def test_a_ceiling_below_one_answer_asks_nothing(tmp_path):
    server = Loopback(thought)
    with server.running() as url:
        asked = run(url, tmp_path / "own.jsonl", prompts(9), price=ONE_DOLLAR, ceiling=0.5)
    assert asked.answered == len(server.asked) == 0 and asked.stopped


def test_a_ceiling_needs_a_price():
    with pytest.raises(UsageError, match=r"--max-cost: no price is known .* --price IN,OUT"):
        Budget(5.0, None)


def test_a_stop_frees_those_who_wait_for_money(tmp_path):
    with Loopback(lambda body, before: refuses(401)).running() as url, pytest.raises(ModelError, match="401"):
        run(url, tmp_path / "own.jsonl", prompts(50), price=ONE_DOLLAR, ceiling=2.0, concurrency=16)


def test_every_try_counts_once_against_the_ceiling(tmp_path):
    server = Loopback(lambda body, before: thought(body) if before else refuses(500))
    with server.running() as url:
        asked = run(url, tmp_path / "own.jsonl", prompts(10), price=ONE_DOLLAR, ceiling=100, sampling=Sampling(16, 1.0))
    assert asked.answered == 10 and asked.cost == pytest.approx(10 * 3 / 16) and len(server.asked) == 20
