"""Evaluation: every answer is counted once, and a kill changes no byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sample_benchmark
from sample_benchmark import SAMPLE

from fairreason.errors import DataError, RunError, UsageError
from fairreason.evaluation.evaluate import evaluate
from fairreason.evaluation.folder import read_grades, read_measures, read_result
from fairreason.evaluation.statistics import estimate
from fairreason.evaluation.subset import subset
from fairreason.files import read_jsonl
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.backends.scripted import ScriptedBackend
from fairreason.models.load import load
from fairreason.records import OUTCOMES, Completion, Example, from_json, to_json


def answers(prompt, sample):
    """Every outcome, and trouble of every kind, by the question's number."""
    number = int(prompt.id.split("/")[1])
    if number % 6 == 5:
        raise OSError("the server went away")
    texts = ["ab", "abc", "", "cut", "ZeroDivision"]
    return Completion(texts[number % 6], "length" if number % 6 == 3 else "stop", 5, 2)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_answer_is_counted_once(tmp_path):  # law 1
    result = evaluate(ScriptedBackend(answers), [SAMPLE], out=tmp_path, samples=2)["sample"]
    assert result.counts == {"correct": 10, "wrong": 10, "unparsed": 10, "truncated": 10, "error": 20}
    assert list(result.counts) == list(OUTCOMES) and sum(result.counts.values()) == 30 * 2
    assert result.scores[0].n == 60 and result.scores[0].value == pytest.approx(1 / 6)
    rows = read_grades(tmp_path, "sample")
    assert [r["rule"] for r in rows if r["id"] == "sample/4"] == ["ZeroDivisionError: division by zero"] * 2
    assert [r["rule"] for r in rows if r["id"] == "sample/5"] == ["the server went away"] * 2
    stored = json.loads((tmp_path / "sample" / "scores.json").read_text())
    assert stored["n"] == sum(stored["counts"].values()) == len(rows) == 60
    assert stored["thinking"] == "on" and stored["split"] == "test"


def test_what_is_finished_is_read_not_done_again(tmp_path):
    first = evaluate(ScriptedBackend(answers), [SAMPLE], out=tmp_path)
    before = content(tmp_path)

    def never(prompt, sample):
        raise AssertionError("asked again")

    assert evaluate(ScriptedBackend(never), [SAMPLE], out=tmp_path) == first
    assert content(tmp_path) == before and read_result(tmp_path, "sample") == first["sample"]
    with pytest.raises(RunError, match="holds the answers of another model"):  # nothing is written over
        evaluate(ScriptedBackend(lambda p, s: "abc", "another model"), [SAMPLE], out=tmp_path)
    with pytest.raises(RunError, match="holds the answers of another model, version, setting"):
        evaluate(ScriptedBackend(answers), [SAMPLE], out=tmp_path, samples=2)
    assert content(tmp_path) == before


def test_measures_give_the_scores_again(tmp_path):
    result = evaluate(ScriptedBackend(answers), [SAMPLE], out=tmp_path, samples=2)["sample"]
    (measure,) = read_measures(tmp_path, SAMPLE, SAMPLE.load("test", None))
    assert to_json(estimate(measure)).items() <= to_json(result.scores[0]).items()
    with pytest.raises(DataError, match="sample/1 is not among"):
        read_measures(tmp_path, SAMPLE, SAMPLE.load("test", None)[:1])


def test_a_torn_partial_file_is_taken_up(tmp_path):
    asked = []

    def some(prompt, sample):
        asked.append(prompt.id)
        if len(asked) > 12:
            raise KeyboardInterrupt
        return answers(prompt, sample)

    evaluate(ScriptedBackend(answers), [SAMPLE], out=tmp_path / "whole")
    sample_benchmark.evaluate.SAVE_SECONDS, saved = 0.0, sample_benchmark.evaluate.SAVE_SECONDS
    try:
        with pytest.raises(KeyboardInterrupt):
            evaluate(ScriptedBackend(some), [SAMPLE], out=tmp_path / "torn")
    finally:
        sample_benchmark.evaluate.SAVE_SECONDS = saved
    partial = tmp_path / "torn" / "sample" / "completions.partial.jsonl"
    assert len(read_jsonl(partial)) == 13
    partial.write_bytes(partial.read_bytes()[:-9])
    again = []
    evaluate(ScriptedBackend(lambda p, s: again.append(p.id) or answers(p, s)), [SAMPLE], out=tmp_path / "torn")
    assert again == ["sample/5", *(f"sample/{i}" for i in range(11, 30))]  # what failed is tried again
    assert content(tmp_path / "torn") == content(tmp_path / "whole")


def test_answers_of_an_unfinished_call_are_not_written_over_by_another_model(tmp_path):
    def stops(prompt, sample):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(ScriptedBackend(stops), [SAMPLE], out=tmp_path)
    before = content(tmp_path)
    with pytest.raises(RunError, match="holds the answers of another model"):
        evaluate(ScriptedBackend(answers, "another model"), [SAMPLE], out=tmp_path)
    assert before and content(tmp_path) == before
    evaluate(ScriptedBackend(answers), [SAMPLE], out=tmp_path)


def test_nothing_answered_is_no_score(tmp_path):
    def broken(prompt, sample):
        raise OSError("no server")

    with pytest.raises(RunError, match=r"sample: not one of 30 questions .*no server"):
        evaluate(ScriptedBackend(broken), [SAMPLE], out=tmp_path)
    assert not content(tmp_path)


def test_killed_at_any_moment_it_ends_in_the_same_bytes(tmp_path, tiny_vl):
    sample_benchmark.run(str(tiny_vl), tmp_path / "whole", batch_tokens=100_000)
    killed = tmp_path / "killed"
    partial = killed / "sample" / "completions.partial.jsonl"
    program = [sys.executable, sample_benchmark.__file__, str(tiny_vl), str(killed)]
    for lines in (3, 20):
        process = subprocess.Popen(program, env=os.environ, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while not (partial.exists() and partial.read_bytes().count(b"\n") >= lines):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (killed / "sample" / "scores.json").exists()
    (killed / "sample" / ".completions.partial.jsonl.7-140.tmp").write_text("torn")  # what a kill leaves of a write
    sample_benchmark.run(str(tiny_vl), killed, batch_tokens=500)
    assert content(killed) == content(tmp_path / "whole")


def test_a_limit_takes_whole_bundles_evenly_over_clusters():
    rows = [
        Example(f"{c}/{b}/{r}", "x", "bias", f"family {c}", "?", "y", bundle=f"{c}/{b}")
        for c in range(6)
        for b in range(5)
        for r in range(4)
    ]
    kept = subset(rows, 51)
    assert len(kept) == 48 and kept == [row for row in rows if row in kept]
    bundles = {row.bundle for row in kept}
    assert all(sum(row.bundle == b for row in kept) == 4 for b in bundles)
    assert sorted(sum(b.startswith(f"{c}/") for b in bundles) for c in range(6)) == [2] * 6
    assert all(row in kept for row in subset(rows, 24))  # a larger limit asks the same and more
    assert subset(rows, 1_000) == rows


def test_a_limit_below_one_bundle_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"lab-bias: a limit of 3 is less than one bundle of its questions"):
        evaluate(ScriptedBackend(lambda prompt, sample: ""), ["lab-bias"], out=tmp_path, limit=3)


def test_an_empty_split_is_refused(tmp_path):
    with pytest.raises(DataError, match="the test split has no questions"):
        evaluate(ScriptedBackend(answers), [replace(SAMPLE, load=lambda split, data: [])], out=tmp_path)


def test_mode_letters_reads_each_answer_off_the_prompt(tmp_path, tiny_qwen3):
    backend = HuggingFaceBackend(load(str(tiny_qwen3)))
    result = evaluate(backend, ["lab-bias"], out=tmp_path, limit=8, mode="letters", max_new_tokens=99)["lab-bias"]
    assert result.counts["correct"] + result.counts["wrong"] == 8  # a letter is always chosen
    stored = json.loads((tmp_path / "lab-bias" / "scores.json").read_text())
    assert [stored[key] for key in ("mode", "thinking", "max_new_tokens")] == ["letters", "off", 1]
    for row in read_jsonl(tmp_path / "lab-bias" / "completions.jsonl"):
        completion = from_json(Completion, {key: row[key] for key in row if key not in ("id", "sample")})
        best = max(range(3), key=lambda i: completion.probabilities[i])
        assert completion.text == rf"\boxed{{{'ABC'[best]}}}"
        assert sum(completion.probabilities) == pytest.approx(1, abs=0.02)
    with pytest.raises(RunError, match="holds the answers of another"):  # never mixed into one number
        evaluate(backend, ["lab-bias"], out=tmp_path, limit=8, thinking="off", max_new_tokens=1)


def test_mode_letters_refuses_what_it_cannot_ask(tmp_path, tiny_qwen3):
    backend = HuggingFaceBackend(load(str(tiny_qwen3)))
    with pytest.raises(UsageError, match="no options"):
        evaluate(backend, ["lab-math"], out=tmp_path, limit=2, mode="letters")
    with pytest.raises(UsageError, match="draws nothing"):
        evaluate(backend, ["lab-bias"], out=tmp_path, mode="letters", samples=2, temperature=1.0)
    with pytest.raises(UsageError, match="scripted gives no probabilities"):
        evaluate(ScriptedBackend(answers), ["lab-bias"], out=tmp_path, mode="letters")
