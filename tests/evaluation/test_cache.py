"""Answers kept beyond one evaluation: never asked twice, never of other weights, settings or pictures."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from sample_benchmark import SAMPLE, png
from test_evaluate import answers, content

import fairreason as fr
from fairreason.errors import ModelError, RunError, UsageError
from fairreason.evaluation import evaluate as module
from fairreason.evaluation.cache import Cache, cache_folder
from fairreason.evaluation.evaluate import evaluate
from fairreason.files import read_jsonl
from fairreason.models.backends import Prompt, Sampling
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.backends.scripted import ScriptedBackend
from fairreason.models.load import load
from fairreason.records import Completion


class Counting(HuggingFaceBackend):
    """The real backend, which writes down what it is asked."""

    def generate(self, prompts, sampling):
        self.asked = [prompt.id for prompt in prompts]
        return super().generate(prompts, sampling)


def scripted(asked, fingerprint="scripted"):
    return ScriptedBackend(lambda p, s: asked.append((p.id, s)) or answers(p, s), fingerprint)


def test_a_second_evaluation_asks_nothing_and_ends_in_the_same_bytes(tmp_path, tiny_vl):
    settings = {"samples": 2, "temperature": 1.0, "max_new_tokens": 6, "seed": 3}
    evaluate(HuggingFaceBackend(load(str(tiny_vl))), [SAMPLE], out=tmp_path / "without", **settings)
    for name, asked in [("first", 30), ("second", 0)]:
        backend = Counting(load(str(tiny_vl)))
        evaluate(backend, [SAMPLE], out=tmp_path / name, cache=tmp_path / "cache", **settings)
        assert len(backend.asked) == asked
        assert content(tmp_path / name) == content(tmp_path / "without")
    backend = Counting(load(str(tiny_vl)))
    evaluate(backend, [SAMPLE], out=tmp_path / "fewer", cache=tmp_path / "cache", **settings | {"samples": 1})
    assert backend.asked == []  # the first sample of two is the sample of one
    for change in ({"seed": 4}, {"samples": 3}, {"max_new_tokens": 7}, {"temperature": 0.5}, {"thinking": "off"}):
        backend = Counting(load(str(tiny_vl)))
        out = tmp_path / "-".join(map(str, change))
        evaluate(backend, [SAMPLE], out=out, cache=tmp_path / "cache", **settings | change)
        assert len(backend.asked) == 30, change


def test_a_larger_subset_asks_only_what_is_new(tmp_path):
    asked = []
    backend = ScriptedBackend(lambda prompt, sample: asked.append(prompt.id) or "B")
    evaluate(backend, ["lab-bias"], out=tmp_path / "a", cache=tmp_path / "cache", limit=16)
    assert len(asked) == 16
    evaluate(backend, ["lab-bias", "lab-math"], out=tmp_path / "b", cache=tmp_path / "cache", limit=24)
    assert len(asked) == len(set(asked)) == 48


def test_weights_written_over_in_place_are_other_weights(tmp_path, tiny_qwen3):
    folder = tmp_path / "checkpoint"
    shutil.copytree(tiny_qwen3, folder)

    def asked(name):
        backend = Counting(load(str(folder)))
        result = evaluate(backend, [TEXT], out=tmp_path / name, cache=tmp_path / "cache", max_new_tokens=6)
        return backend.asked, result, content(tmp_path / name)["sample/completions.jsonl"]

    first, _, before = asked("first")
    assert len(first) == 30 and asked("again")[0] == []
    model = load(str(folder)).model
    with torch.no_grad():
        model.model.layers[0].mlp.down_proj.weight.mul_(-1)
    model.save_pretrained(folder)
    second, _, after = asked("other weights")
    assert len(second) == 30 and after != before
    shutil.copytree(tiny_qwen3, folder, dirs_exist_ok=True)
    back, _, same = asked("first weights")
    assert back == [] and same == before


def test_weights_written_over_after_loading_are_not_taken_for_those_loaded(tmp_path, tiny_qwen3):
    folder = tmp_path / "checkpoint"
    shutil.copytree(tiny_qwen3, folder)
    loaded = load(str(folder))
    other = load(str(folder)).model
    with torch.no_grad():
        other.model.norm.weight.mul_(2)
    other.save_pretrained(folder)
    with pytest.raises(ModelError, match="its files have changed since they were loaded"):
        evaluate(HuggingFaceBackend(loaded), [TEXT], out=tmp_path / "out", cache=tmp_path / "cache")


TEXT = dataclasses.replace(
    SAMPLE, load=lambda split, data: [dataclasses.replace(e, images=()) for e in SAMPLE.load(split, data)]
)


def test_a_picture_counts_by_its_content(tmp_path):
    path = tmp_path / "picture.png"
    asked = []

    def found(color):
        path.write_bytes(base64.b64decode(png(color).partition(",")[2]))
        backend, sampling = scripted(asked), Sampling()
        cache, prompt = Cache(tmp_path / "cache", backend, sampling), Prompt("a", "What is here?", (str(path),))
        held = cache.find([prompt])
        cache.add([(prompt, [Completion(str(color))])])
        return held

    assert found((1, 2, 3)) == {} and found((9, 9, 9)) == {}
    assert found((1, 2, 3)) == {0: [Completion("(1, 2, 3)")]}


def test_a_greedy_answer_belongs_to_the_prompt_a_sampled_one_to_the_question(tmp_path):
    for sampling, shared in [
        (Sampling(), True),
        (Sampling(seed=7, samples=3), True),
        (Sampling(temperature=1.0), False),
    ]:
        cache = Cache(tmp_path / str(sampling.temperature), scripted([]), sampling)
        cache.add([(Prompt("a", "the same"), [Completion("x")] * sampling.samples)])
        assert (0 in cache.find([Prompt("b", "the same")])) == shared
        assert cache.find([Prompt("a", "the same")]) == {0: [Completion("x")] * sampling.samples}


def test_failed_answers_are_not_kept(tmp_path):
    asked = []
    first = evaluate(scripted(asked), [SAMPLE], out=tmp_path / "a", cache=tmp_path / "cache", temperature=1.0)
    assert len(asked) == 30
    second = evaluate(scripted(asked), [SAMPLE], out=tmp_path / "b", cache=tmp_path / "cache", temperature=1.0)
    assert [name for name, _ in asked[30:]] == [f"sample/{i}" for i in range(5, 30, 6)] and second == first


def test_text_of_any_kind_comes_back_as_it_was(tmp_path):
    texts = ["", "a\0b", "\U0001f600 \u2028 </script>", "x" * 5_000_000, "<think>\n"]
    cache = Cache(tmp_path, scripted([]), Sampling())
    prompts = [Prompt(str(i), str(i)) for i in range(len(texts))]
    kept = [[Completion(text, "length", 3, 4)] for text in texts]
    cache.add(list(zip(prompts, kept, strict=True)))
    assert cache.find(prompts) == dict(enumerate(kept))


def test_a_file_that_is_no_cache_is_named_and_one_that_is_deleted_is_made_again(tmp_path):
    cache, prompt = Cache(tmp_path, scripted([]), Sampling()), Prompt("a", "a")
    cache.add([(prompt, [Completion("x")])])
    os.utime(cache.path, (0, 0))
    assert cache.find([prompt]) and time.time() - cache.path.stat().st_mtime < 600  # its date is its last use
    cache.path.write_bytes(b"no database at all, but long enough to look like one" * 99)
    with pytest.raises(RunError, match=r"scripted-.*\.sqlite: cannot be used as a cache"):
        cache.find([prompt])
    cache.path.unlink()
    assert cache.find([prompt]) == {}
    cache.add([(prompt, [Completion("y")])])
    assert cache.find([prompt]) == {0: [Completion("y")]}


def test_a_server_of_unknown_weights_needs_a_name_for_them(tmp_path):
    backend = scripted([])
    backend.weights_are_known = False
    with pytest.raises(UsageError, match="add --revision NAME"):
        evaluate(backend, [SAMPLE], out=tmp_path / "out", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_folder_is_the_environments_where_it_names_one(monkeypatch):
    monkeypatch.delenv("FAIRREASON_CACHE", raising=False)
    assert cache_folder() is None
    monkeypatch.setenv("FAIRREASON_CACHE", "here/cache")
    assert cache_folder() == Path("here/cache")


def test_a_run_keeps_its_answers_where_the_environment_says(tmp_path, tiny_qwen3, monkeypatch):
    monkeypatch.setenv("FAIRREASON_CACHE", str(tmp_path / "cache"))
    recipe = fr.Recipe(
        model=str(tiny_qwen3),
        strategy={"type": "none"},
        evaluation={"benchmarks": ["lab-math"], "limit": 8, "max_new_tokens": 4},
    )
    first = fr.train(recipe, tmp_path / "first") / "evaluation/lab-math/completions.jsonl"
    (kept,) = (tmp_path / "cache").iterdir()
    with contextlib.closing(sqlite3.connect(kept)) as table, table:  # as only an answer from the cache can be
        table.execute("UPDATE answers SET completions = ?", ['[{"text": "from the cache"}]'])
    second = fr.train(recipe, tmp_path / "second") / "evaluation/lab-math/completions.jsonl"
    assert {row["text"] for row in read_jsonl(second)} == {"from the cache"}
    assert [row["id"] for row in read_jsonl(second)] == [row["id"] for row in read_jsonl(first)]


WRITER = """
import sys
from pathlib import Path
from fairreason.evaluation.cache import Cache
from fairreason.files import read_jsonl
from fairreason.models.backends import Prompt, Sampling
from fairreason.models.backends.scripted import ScriptedBackend
from fairreason.records import Completion
cache = Cache(Path(sys.argv[1]), ScriptedBackend(lambda p, s: "", "shared"), Sampling())
for i in range(int(sys.argv[3])):
    prompt = Prompt("", f"{sys.argv[2]}/{i}")
    cache.add([(prompt, [Completion(prompt.text * 50)])])
    print(i, flush=True)
"""


def writer(folder, name, count):
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_share_it_and_a_killed_one_leaves_it_whole(tmp_path):
    killed, others = writer(tmp_path, "killed", 100_000), [writer(tmp_path, name, 40) for name in ("one", "two")]
    for _ in range(60):
        last = killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    for process in others:
        process.communicate(timeout=100)
        assert process.returncode == 0
    cache = Cache(tmp_path, ScriptedBackend(lambda p, s: "", "shared"), Sampling())
    texts = [f"{name}/{i}" for name in ("one", "two") for i in range(40)]
    texts += [f"killed/{i}" for i in range(int(last) + 1)]  # what it said was kept
    found = cache.find([Prompt("", text) for text in texts])
    assert [found[i][0].text for i in range(len(texts))] == [text * 50 for text in texts]


def test_what_was_answered_before_a_kill_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SAVE_SECONDS", 999.0)
    asked = []

    def some(prompt, sample):
        if prompt.id == "sample/20":
            raise KeyboardInterrupt
        return answers(prompt, sample)

    with pytest.raises(KeyboardInterrupt):
        evaluate(ScriptedBackend(some), [SAMPLE], out=tmp_path / "a", cache=tmp_path / "cache", temperature=1.0)
    evaluate(scripted(asked), [SAMPLE], out=tmp_path / "b", cache=tmp_path / "cache", temperature=1.0)
    assert [name for name, _ in asked] == [
        "sample/5",
        "sample/11",
        "sample/17",
        *(f"sample/{i}" for i in range(20, 30)),
    ]
