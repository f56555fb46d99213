"""The adaptive limit: by hand, and on a real server that turns away what is above its own."""

from __future__ import annotations

import asyncio
import threading

import pytest
from loopback import Loopback, Reply, refuses, says

from fairreason.models.backends import BACKENDS, Prompt, Sampling, retries
from fairreason.models.backends.limit import Limit

pytestmark = pytest.mark.usefixtures("own_time_limit")


def full(most: int) -> Limit:
    limit = Limit(most)
    limit.open = most
    return limit


def test_a_busy_server_halves_what_is_allowed_once_a_round_trip():
    limit = full(8)
    limit.busy(sent=1.0, now=2.0)
    assert limit.allowed == 4
    limit.busy(sent=1.9, now=2.1)  # was on its way when the cut came
    assert limit.allowed == 4
    limit.open = 4
    limit.busy(sent=2.5, now=3.0)
    assert limit.allowed == 2


def test_it_is_what_was_under_way_that_is_halved_and_one_request_is_always_allowed():
    limit = Limit(64)
    limit.open = 6
    limit.busy(sent=1.0, now=2.0)
    assert limit.allowed == 3
    limit.open = 1
    limit.busy(sent=3.0, now=4.0)
    assert limit.allowed == 1


def test_a_round_of_answers_adds_about_one_up_to_the_number_asked_for():
    limit = full(8)
    limit.busy(sent=1.0, now=2.0)
    for _ in range(4):
        limit.answered()  # 4 + 1/4 + 1/4.25 + 1/4.49 + 1/4.71
    assert limit.allowed == pytest.approx(4.92, abs=0.01)
    for _ in range(200):
        limit.answered()
    assert limit.allowed == 8


def test_places_are_taken_at_once_and_handed_on_in_order():
    async def work() -> list[str]:
        limit, seen = Limit(2), []
        gate = asyncio.Event()

        async def one(name: str) -> None:
            async with limit:
                seen.append(name)
                await gate.wait()

        tasks = [asyncio.create_task(one(name)) for name in "abcd"]
        await asyncio.sleep(0)
        assert seen == ["a", "b"]
        tasks[2].cancel()  # gives up waiting and takes no place with it
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limit.open == 0
        return seen

    assert asyncio.run(work()) == ["a", "b", "d"]


def test_a_server_that_takes_four_at_once_answers_everything(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    lock, open_now, refused = threading.Lock(), [0], [0]

    def answer(body, before):
        with lock:
            if open_now[0] >= 4:
                refused[0] += 1
                return refuses(429)
            open_now[0] += 1
        server.ending.wait(0.02)
        with lock:
            open_now[0] -= 1
        return Reply(says("B").content)

    server = Loopback(answer)
    with server.running() as url:
        backend = BACKENDS["openai"]("tiny", base_url=url, concurrency=16)
        got = dict(backend.generate([Prompt(f"q/{i}", f"question {i}") for i in range(120)], Sampling(9)))
    assert len(got) == 120 and {one.text for (one,) in got.values()} == {"B"}
    assert refused[0] >= 12 and len(server.asked) == 120 + refused[0]
