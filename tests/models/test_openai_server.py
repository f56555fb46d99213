"""Asking a server: what is sent, what an answer becomes, and that no fault of the server loses or doubles an answer."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import email.utils
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from loopback import Loopback, Reply, free_port, refuses, says, wait_for
from PIL import Image

from fairreason.errors import FairReasonError, ModelError, UsageError
from fairreason.models.backends import (
    BACKENDS,
    Prompt,
    Sampling,
    background,
    openai_client,
    openai_messages,
    openai_session,
    retries,
)
from fairreason.models.backends.background import stream
from fairreason.models.backends.base import sampling_key
from fairreason.pictures import Pictures, data_url
from fairreason.records import Completion

KEY = "sk-never-to-be-seen-0123456789"


pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def ask(url, prompts=1, sampling=None, **options):
    """The completions by prompt id."""
    prompts = [Prompt(f"q/{i}", f"question {i}") for i in range(prompts)] if isinstance(prompts, int) else prompts
    backend = BACKENDS["openai"]("tiny", base_url=url, **options)
    got = list(backend.generate(prompts, sampling or Sampling(16)))
    assert sorted(index for index, _ in got) == list(range(len(prompts)))  # each exactly once
    return {prompts[index].id: answers for index, answers in got}


def asked_for(body):
    return body["messages"][0]["content"]


# what is sent


def test_a_greedy_question_is_sent_once_whatever_the_samples():
    server = Loopback(lambda body, before: says("B"))
    with server.running() as url:
        got = ask(url, sampling=Sampling(16, samples=3))
    assert got == {"q/0": [Completion("B", "stop", 7, 3)] * 3}
    assert server.asked == [
        {
            "model": "tiny",
            "messages": [{"role": "user", "content": "question 0"}],
            "max_tokens": 16,
            "temperature": 0.0,
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_samples_have_seeds_of_their_own_and_thinking_off_is_handed_on():
    server = Loopback(lambda body, before: says(str(body["seed"])))
    sampling = Sampling(16, temperature=0.7, samples=3, seed=5, thinking="off")
    with server.running() as url:
        got = ask(url, 2, sampling)
    seeds = {f"q/{i}": [str(sampling_key(5, f"q/{i}", s) >> 32) for s in range(3)] for i in range(2)}
    assert {name: [one.text for one in answers] for name, answers in got.items()} == seeds
    assert len({seed for own in seeds.values() for seed in own}) == 6 and all(int(s) < 2**31 for s in seeds["q/0"])
    assert all(b["chat_template_kwargs"] == {"enable_thinking": False} and b["top_p"] == 1 for b in server.asked)


def test_pictures_arrive_as_data_urls_with_their_pixels(tmp_path):
    def saved(name, mode, color, **options):
        Image.new(mode, (9, 5), color).save(tmp_path / name, **options)
        return str(tmp_path / name)

    turned = Image.Exif()
    turned[0x0112] = 6
    paths = [
        saved("plain.jpg", "RGB", "red"),
        saved("turned.jpg", "RGB", "red", exif=turned),
        saved("palette.gif", "P", 3),
        saved("clear.png", "RGBA", (10, 20, 30, 0)),
    ]
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "blue").save(buffer, "PNG")
    server = Loopback(lambda body, before: says("B"))
    with server.running() as url:
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
            packed.write(paths[0], "images/plain.jpg")
        inside = Pictures(tmp_path / "set.zip", "images").reference("plain.jpg")
        ask(url, [Prompt("q", "What is here?", (*paths, data_url(buffer.getvalue()), inside))])
    *parts, text = asked_for(server.asked[0])
    assert text == {"type": "text", "text": "What is here?"}
    urls = [part["image_url"]["url"] for part in parts]
    assert urls[0] == "data:image/jpeg;base64," + base64.b64encode(Path(paths[0]).read_bytes()).decode()
    for url_, path in zip(urls[1:4], paths[1:], strict=True):  # a server would turn or blend these as it likes
        assert url_.startswith("data:image/png;base64,")
        with Image.open(io.BytesIO(base64.b64decode(url_.partition(",")[2]))) as sent, Image.open(path) as stored:
            assert sent.mode == "RGB" and sent.size == (9, 5) and sent.tobytes() == stored.convert("RGB").tobytes()
    assert urls[4].startswith("data:image/png;base64,")
    assert urls[5] == urls[0]  # the same file, inside a zip


def test_a_broken_picture_is_counted_and_not_asked(tmp_path):
    server = Loopback(lambda body, before: says("B"))
    with server.running() as url:
        got = ask(url, [Prompt("a", "?", (str(tmp_path / "none.png"),)), Prompt("b", "?")])
    assert got["a"][0].finish_reason == "error" and "none.png" in got["a"][0].text and len(server.asked) == 1


def test_no_more_requests_at_a_time_than_asked_for():
    server = Loopback(lambda body, before: Reply(says("B").content, delay=0.05))
    with server.running() as url:
        ask(url, 12, concurrency=3)
    assert server.most == 3


# what an answer becomes


@pytest.mark.parametrize(
    "reply, text, reason",
    [
        (says("B", reasoning_content="It is the baker."), "<think>\nIt is the baker.\n</think>\n\nB", "stop"),
        (says("B", reasoning="It is."), "<think>\nIt is.\n</think>\n\nB", "stop"),
        (says("<think>\nso\n</think>\n\nB"), "<think>\nso\n</think>\n\nB", "stop"),
        (says(None, "length", reasoning_content="It is"), "<think>\nIt is", "length"),
        (says("It is", "length"), "It is", "length"),
        (says("It is", None), "It is", "stop"),
        (says(None, refusal="I cannot say."), "I cannot say.", "stop"),
        (says(""), "", "stop"),
        (says("a\0b"), "a\0b", "stop"),
        (Reply(says("XX").content.replace(b"XX", rb"a\ud800b")), "a\ufffdb", "stop"),
        (Reply(says("XX").content.replace(b"XX", rb"\ud83d\ude00")), "\U0001f600", "stop"),
        (says("half", "content_filter"), "the server's content filter stopped the answer", "error"),
    ],
)
def test_an_answer(reply, text, reason):
    with Loopback(lambda body, before: reply).running() as url:
        (answer,) = ask(url)["q/0"]
    assert (answer.text, answer.finish_reason) == (text, reason)


def test_an_answer_without_a_count_that_is_as_long_as_it_may_be_is_cut():
    with Loopback(lambda body, before: says("It is", None)).running() as url:
        assert ask(url, sampling=Sampling(3))["q/0"][0].finish_reason == "length"
    bare = Reply(b'{"choices": [{"message": {"content": "B"}}], "usage": null}')
    with Loopback(lambda body, before: bare).running() as url:
        assert ask(url)["q/0"] == [Completion("B", "stop", 0, 0)]


def test_an_answer_of_50_megabytes_is_an_answer():
    text = "the baker " * 5_000_000
    with Loopback(lambda body, before: says(text)).running() as url:
        assert ask(url)["q/0"][0].text == text


def test_a_reply_without_end_or_one_that_unpacks_to_more_than_may_be_held_is_given_up(monkeypatch):
    monkeypatch.setattr(openai_client, "LARGEST", 2**20)
    bomb = Reply(gzip.compress(b" " * 2**24), headers={"content-encoding": "gzip"})
    packed = Reply(gzip.compress(says("B").content), headers={"content-encoding": "gzip"})
    replies = [bomb, Reply(b" " * 2**24), Reply(bomb.content, 500, bomb.headers), packed]
    server = Loopback(lambda body, before: replies[int(asked_for(body)[-1])])
    with server.running() as url:
        got = ask(url, 4, concurrency=1)
    assert [got[f"q/{i}"][0].text for i in range(2)] == ["the server sent more than 1 MB in one reply"] * 2
    assert got["q/2"][0].finish_reason == "error" and got["q/3"] == [Completion("B", "stop", 7, 3)]


# faults


HTML = Reply(b"<html><body>502 Bad Gateway</body></html>")
FAULTS = {
    "429 with Retry-After": refuses(429, retry_after="0.05"),
    "429": refuses(429),
    "500": refuses(500),
    "503": refuses(503, retry_after_ms="20"),
    "408": refuses(408),
    "closed": None,
    "HTML": HTML,
    "HTML with 502": Reply(HTML.content, 502),
    "half a JSON": Reply(says("B").content[:40]),
    "cut off": Reply(says("B").content[:40], promised=4_000),
    "never": Reply(says("B").content, delay=99),
    "empty": Reply(b""),
    "a list": Reply(b"[1]"),
    "an error with 200": Reply(b'{"error": {"message": "overloaded"}}'),
    "no choice": Reply(b'{"choices": []}'),
    "an answer that broke off": says("half", "insufficient_system_resource"),
    "a number": Reply(b'{"choices": [{"message": {"content": 7}}]}'),
    "not UTF-8": Reply(b'{"choices": [{"message": {"content": "\xff"}}]}'),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_passes_is_asked_again(fault):
    server = Loopback(lambda body, before: fault if before == 0 else says("B"))
    with server.running() as url:
        got = ask(url, 3, time_limit=0.5)
    assert got == {f"q/{i}": [Completion("B", "stop", 7, 3)] for i in range(3)} and len(server.asked) == 6


LASTING = {
    "500": "500: no",
    "closed": "no connection, or it was closed",
    "HTML": "the server sent HTML instead of JSON",
    "half a JSON": "the server sent a JSON that breaks off instead of JSON",
    "cut off": "no connection, or it was closed",
    "never": "no answer within 0.5 s",
    "an error with 200": "the server sent a reply without a choice: overloaded",
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_on_one_question_is_counted_on_it(fault):
    server = Loopback(lambda body, before: FAULTS[fault] if asked_for(body) == "question 1" else says("B"))
    with server.running() as url:
        got = ask(url, 3, time_limit=0.5)
    assert [got[f"q/{i}"][0].finish_reason for i in range(3)] == ["stop", "error", "stop"]
    assert LASTING[fault] in got["q/1"][0].text
    assert len(server.asked) == 2 + (retries.TIMEOUT_TRIES if fault == "never" else retries.TRIES)


@pytest.mark.parametrize("fault", LASTING)
def test_a_server_that_is_gone_stops_the_work(fault):
    server = Loopback(lambda body, before: FAULTS[fault])
    with server.running() as url, pytest.raises(ModelError, match=LASTING[fault]) as error:
        ask(url, 500, time_limit=0.5)
    assert str(error.value).startswith(url) and "so did the last 8 questions" in str(error.value)
    assert len(server.asked) <= 20 * retries.TRIES


@pytest.mark.parametrize(
    "reply, sentence",
    [
        (refuses(401, f"Incorrect API key provided: {KEY}"), "refuses the key in OPENAI_API_KEY (401)"),
        (refuses(403, f"{KEY} may not"), "this key may not use tiny (403: [key] may not)"),
        (refuses(404, "The model `tiny` does not exist"), "answers as tiny (404: The model `tiny` does not exist)"),
        (Reply(b"<html>not found</html>", 404), "answers as tiny (404: an HTML page)"),
        (refuses(402, "Insufficient Balance"), "nothing left to pay with (402: Insufficient Balance)"),
        (refuses(429, retry_after="3600"), "asks to wait 3600 s (429)"),
    ],
)
def test_what_every_question_would_meet_stops_at_once(reply, sentence):
    server = Loopback(lambda body, before: reply)
    with server.running() as url, pytest.raises(ModelError) as error:
        ask(url, 500)
    assert sentence in str(error.value) and KEY not in str(error.value) and len(server.asked) <= 8


def test_an_error_of_our_own_is_raised_behind_what_was_under_way(monkeypatch):
    def breaks(self, reply, sampling):
        return read(self, reply, sampling) if b"late" in json.dumps(reply).encode() else 1 / 0

    read = openai_session.Session.read
    monkeypatch.setattr(openai_session.Session, "read", breaks)
    server = Loopback(
        lambda body, before: says("B") if asked_for(body)[-1] == "0" else Reply(says("late").content, delay=0.3)
    )
    got = []
    with server.running() as url, pytest.raises(ZeroDivisionError):
        prompts = [Prompt(str(i), f"question {i}") for i in range(40)]
        for item in BACKENDS["openai"]("tiny", base_url=url, concurrency=4).generate(prompts, Sampling(9)):
            got.append(item[0])
    assert sorted(got) == [1, 2, 3] and len(server.asked) == 4


@pytest.mark.parametrize("tokens", [10**400, 2**31, True, -1, 7.0, "7"], ids=lambda tokens: str(tokens)[:9])
def test_a_number_of_tokens_that_no_reply_has_is_none(tokens):
    assert openai_messages.count({"n": tokens}, "n") == 0 and openai_messages.count({"n": 2**31 - 1}, "n") > 0


def test_without_a_key_a_server_that_wants_one_says_so(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with Loopback(lambda body, before: refuses(401)).running() as url, pytest.raises(ModelError, match="is not set"):
        ask(url)


def test_what_was_under_way_when_all_stops_is_handed_on():
    answered = threading.Event()

    def answer(body, before):
        if asked_for(body) == "question 3":
            answered.wait(10)
            return refuses(401)
        if asked_for(body) == "question 2":
            return Reply(says("late").content, delay=0.5)
        answered.set()
        return says("B")

    got = []
    with Loopback(answer).running() as url, pytest.raises(ModelError, match="401"):
        prompts = [Prompt(str(i), f"question {i}") for i in range(4)]
        for item in BACKENDS["openai"]("tiny", base_url=url).generate(prompts, Sampling(9)):
            got.append(item)
    assert sorted((index, answers[0].text) for index, answers in got) == [(0, "B"), (1, "B"), (2, "late")]


def test_a_refused_question_is_counted_among_answered_ones_but_stops_where_none_is_answered():
    server = Loopback(lambda body, before: says("B") if asked_for(body) == "question 0" else refuses(400, "too long"))
    with server.running() as url:
        got = ask(url, 30, concurrency=1)
    assert [a[0].finish_reason for a in got.values()].count("error") == 29 and len(server.asked) == 30
    assert "refuses the request (400: too long)" in got["q/7"][0].text
    server = Loopback(lambda body, before: refuses(400, "seed: unknown field"))
    with server.running() as url, pytest.raises(ModelError, match="400: seed: unknown field"):
        ask(url, 500)
    assert len(server.asked) < 30


def test_a_server_that_asks_everybody_to_wait_is_left_alone_until_then():
    times = []

    def answer(body, before):
        times.append(time.monotonic())
        return refuses(429, retry_after="0.6") if len(times) == 1 else says("B")

    with Loopback(answer).running() as url:
        ask(url, 4, concurrency=1)
    assert times[1] - times[0] >= 0.6


def test_a_later_wait_holds_for_requests_that_are_waiting_already():
    times, late = [], threading.Event()

    def answer(body, before):
        if before:
            times.append(time.monotonic())
            return says("B")
        if asked_for(body) != "question 0":
            return refuses(429, retry_after="0.6")
        time.sleep(0.3)
        times.append(time.monotonic())
        late.set()
        return refuses(429, retry_after="1.5")

    with Loopback(answer).running() as url:
        ask(url, 8, concurrency=8)
    assert len(times) == 9 and late.is_set() and all(one - times[0] >= 1.5 for one in times[1:])


def test_requests_that_waited_together_do_not_come_back_together(monkeypatch):
    times = []
    monkeypatch.setattr(openai_session, "spread", lambda: 0.5)

    def answer(body, before):
        times.append(time.monotonic())
        return says("B") if before else refuses(429, retry_after="0.2")

    with Loopback(answer).running() as url:
        ask(url, 1)
    assert times[1] - times[0] >= 0.2 + 0.5
    monkeypatch.undo()
    assert len({retries.spread() for _ in range(20)}) == 20


def test_a_server_may_name_the_hour_to_come_back():
    then = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 25 < retries.retry_after({"retry-after": then}) <= 30
    past = email.utils.formatdate(time.time() - 30, usegmt=True)
    assert retries.retry_after({"retry-after": past}) == 0
    assert [retries.retry_after({"retry-after": odd}) for odd in ("-1", "nan", "inf", "")] == [None] * 4
    years = [f"Wed, 21 Oct {year} 07:28:00 GMT" for year in (20269, 10**30)]
    assert [retries.retry_after({"retry-after": odd}) for odd in years] == [None] * 2


@pytest.mark.parametrize("wait", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wait_that_is_over_takes_no_pause_away(monkeypatch, wait):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.4)
    server = Loopback(lambda body, before: refuses(503, retry_after=wait) if before < 2 else says("B"))
    start = time.monotonic()
    with server.running() as url:
        ask(url)
    assert time.monotonic() - start >= 0.5 * (0.4 + 0.8)


def test_the_name_of_the_limit_follows_the_server():
    def answer(body, before):
        return refuses(400, "use 'max_completion_tokens' instead") if "max_tokens" in body else says("B")

    server = Loopback(answer)
    with server.running() as url:
        ask(url, 5, concurrency=1)
    assert [body.get("max_completion_tokens") for body in server.asked] == [None, 16, 16, 16, 16, 16]


def test_nobody_there_is_a_sentence():
    url = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(ModelError, match=f"^{url}: no connection") as error:
        _ = BACKENDS["openai"]("tiny", base_url=url).fingerprint
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x/v1", "http://", "http://[", "me:secret@host/v1?key=secret"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="--base-url: must be an address such as") as error:
        BACKENDS["openai"]("tiny", base_url=url)
    assert "secret" not in str(error.value)


# secrets and identity


def test_key_and_password_stand_in_no_answer_and_no_error():
    def answer(body, before):
        return says(f"you sent {KEY}") if asked_for(body) == "question 0" else refuses(400, f"bad {KEY} or hush-hush-1")

    with Loopback(answer).running() as url:
        secret = url.replace("http://", "http://me:hush-hush-1@")
        backend = BACKENDS["openai"]("tiny", base_url=secret)
        prompts = [Prompt(str(i), f"question {i}") for i in range(2)]
        got = dict(backend.generate(prompts, Sampling(9)))
        assert got[0][0].text == "you sent [key]" and "bad [key] or [key]" in got[1][0].text
        assert backend.fingerprint == BACKENDS["openai"]("tiny", base_url=url).fingerprint


def test_a_password_stands_nowhere_however_it_is_written():
    """As a server that sends its request back has it: the header, and the address."""

    class Echo(Loopback):
        def reply(self, body, headers, path):
            super().reply(body, headers, path)
            said = f"{headers['Authorization']} of me:hush%2Dhush%40{{1 and hush-hush@{{1 and hush-hush%40%7B1"
            return says(said) if asked_for(body) == "question 0" else refuses(400, said)

    with Echo(lambda body, before: None).running() as url:
        secret = url.replace("http://", "http://me:hush%2Dhush%40{1@")
        got = ask(secret, 2, concurrency=1)
    for text in (got["q/0"][0].text, got["q/1"][0].text):
        assert "Basic [key] of me:[key] and [key] and [key]" in text


@pytest.mark.parametrize("length", range(160, 205, 9))
def test_no_part_of_a_key_is_shown_where_a_sentence_is_cut(length):
    around = "x" * length + " "

    def answer(body, before):
        number = int(asked_for(body)[-1])
        error = json.dumps({"error": {"message": around + KEY}}).encode()
        return [says("B"), refuses(400, around + KEY), Reply(error), Reply(error, 500)][number]

    with Loopback(answer).running() as url:
        got = ask(url, 4, concurrency=1)
    for name in ("q/1", "q/2", "q/3"):
        assert got[name][0].finish_reason == "error" and "xxx" in got[name][0].text and KEY[:4] not in got[name][0].text
    with Loopback(lambda body, before: refuses(404, around + KEY)).running() as url, pytest.raises(ModelError) as error:
        ask(url)
    assert KEY[:4] not in str(error.value)


def test_what_a_server_says_is_printable():
    odd = "\x1b[2J\x07too\u202e long\n\x9b1m"
    with Loopback(lambda body, before: refuses(400, odd) if before == 0 else says("B")).running() as url:
        reason = ask(url)["q/0"][0].text
    assert reason == "the server refuses the request (400: [2J too long 1m)"


def test_a_short_key_is_no_secret_and_stays_a_word(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with Loopback(lambda body, before: says("none of them")).running() as url:
        assert ask(url)["q/0"][0].text == "none of them"


@pytest.mark.parametrize("around", ["\r\n", " ", "\t"])
def test_what_a_file_leaves_around_the_key_is_no_part_of_it(monkeypatch, around):
    monkeypatch.setenv("OPENAI_API_KEY", KEY + around)
    server = Loopback(lambda body, before: says("B"))
    with server.running() as url:
        assert ask(url)["q/0"][0].text == "B"
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("inside", ["\r\n", "\t", "\u2026"])
def test_a_key_that_no_request_can_carry_is_refused_and_not_shown(monkeypatch, inside):
    monkeypatch.setenv("OPENAI_API_KEY", KEY + inside + KEY)
    with pytest.raises(UsageError, match="OPENAI_API_KEY: holds characters that no key has") as error:
        BACKENDS["openai"]("tiny", base_url="http://127.0.0.1:9/v1")
    assert KEY not in str(error.value)


def test_the_fingerprint_is_address_name_revision_and_what_the_server_says():
    def identity(models, model="tiny", **options):
        server.models = models
        return BACKENDS["openai"](model, base_url=url, **options).fingerprint

    def card(**more):
        return Reply(json.dumps({"data": [{"id": "other"}, {"id": "tiny", **more}]}).encode())

    server = Loopback(lambda body, before: says("B"))
    with server.running() as url:
        plain = identity(card(root="/models/a", created=1))
        assert identity(card(root="/models/a", created=2)) == plain  # some servers write the time of asking here
        others = [
            identity(card(root="/models/b")),
            identity(card(root="/models/a"), "another"),
            identity(card(root="/models/a"), revision="of May"),
            identity(refuses(404)),
        ]
        assert len({plain, *others}) == 5
        assert identity(refuses(405)) == identity(refuses(500)) == identity(Reply(b"<html>")) == others[3]
        for models, sentence in [(refuses(401), "401"), (refuses(503), "503"), (None, "closed")]:
            with pytest.raises(FairReasonError, match=sentence):
                identity(models)


# the bridge from asynchronous work


def test_leaving_early_ends_the_requests():
    server = Loopback(lambda body, before: says("B") if asked_for(body) == "question 0" else Reply(b"", delay=60))
    with server.running() as url:
        backend = BACKENDS["openai"]("tiny", base_url=url)
        answers = backend.generate([Prompt(str(i), f"question {i}") for i in range(40)], Sampling(9))
        assert next(answers)[0] == 0
        answers.close()
        assert not [t for t in threading.enumerate() if t.name == "fairreason-requests"]
    assert len(server.asked) <= 9


def test_an_interrupt_hands_on_what_has_come():
    ready = threading.Event()

    async def work(deliver):
        deliver("first")
        ready.set()
        await asyncio.sleep(60)

    items = stream(work)
    assert next(items) == "first" and ready.wait(5)
    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        next(items)


def test_a_first_interrupt_waits_for_what_is_under_way():
    server = Loopback(lambda body, before: Reply(says("B").content, delay=0.5))
    prompts, got = [Prompt(str(i), f"question {i}") for i in range(400)], []

    def interrupt():
        while len(server.asked) < 6:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    with server.running() as url:
        answers = BACKENDS["openai"]("tiny", base_url=url, concurrency=4).generate(prompts, Sampling(9))
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            for item in answers:
                got.append(item)
    assert 4 <= len(got) == len(server.asked) < 100 and {made.text for _, (made,) in got} == {"B"}


def test_a_second_interrupt_gives_up_what_is_under_way(monkeypatch):
    told = threading.Event()

    class Screen(io.StringIO):
        def write(self, text):
            told.set()
            return super().write(text)

    def interrupt_twice():
        while server.open < 4:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        assert told.wait(60)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(sys, "stderr", screen := Screen())
    server = Loopback(lambda body, before: Reply(says("B").content, delay=300))
    with server.running() as url:
        answers = BACKENDS["openai"]("tiny", base_url=url, concurrency=4).generate(
            [Prompt(str(i), f"question {i}") for i in range(40)], Sampling(9)
        )
        threading.Thread(target=interrupt_twice).start()
        with pytest.raises(KeyboardInterrupt):
            next(answers)
    assert len(server.asked) == 4 and screen.getvalue() == background.WAITING + "\n"


# a real model behind it


def questions(count=12):
    rng = random.Random(0)
    words = ["Who", "is", "left-handed", "the", "baker", "or", "farmer", "apples"]

    def picture(color):
        buffer = io.BytesIO()
        Image.new("RGB", (56, 56), color).save(buffer, "PNG")
        return data_url(buffer.getvalue())

    shown = [(), (picture("red"),), (picture("blue"), picture("green"))]
    return [Prompt(f"q/{i}", " ".join(rng.choices(words, k=rng.randint(2, 20))), shown[i % 3]) for i in range(count)]


@pytest.fixture(scope="module")
def tiny(tiny_vl):
    from fairreason.models.backends.huggingface import HuggingFaceBackend
    from fairreason.models.load import load

    return HuggingFaceBackend(load(str(tiny_vl)))


def behind_a_server(backend):
    """The tiny model, asked through HTTP."""
    turn = threading.Lock()

    def answer(body, before):
        content = body["messages"][0]["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        pictures = tuple(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        off = body.get("chat_template_kwargs") == {"enable_thinking": False}
        sampling = Sampling(
            body["max_tokens"], body["temperature"], 1, body.get("seed", 0), thinking="off" if off else "on"
        )
        with turn:
            ((_, (made,)),) = backend.generate([Prompt("asked", parts[-1]["text"], pictures)], sampling)
        reply = says(made.text, made.finish_reason)
        numbers = b'"prompt_tokens": %d, "completion_tokens": %d' % (made.prompt_tokens, made.completion_tokens)
        return Reply(reply.content.replace(b'"prompt_tokens": 7, "completion_tokens": 3', numbers))

    return Loopback(answer)


@pytest.mark.parametrize("thinking", ["on", "off"])
def test_a_model_behind_a_server_answers_as_in_this_process(tiny, thinking):
    prompts, sampling = questions(), Sampling(8, thinking=thinking)
    here = {prompts[i].id: answers for i, answers in tiny.generate(prompts, sampling)}
    with behind_a_server(tiny).running() as url:
        assert ask(url, prompts, sampling) == here
    assert len({a[0].text for a in here.values()}) > 6


def test_order_and_concurrency_change_no_answer(tiny):  # law 3
    prompts, sampling = questions(), Sampling(8, temperature=1.0, samples=2, seed=3)
    with behind_a_server(tiny).running() as url:
        alone = ask(url, prompts, sampling, concurrency=1)
        assert len({c.text for answers in alone.values() for c in answers}) > 12
        for concurrency, seed in [(3, 1), (24, 2)]:
            mixed = prompts.copy()
            random.Random(seed).shuffle(mixed)
            assert ask(url, mixed, sampling, concurrency=concurrency) == alone
        assert ask(url, prompts[::3], sampling) == {p.id: alone[p.id] for p in prompts[::3]}


def test_transformers_serve_gives_the_answers_of_this_process(tiny, tiny_vl):
    port = free_port()
    code = "from transformers.cli.transformers import app; app()"
    arguments = ["serve", str(tiny_vl), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "DISABLE_TELEMETRY": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(f"http://127.0.0.1:{port}", 100)
        prompts = questions(6)
        for sampling in (Sampling(8), Sampling(8, thinking="off")):
            here = {prompts[i].id: answers[0] for i, answers in tiny.generate(prompts, sampling)}
            backend = BACKENDS["openai"](str(tiny_vl), base_url=f"http://127.0.0.1:{port}/v1", concurrency=2)
            there = {prompts[i].id: answers[0] for i, answers in backend.generate(prompts, sampling)}
            for name, answer in here.items():  # `serve` at times leaves out an answer's first character
                got, tail = there[name], there[name].text
                assert answer.text.endswith(tail) and len(answer.text) - len(tail) <= 1, (answer, got)
                assert dataclasses.replace(got, text="") == dataclasses.replace(
                    answer, text=""
                )  # the tokens' counts too
    finally:
        process.terminate()
        process.wait(20)
