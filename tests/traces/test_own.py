"""The model under training as its own teacher: the lab's base writes the same answers whatever was broken off."""

from __future__ import annotations

import pytest

from fairreason.benchmarks.base import grade_one
from fairreason.errors import UsageError
from fairreason.records import Completion
from fairreason.traces import gather as gathering
from fairreason.traces.gather import Request, gather


def request(folder, **options):
    options = {"bench": "lab-math", "samples": 2, "max_new_tokens": 48, **options}
    return Request(teacher="self", model="lab", out=folder / "own.jsonl", **options)


def test_the_lab_base_writes_traces_and_a_larger_limit_asks_only_for_the_rest(tmp_path, monkeypatch):
    seen = []
    whole = gather(request(tmp_path / "whole", limit=8), progress=lambda done, of, cost: seen.append((done, of)))
    assert whole.asked.answered == 16 and whole.asked.failed == 0 and whole.asked.cost is None
    assert seen[0] == (0, 16) and seen[-1] == (16, 16)
    assert [(one.id, one.sample) for one in whole.answers] == [(e.id, s) for e in whole.source.examples for s in (0, 1)]
    assert {one.model for one in whole.answers} == {whole.settings["version"]}
    assert len({one.completion.text for one in whole.answers}) > 4
    grades = [
        grade_one(whole.source.benchmark, example, answer.completion).outcome
        for example in whole.source.examples
        for answer in whole.answers
        if answer.id == example.id
    ]
    assert grades.count("correct") > 2

    few = gather(request(tmp_path / "parts", limit=4))
    assert set(few.answers) <= set(whole.answers) and len(few.answers) == 8
    rest = gather(request(tmp_path / "parts", limit=8))
    assert rest.answers == whole.answers and rest.asked.before == 8 and rest.asked.answered == 8


def test_more_samples_are_the_same_answers_and_only_the_missing_ones_are_written(tmp_path, monkeypatch):
    from fairreason.models.backends import huggingface

    written, real = [], huggingface.HuggingFaceBackend._run

    def counting(self, batch, sampling):
        written.extend((row.asked.id, row.key) for row in batch)
        return real(self, batch, sampling)

    monkeypatch.setattr(huggingface.HuggingFaceBackend, "_run", counting)
    whole = gather(request(tmp_path / "whole", limit=6, samples=3))
    assert len(written) == len(whole.answers) == 18
    gather(request(tmp_path / "parts", limit=4, samples=2))
    written.clear()
    rest = gather(request(tmp_path / "parts", limit=6, samples=3))
    assert rest.answers == whole.answers and rest.asked.answered == len(written) == 4 + 2 * 3


def test_what_was_written_before_it_broke_off_is_kept(tmp_path, monkeypatch):
    from fairreason.models.backends import huggingface

    monkeypatch.setattr(huggingface, "batches", one_by_one := _small(huggingface.batches))
    whole = gather(request(tmp_path / "whole", limit=6))
    real = huggingface.HuggingFaceBackend._run

    def breaks(self, batch, sampling):
        one_by_one.count += 1
        if one_by_one.count == 4:
            raise KeyboardInterrupt
        return real(self, batch, sampling)

    one_by_one.count = 0
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(huggingface.HuggingFaceBackend, "_run", breaks)
        gather(request(tmp_path / "parts", limit=6))
    again = gather(request(tmp_path / "parts", limit=6))
    assert again.answers == whole.answers and again.asked.before > 0


def _small(real):
    """Batches of two answers, so that a run can break off between them."""

    def batches(prompts, encoder, copies, sampling, most, first):
        for batch in real(prompts, encoder, copies, sampling, most, first):
            yield from ([batch] if isinstance(batch, tuple) else (batch[i : i + 2] for i in range(0, len(batch), 2)))

    return batches


def test_a_question_that_cannot_be_answered_is_counted_and_not_kept(tmp_path, monkeypatch):
    class Half:
        fingerprint = "half"

        def generate(self, prompts, sampling, first):
            for index in range(len(prompts)):
                fine = Completion("so\n</think>\n\nB", "stop", 5, 2)
                yield index, [Completion("out of memory", "error") if index % 2 else fine] * sampling.samples

    monkeypatch.setattr(gathering, "_backend", lambda request: Half())
    found = gather(request(tmp_path, limit=4))
    assert (found.asked.answered, found.asked.failed) == (4, 4) and found.asked.reasons == {"out of memory": 4}
    assert {one.completion.text for one in found.answers} == {"<think>\nso\n</think>\n\nB"}


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"base_url": "http://127.0.0.1:9/v1"}, "--base-url: is for a teacher over a server"),
        ({"max_cost": 1.0}, "--max-cost: is for a teacher over a server"),
        ({"batch": True}, "--batch: is for a teacher over a server"),
        ({"concurrency": 8}, "--concurrency: is for a teacher over a server"),
        ({"time_limit": 9.0}, "--time-limit: is for a teacher over a server"),
        ({"backend": "vllm", "threads": 2}, "--threads: is for --backend huggingface"),
        ({"model": None}, "name the model under training with --model"),
        ({"temperature": 0.0}, "--samples above 1 need a temperature"),
        ({"backend": "hugging"}, "unknown backend hugging"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        gather(Request(**{"bench": "lab-math", "teacher": "self", "model": "lab", "samples": 2,
                          "out": tmp_path / "own.jsonl", **options}))  # fmt: skip
