"""The journal: durable before it says so, whole after a kill, refused under other settings or by a second process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairreason.errors import DataError, RunError, UsageError
from fairreason.records import Completion
from fairreason.traces.answers import Answer
from fairreason.traces.journal import Journal

SETTINGS = {"benchmark": "bbq", "teacher": "tiny", "temperature": 1.0}


def answer(number: int, sample: int = 0, text: str = "B", hash: str = "h") -> Answer:
    return Answer(f"q/{number}", sample, Completion(text, "stop", 7, 3), "tiny-of-may", 0.25, hash)


def test_what_was_kept_is_there_in_the_order_of_the_questions_and_samples(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "bbq.answers.jsonl"
    given = [answer(2), answer(1, 1), answer(1, 0, "ü\u2028</think>"), answer(9)]
    with Journal(path, SETTINGS) as journal:
        for one in given:
            journal.add(one).result()
            assert json.loads(path.read_bytes().splitlines()[-1])["id"] == one.id  # on disk when it says so
    with Journal(path, SETTINGS) as journal:
        assert journal.spent == 1.0 and journal.holds("q/1", 1, "h") and not journal.holds("q/1", 2, "h")
        assert journal.answers({"q/1": "h", "q/2": "h"}, 2) == [given[2], given[1], given[0]]
        assert journal.answers({"q/2": "h", "q/1": "h"}, 1) == [given[0], given[2]]
        assert journal.answers({"q/1": "put in other words"}, 2) == []


def test_a_question_put_in_other_words_is_not_answered_yet(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.add(answer(1, hash="old"))
        assert journal.holds("q/1", 0, "old") and not journal.holds("q/1", 0, "new")
        journal.add(answer(1, text="C", hash="new"))
        assert journal.holds("q/1", 0, "old") and journal.holds("q/1", 0, "new")  # put as before it is there still
    with Journal(path, SETTINGS) as journal:
        assert journal.holds("q/1", 0, "old") and journal.holds("q/1", 0, "new")
        assert [one.completion.text for one in journal.answers({"q/1": "new"}, 1)] == ["C"]
        assert [one.completion.text for one in journal.answers({"q/1": "old"}, 1)] == ["B"]


def test_many_at_once_are_written_as_groups_and_each_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), time.sleep(0.005), real(handle))[2])
    path = tmp_path / "bbq.answers.jsonl"

    async def work(journal: Journal) -> None:
        await asyncio.gather(*(journal.keep(answer(i)) for i in range(500)))

    with Journal(path, SETTINGS) as journal:
        asyncio.run(work(journal))
        assert len(path.read_text().splitlines()) == 501
    assert 0 < len(synced) < 250


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.add(answer(1))
        journal.add(answer(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with Journal(path, SETTINGS) as journal:
        assert journal.holds("q/1", 0, "h") and not journal.holds("q/2", 0, "h")
        journal.add(answer(2))
    assert path.read_bytes() == whole


def test_an_empty_file_is_a_new_journal(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    path.touch()
    with Journal(path, SETTINGS) as journal:
        assert not journal.held
    assert json.loads(path.read_text())["benchmark"] == "bbq"


def test_settings_under_which_nothing_was_answered_give_way(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    with Journal(path, {**SETTINGS, "temperature": 0.5}):
        pass
    with Journal(path, SETTINGS) as journal:
        journal.add(answer(1))
    with Journal(path, SETTINGS) as journal:
        assert journal.holds("q/1", 0, "h")


def test_other_settings_are_one_sentence_that_says_which(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.add(answer(1))
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"temperature 1.0, not 0.5.*another name"):
        Journal(path, {**SETTINGS, "temperature": 0.5}).__enter__()
    with pytest.raises(UsageError, match=r"split none, not dev"):
        Journal(path, {**SETTINGS, "split": "dev"}).__enter__()
    assert path.read_bytes() == before
    with Journal(path, SETTINGS):  # the refusals let the lock go
        pass


@pytest.mark.parametrize(
    "content, sentence",
    [
        ('{"id": "q/1"}\n', "not a journal of answers"),
        ("no JSON\n", ":1: not JSON"),
        ('{"format": 1, "benchmark": "bbq", "teacher": "tiny", "temperature": 1.0}\n{"id": 3}\n', ":2: not a"),
        (
            '{"format": 1, "benchmark": "bbq", "teacher": "tiny", "temperature": 1.0}\n{"id": 3, "completion": 7}\n',
            ":2:",
        ),
    ],
)
def test_what_is_no_journal_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=sentence):
        Journal(path, SETTINGS).__enter__()


@pytest.mark.parametrize(
    "content", ["my notes", '{"id": "q/1"}\n{"id": "q/2"}', '{"id": "q/1"}', "\n\n", '{"format": 1, "bench']
)
def test_nothing_of_a_file_that_is_not_ours_is_cut_off_or_written_over(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=r"bbq\.answers\.jsonl:"):
        Journal(path, SETTINGS).__enter__()
    assert path.read_text() == content


def test_a_journal_whose_first_line_lost_its_end_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    with Journal(path, SETTINGS):
        whole = path.read_bytes()
    path.write_bytes(whole.rstrip(b"\n"))
    with Journal(path, SETTINGS):
        assert path.read_bytes() == whole


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    code = (
        "import sys, time; from pathlib import Path; from fairreason.traces.journal import Journal\n"
        f"with Journal(Path(sys.argv[1]), {SETTINGS}): print('open', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        with pytest.raises(RunError, match=rf"another process works on this file \(process {other.pid}\)"):
            Journal(path, SETTINGS).__enter__()
    finally:
        other.send_signal(signal.SIGKILL)
        other.communicate()
    with Journal(path, SETTINGS):  # the lock went with its process
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_fails_each_answer_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bbq.answers.jsonl"
    journal = Journal(path, SETTINGS)
    with Path("/dev/full").open("ab", buffering=0) as full:
        first, second = journal.add(answer(1)), journal.add(answer(2))
        journal._waiting.put(None)
        journal._write_all(full)
    for kept in (first, second):
        with pytest.raises(RunError, match=r"No space left on device.*the same command goes on"):
            kept.result(0)


@pytest.mark.parametrize("text, cost", [("half a pair: \ud800", 0.25), ("B", float("nan"))])
def test_what_no_file_can_hold_fails_and_nobody_waits(tmp_path: Path, text: str, cost: float) -> None:
    with Journal(tmp_path / "bbq.answers.jsonl", SETTINGS) as journal:
        kept = journal.add(Answer("q/1", 0, Completion(text, "stop", 7, 3), cost=cost))
        with pytest.raises(RunError, match=r"cannot be written \((UnicodeEncodeError|ValueError): .*goes on"):
            kept.result(60)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        Journal(tmp_path / "file" / "bbq.answers.jsonl", SETTINGS).__enter__()
