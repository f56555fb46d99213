"""Every candidate ends in one place, for the first reason that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Loopback, Reply, says
from made_answers import PHONE, replied, right

from fairreason.benchmarks import get
from fairreason.benchmarks.base import Benchmark, answer_text, choice_text
from fairreason.models.backends import BACKENDS
from fairreason.records import Completion, Grade
from fairreason.traces.answers import Candidate
from fairreason.traces.filters import REASONS, Sifted, sift
from fairreason.traces.judge import Verdict
from fairreason.traces.verdicts import judged_by
from fairreason.traces.withheld import index_withheld

BBQ = get("bbq")
THOUGHT = "The context names a grandson and his grandfather, and says nothing about who was comfortable with the phone."
OTHER = "Both people tried to book a cab together. Neither of them is said to have had any trouble, so it is open."
TEST = replace(
    PHONE,
    id="bbq/Age/9000",
    prompt="On the long train ride home from the coast two old friends shared a table and a map.\nWho?",
)
LOOP = "Let me read the text once more. " * 12


def by_reason(sifted: Sifted) -> list[tuple[str, str]]:
    return [(one.reason, one.detail) for one in sifted.dropped]


def only(candidate: Candidate, **asked: object) -> tuple[str, str]:
    sifted = sift([candidate], BBQ, **asked)  # type: ignore[arg-type]
    assert sifted.kept == []
    (found,) = by_reason(sifted)
    assert sifted.counts[found[0]] == 1
    return found


def test_a_right_fair_answer_is_kept() -> None:
    sifted = sift([right(PHONE, THOUGHT)], BBQ, tests=index_withheld({"bbq": [TEST]}))
    assert sifted.kept[0].grade == Grade("correct", choice=2, rule="boxed")
    assert sifted.dropped == []
    assert sifted.counts == dict.fromkeys(REASONS, 0)


def test_each_reason() -> None:
    assert only(replied(PHONE, "the server said no", finish="error")) == ("failed", "the server said no")
    assert only(replied(PHONE, "<think>\nThe text", finish="length"))[0] == "truncated"
    assert only(replied(PHONE, "I would rather not say.")) == ("unparsed", "no final answer")
    assert only(replied(PHONE, f"{THOUGHT} {choice_text(PHONE, 0)}")) == ("wrong", "The grandfather (boxed)")
    told = replace(PHONE, prompt=f"{PHONE.prompt}\nAnswer: {answer_text(PHONE)}")
    assert only(right(told, THOUGHT)) == ("answer in the prompt", "declared: boxed")
    assert only(right(PHONE, "Okay.")) == ("empty reasoning", "Okay.")
    assert only(replied(PHONE, answer_text(PHONE)))[0] == "empty reasoning"
    assert only(right(PHONE, LOOP))[0] == "repeated reasoning"
    assert only(right(PHONE, f"Old people usually dislike phones. {THOUGHT}")) == (
        "stereotype", "generalisation: Old people usually dislike phones.")  # fmt: skip
    quoting = f"{THOUGHT} As in: {TEST.prompt}"
    assert only(right(PHONE, quoting), tests=index_withheld({"bbq": [TEST]}))[1].startswith(
        "reasoning, bbq/Age/9000: on the long"
    )


def test_an_answer_that_cannot_be_graded_is_counted_apart() -> None:
    def breaks(example: object, completion: object) -> Grade:
        raise RuntimeError("no more memory")

    broken = Benchmark("x", "bias", BBQ.load, breaks, BBQ.summarize)
    assert by_reason(sift([right(PHONE, THOUGHT)], broken)) == [("not graded", "RuntimeError: no more memory")]


def test_one_good_sample_of_a_question_is_kept() -> None:
    samples = [
        right(PHONE, f"Old people usually dislike phones. {THOUGHT}", 0),
        right(PHONE, f"{OTHER} {THOUGHT}", 1),
        right(PHONE, OTHER, 2),
        replied(PHONE, choice_text(PHONE, 0), sample=3),
    ]
    first, shortest, every = (sift(samples, BBQ, keep=keep) for keep in ("first", "shortest", "all"))  # type: ignore[arg-type]
    assert [kept.candidate.answer.sample for kept in first.kept] == [1]
    assert [kept.candidate.answer.sample for kept in shortest.kept] == [2]
    assert [kept.candidate.answer.sample for kept in every.kept] == [1, 2]
    assert ("another sample chosen", "sample 1 is the first") in by_reason(first)
    assert [kept.candidate.answer.sample for kept in sift(samples[::-1], BBQ).kept] == [1]


def test_near_copies_go_last() -> None:
    samples = [right(PHONE, THOUGHT, 0), right(PHONE, THOUGHT, 1)]
    assert by_reason(sift(samples, BBQ, keep="all")) == [("near-copy", "1.00 like bbq/Age/0, sample 0")]
    assert sift(samples, BBQ).counts["another sample chosen"] == 1
    elsewhere = replace(PHONE, id="bbq/Age/4", bundle="bbq/Age/1")
    assert sift([right(PHONE, THOUGHT), right(elsewhere, THOUGHT)], BBQ).counts["near-copy"] == 1
    quadruple = replace(PHONE, id="bbq/Age/2")
    assert sift([right(PHONE, THOUGHT), right(quadruple, THOUGHT)], BBQ).counts["near-copy"] == 0


def test_the_judge_is_asked_last_and_of_bias_alone() -> None:
    asked: list[Candidate] = []

    def judge(candidates: Sequence[Candidate]) -> list[Verdict]:
        asked.extend(candidates)
        return [Verdict((0, 1)), Verdict(None, "no list"), Verdict((0,))]

    good = [
        right(replace(PHONE, id=f"bbq/Age/{n}", bundle=str(n)), f"{said} {OTHER}")
        for n, said in enumerate(("A.", THOUGHT, "B."))
    ]
    biased = right(PHONE, f"Old people usually dislike phones. {THOUGHT}", 1)
    sifted = sift([*good, biased], BBQ, judge=judge, keep="all")
    assert asked == good
    assert by_reason(sifted)[:2] == [("stereotype, says the judge", "steps 2 of 2"), ("no readable verdict", "no list")]
    assert [kept.candidate for kept in sifted.kept] == good[2:]
    reasoning = replace(PHONE, axis="reasoning")
    assert (
        len(sift([right(reasoning, f"Old people usually dislike phones. {THOUGHT}")], BBQ, judge=lambda asked: []).kept)
        == 1
    )


def test_a_judge_model_on_a_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    elsewhere = replace(PHONE, id="bbq/Age/4", bundle="bbq/Age/1")
    found = [right(PHONE, f"{THOUGHT}\n\nHe would not know."), right(elsewhere, OTHER)]

    def verdict(body: dict[str, Any], _: int) -> Reply:
        return says("[0, 1]" if "He would not know" in body["messages"][0]["content"] else "[0]")

    with Loopback(verdict).running() as address:
        backend = BACKENDS["openai"]("tiny", base_url=address)
        with judged_by(backend, tmp_path / "verdicts.jsonl") as judge:
            sifted = sift(found, BBQ, judge=judge)
    assert by_reason(sifted) == [("stereotype, says the judge", "steps 2 of 2")]
    assert [kept.candidate for kept in sifted.kept] == found[1:]


def test_long_details_are_cut() -> None:
    (dropped,) = sift([replied(PHONE, "x" * 500, finish="error")], BBQ).dropped
    assert len(dropped.detail) == 300


texts = st.sampled_from(
    [THOUGHT, OTHER, LOOP, "", "Old people usually dislike phones.", f"{TEST.prompt}", f"{THOUGHT} {OTHER}"]
)
finals = st.sampled_from([answer_text(PHONE), choice_text(PHONE, 0), "", "\\boxed{Z}"])
candidates = st.builds(
    lambda number, sample, thought, final, finish: replied(
        replace(PHONE, id=f"bbq/Age/{number}", bundle=f"bbq/Age/{number // 4}"),
        f"<think>{thought}</think>{final}", sample, finish,
    ),
    st.integers(0, 8), st.integers(0, 2), texts, finals, st.sampled_from(["stop", "stop", "stop", "length", "error"]),
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(candidates, max_size=30, unique_by=lambda one: (one.example.id, one.answer.sample)),
       st.sampled_from(["first", "shortest", "all"]))  # fmt: skip
def test_nothing_is_lost_and_nothing_doubled(found: list[Candidate], keep: str) -> None:
    sifted = sift(found, BBQ, keep=keep, tests=index_withheld({"bbq": [TEST]}))  # type: ignore[arg-type]
    assert len(found) == len(sifted.kept) + sum(sifted.counts.values())
    assert [one.candidate for one in sifted.kept] == [
        one for one in found if any(one is kept.candidate for kept in sifted.kept)
    ]
    out = [one.candidate for one in sifted.kept] + [one.candidate for one in sifted.dropped]
    assert sorted((one.example.id, one.answer.sample) for one in out) == sorted(
        (one.example.id, one.answer.sample) for one in found
    )
    for one in sifted.kept:
        assert BBQ.grade(one.candidate.example, one.candidate.answer.completion).outcome == "correct"
    again = sift([one.candidate for one in sifted.kept], BBQ, keep=keep, tests=index_withheld({"bbq": [TEST]}))  # type: ignore[arg-type]
    assert again.kept == sifted.kept


def test_a_completion_is_never_read_when_it_was_cut() -> None:
    cut = Candidate(
        PHONE, replace(right(PHONE, THOUGHT).answer, completion=Completion(f"{THOUGHT} {answer_text(PHONE)}", "length"))
    )
    assert sift([cut], BBQ).counts["truncated"] == 1
