"""Verdicts that were paid for: on the disk one by one, under whose settings, by one process, and never asked again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from loopback import Loopback, refuses, says
from made_answers import PHONE

from fairreason.errors import DataError, RunError
from fairreason.files import read_jsonl
from fairreason.locks import locked_file
from fairreason.models.backends import BACKENDS
from fairreason.traces import judge
from fairreason.traces.judge import Verdict
from fairreason.traces.verdicts import verdicts_in

pytestmark = pytest.mark.usefixtures("own_time_limit")
ASKED = [(PHONE, [f"Step {number} of the text."]) for number in range(4)]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_the_first_line_says_who_judged_and_another_judge_begins_a_part_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "some.verdicts.jsonl"
    server = Loopback(lambda body, before: says("[1]" if body["model"] == "strict" else "[0]"))
    with server.running() as address:
        judges = {name: BACKENDS["openai"](name, base_url=address) for name in ("mild", "strict")}
        for name in ("mild", "strict", "mild"):
            with verdicts_in(path, judges[name]) as ask:
                assert ask(ASKED) == [Verdict((int(name == "strict"),))] * 4
        settings = {name: judge.settings(backend) for name, backend in judges.items()}
    rows = read_jsonl(path)
    assert [place for place, row in enumerate(rows) if "judge" in row] == [0, 5] and len(rows) == 10
    assert rows[0]["judge"] == settings["mild"] and rows[5]["judge"]["model"] == "strict"
    assert len(server.asked) == 8


def test_a_verdict_is_on_the_disk_before_the_next_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "some.verdicts.jsonl"
    lines: list[int] = []
    sync = os.fsync

    def synced(handle: int) -> None:
        sync(handle)
        lines.extend([path.read_bytes().count(b"\n")] if path.exists() else [])

    with Loopback(lambda body, before: says("[0]")).running() as address:
        backend = BACKENDS["openai"]("tiny", base_url=address)
        monkeypatch.setattr(os, "fsync", synced)
        with verdicts_in(path, backend) as ask:
            ask(ASKED)
    assert lines[:5] == [1, 2, 3, 4, 5]


def test_what_failed_is_asked_again_and_an_unreadable_verdict_is_not(tmp_path: Path) -> None:
    path = tmp_path / "some.verdicts.jsonl"
    server = Loopback(lambda body, before: refuses(400) if before == 0 else says("No."))
    with server.running() as address:
        backend = BACKENDS["openai"]("tiny", base_url=address)
        found = []
        for _ in range(3):
            with verdicts_in(path, backend) as ask:
                found += ask(ASKED[:1])
    assert [verdict.failure for verdict in found] == ["failed", "no list", "no list"] and len(server.asked) == 2
    assert [row.get("failure") for row in read_jsonl(path)] == [None, "no list"]


def test_one_process_at_a_time_and_nobody_elses_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "some.verdicts.jsonl"
    with Loopback(lambda body, before: says("[0]")).running() as address:
        backend = BACKENDS["openai"]("tiny", base_url=address)
        path.parent.mkdir()
        taken = pytest.raises(RunError, match=r"some\.verdicts\.jsonl: another process works")
        with locked_file(path), taken, verdicts_in(path, backend):
            raise AssertionError("two have it")
        row = json.dumps({"id": "bbq/Age/0"})
        for content in (f"{row}\n", row, f"{row}\n{row}", "my notes", "my notes\n", "\n", '{"judge": {"mo'):
            path.write_text(content)
            with pytest.raises(DataError, match=r"some\.verdicts\.jsonl:1: not"), verdicts_in(path, backend):
                raise AssertionError("it is another file")
            assert path.read_text() == content


def test_a_torn_last_verdict_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "some.verdicts.jsonl"
    server = Loopback(lambda body, before: says("[0]"))
    with server.running() as address:
        backend = BACKENDS["openai"]("tiny", base_url=address)
        with verdicts_in(path, backend) as ask:
            ask(ASKED)
        whole = path.read_bytes()
        for left in (len(whole) - 9, whole.index(b"\n")):  # of the first line its end alone
            path.write_bytes(whole[:left])
            with verdicts_in(path, backend) as ask:
                ask(ASKED)
            assert sorted(path.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert len(server.asked) == 4 + 1 + 4
