"""The whole way: questions asked of a real server, answers sifted, and the files that are left."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from loopback import Loopback, refuses, says
from teaching import KEY, holding

from fairreason import benchmarks
from fairreason.benchmarks import traced
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.cli.traces import run_traces, summary
from fairreason.errors import ModelError, UsageError
from fairreason.files import read_jsonl
from fairreason.models.backends import BACKENDS, retries
from fairreason.traces import collect as collecting
from fairreason.traces import judge
from fairreason.traces.collect import UNBALANCED, Choice, collect
from fairreason.traces.filters import REASONS
from fairreason.traces.gather import Gathered, Request, gather
from fairreason.traces.teachers import Price

pytestmark = pytest.mark.usefixtures("own_time_limit")
COUNT = 100  # questions in the file; the train split has about 60


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)


def own(folder):
    """Questions in quadruples, half of them ambiguous; each reply needs its number."""
    rows = (
        {
            "id": f"own/{i}",
            "prompt": f"Ann and Bob met at {i} o'clock. Who was late at {i}",
            "options": ["Ann", "Bob", "Not known"],
            "answer": 2 if i % 2 else 0,
            "axis": "bias",
            "category": "Team",
            "condition": "ambig" if i % 2 else "disambig",
            "cluster": str(i // 4),
            "bundle": str(i // 4),
            "unknown": 2,
        }
        for i in range(COUNT)
    )
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"items:{folder / 'own.jsonl'}"


def replies(bench, wrong=lambda i, before: False, reasoning=None):
    """A teacher that reasons and answers: with the gold answer, or `wrong` with another option's letter."""
    known = {prompt_text(e): e for e in benchmarks.get(bench).load("train", None)}

    def answer(body, before):
        example = known[body["messages"][0]["content"]]
        place = int(example.id.rpartition("/")[2])
        gold = answer_text(example)
        said = next(x for x in (r"\boxed{A}", r"\boxed{B}") if x != gold) if wrong(place, before) else gold
        text = reasoning(place) if reasoning else f"The text about {place} o'clock names what it names, number {place}."
        return says(said, reasoning_content=text)

    return answer


def asking(bench, url, folder, **more):
    return Request(bench=bench, teacher="tiny", base_url=url, out=folder / "out.jsonl", max_new_tokens=64, **more)


def test_every_answer_is_a_trace_or_a_counted_drop(tmp_path):
    bench = own(tmp_path)
    with Loopback(replies(bench, wrong=lambda i, before: i % 5 == 0)).running() as url:
        found = collect(asking(bench, url, tmp_path))
    asked = benchmarks.get(bench).load("train", None)
    wrong = [e.id for e in asked if int(e.id.rpartition("/")[2]) % 5 == 0]
    kept = list(traced.read(found.file))
    dropped = read_jsonl(tmp_path / "out.dropped.jsonl")
    assert [row["id"] for row in dropped] == wrong and {row["reason"] for row in dropped} == {"wrong"}
    assert [one.id for one in kept] == [e.id for e in asked if e.id not in wrong]
    assert found.dropped == {reason: len(wrong) * (reason == "wrong") for reason in (*REASONS, UNBALANCED)}
    assert found.kept + sum(found.dropped.values()) == len(asked) == found.gathered.asked.answered
    assert kept[0].teacher == "tiny" and kept[0].sampling["temperature"] == 1.0
    card = found.card.read_text()
    assert f"| wrong | {len(wrong)} |" in card and "Not compared with the test questions of" in card and "bbq" in card
    taught = benchmarks.get(f"traces:{found.file}").load("train", None)
    assert [e.trace for e in taught] == [one.reply.split("\n")[1] for one in kept]
    assert not holding(KEY, tmp_path)
    assert {one.source for one in kept} == {"items:own.jsonl"} and "| items\\:own.jsonl |" in card
    assert str(tmp_path) not in found.file.read_text() + card


def test_other_filters_ask_nobody_again(tmp_path):
    bench = own(tmp_path)
    server = Loopback(
        replies(bench, reasoning=lambda i: f"It says {i}. " * (2 if i % 3 else 1) + f"So it is {i}, of course.")
    )
    with server.running() as url:
        first = collect(asking(bench, url, tmp_path, samples=2))
        asked = len(server.asked)
        every = collect(asking(bench, url, tmp_path, samples=2), Choice(keep="all"))
    assert len(server.asked) == asked == 2 * first.kept
    assert first.dropped["another sample chosen"] == first.kept and every.dropped["another sample chosen"] == 0
    assert every.kept + every.dropped["near-copy"] == asked  # two samples alike: a copy of each other


def test_balance_leaves_out_what_is_too_much(tmp_path):
    bench = own(tmp_path)
    with Loopback(replies(bench, wrong=lambda i, before: i % 8 == 1)).running() as url:
        whole = collect(asking(bench, url, tmp_path))
        found = collect(asking(bench, url, tmp_path), Choice(balanced=True))
    places = [int(e.id.rpartition("/")[2]) for e in benchmarks.get(bench).load("train", None)]
    lost = sum(i % 8 == 1 for i in places) / sum(i % 2 for i in places)  # of the ambiguous ones; of the others none
    assert (summary(whole)["imbalance"], summary(found)["imbalance"]) == (round(lost, 4), 0)
    kept = Counter(one.condition for one in traced.read(found.file))
    assert kept["ambig"] == kept["disambig"] > 10 and found.dropped[UNBALANCED] > 0
    assert found.kept + sum(found.dropped.values()) == whole.gathered.asked.answered
    by_reason = Counter(row["reason"] for row in read_jsonl(tmp_path / "out.dropped.jsonl"))
    assert by_reason == {reason: count for reason, count in found.dropped.items() if count}


def test_a_judge_is_paid_once(tmp_path):
    """It labels every step of row 3, 7, 11, ... a stereotype, and says nothing readable about one other."""
    bench = own(tmp_path)
    places = [int(e.id.rpartition("/")[2]) for e in benchmarks.get(bench).load("train", None)]
    odd = next(i for i in places if i % 4 != 3)

    def labels(body, before):
        text = body["messages"][0]["content"]
        place = int(text.partition("Ann and Bob met at ")[2].split(" ")[0])
        return says("I cannot say." if place == odd else "[1]" if place % 4 == 3 else "[0]")

    judging = Loopback(labels)
    with Loopback(replies(bench)).running() as url, judging.running() as other:
        choice = Choice(judge=BACKENDS["openai"]("tiny", base_url=other))
        found = collect(asking(bench, url, tmp_path), choice)
        asked = len(judging.asked)
        again = collect(asking(bench, url, tmp_path), choice)
    assert asked == len(places) == len(judging.asked)
    assert found.dropped["stereotype, says the judge"] == sum(i % 4 == 3 for i in places)
    assert found.dropped["no readable verdict"] == 1
    assert again.dropped == found.dropped and "Judge of the reasoning, after the rules: tiny." in found.card.read_text()
    first, *rows = read_jsonl(tmp_path / "out.verdicts.jsonl")
    assert first["judge"]["model"] == "tiny" and len(rows) == len(places)
    assert judge.INSTRUCTION[:40] in judging.asked[0]["messages"][0]["content"]


def test_a_refused_answer_is_asked_again_and_then_kept(tmp_path):
    bench = own(tmp_path)
    right = replies(bench)
    down = Loopback(lambda body, before: refuses(400) if number_of(body) % 3 == 0 else right(body, before))
    with down.running() as url:
        found = collect(asking(bench, url, tmp_path))
        failed, text = found.gathered.asked.failed, found.card.read_text()
        down.answer = right
        whole = collect(asking(bench, url, tmp_path))
    everything = len(benchmarks.get(bench).load("train", None))
    assert failed > 5 and found.kept + failed == whole.kept == everything
    assert f"{failed} requests failed and left no answer" in text and answered(text) == everything - failed
    assert sum(one.asked for one in found.balance if one.by == "condition") == everything - failed
    assert answered(whole.card.read_text()) == everything and "requests failed" not in whole.card.read_text()


def test_questions_that_a_ceiling_left_do_not_count_as_asked(tmp_path):
    bench = own(tmp_path)
    with Loopback(replies(bench)).running() as url:
        found = collect(asking(bench, url, tmp_path, price=Price(0, 1e6 / 64), max_cost=2.0, concurrency=1))
    there = found.gathered.asked.answered
    assert 0 < there < len(found.gathered.source.examples) and found.gathered.asked.stopped
    assert answered(found.card.read_text()) == there
    assert sum(one.asked for one in found.balance if one.by == "condition") == there


def test_a_ceiling_below_one_answer_leaves_empty_files_a_card_and_the_reason(tmp_path, capsys):
    bench = own(tmp_path)
    request = asking(bench, "http://127.0.0.1:9/v1", tmp_path, price=Price(0, 1e6 / 64), max_cost=0.0)
    run_traces(request, "first", False, None, None, None, False)
    assert "stopped: --max-cost 0 leaves no room for another answer" in capsys.readouterr().err
    assert (tmp_path / "out.jsonl").read_text() == (tmp_path / "out.dropped.jsonl").read_text() == ""
    card = (tmp_path / "out.md").read_text()
    assert "# Reasoning traces: items" in card and "0 answers were dropped, 0 kept" in card and "bias: {" in card


def test_a_cost_that_is_known_of_some_answers_alone_says_so(tmp_path):
    bench = own(tmp_path)
    with Loopback(replies(bench)).running() as url:
        first = collect(asking(bench, url, tmp_path, limit=8))
        assert "| cost, all answers | unknown |" in first.card.read_text()
        found = collect(asking(bench, url, tmp_path, price=Price(0, 1e6)))
    new = found.gathered.asked.answered
    assert f"| cost, all answers | {3 * new}.00 US dollars, and unknown of 8 answers |" in found.card.read_text()


def test_where_the_teacher_broke_off_the_files_are_written_and_the_error_is_said(tmp_path, monkeypatch):
    bench = own(tmp_path)

    class BrokenOff(Gathered):
        error = ModelError("the account is empty")

    monkeypatch.setattr(collecting, "gather", lambda *given: BrokenOff(*gather(*given)))
    teacher = Loopback(replies(bench, wrong=lambda i, before: i % 5 == 0))
    with teacher.running() as url, pytest.raises(ModelError, match="the account is empty"):
        collect(asking(bench, url, tmp_path))
    kept, dropped = list(traced.read(tmp_path / "out.jsonl")), read_jsonl(tmp_path / "out.dropped.jsonl")
    assert kept and dropped and len(kept) + len(dropped) == answered((tmp_path / "out.md").read_text())


def test_a_broken_test_file_is_named_with_its_reason(tmp_path, capsys):
    bench = own(tmp_path)
    (tmp_path / "data" / "math500").mkdir(parents=True)
    (tmp_path / "data" / "math500" / "test.jsonl").write_text("{}\n")
    with Loopback(replies(bench)).running() as url:
        run_traces(asking(bench, url, tmp_path), "first", False, None, None, tmp_path / "data", True)
    said, card = capsys.readouterr().err, (tmp_path / "out.md").read_text()
    assert "not compared with the test questions of math500, which cannot be read: " in said
    assert "test.jsonl:1: needs problem" in said and "gsm8k" in said and "gsm8k: no data" not in said
    assert "of math500, which cannot be read: math500/test.jsonl\\:1\\: needs problem" in card
    assert str(tmp_path) not in card


def number_of(body):
    return int(body["messages"][0]["content"].partition(" met at ")[2].split(" ")[0])


def answered(text):
    """The questions with an answer, by the card's counts."""
    lines = text.partition("## Counts")[2].partition("###")[0].strip().splitlines()
    return sum(int(line.split(" | ")[3].replace(",", "")) for line in lines[2:])


def test_the_judges_address_needs_its_name(tmp_path):
    with pytest.raises(UsageError, match="--judge"):
        run_traces(
            asking("lab-math", "http://x.example", tmp_path), "first", False, None, "http://y.example", None, False
        )
