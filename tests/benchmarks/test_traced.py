"""Traces as a file and as a source: the benchmark's own rows with a teacher's reasoning, everything else counted."""

from __future__ import annotations

import dataclasses
import json
import random

import pytest
from PIL import Image
from world_traces import questions, told

from fairreason import benchmarks
from fairreason.benchmarks import traced, traced_source
from fairreason.benchmarks.base import answer_text, choice_text, folder_name, prompt_text, split_examples
from fairreason.draws import SPLITS, shown_order, split_of
from fairreason.errors import DataError, UsageError
from fairreason.records import Completion, Grade


@pytest.fixture
def source(tmp_path):
    def write(traces, file="some.jsonl"):
        traced.write(tmp_path / file, traces)
        return benchmarks.get(f"traces:{tmp_path / file}")

    return write


@pytest.mark.parametrize("name", ["lab-bias", "lab-bias-vl", "lab-math"])
def test_a_file_is_read_as_it_was_written(tmp_path, name):
    traces = [told(example, sampling={"temperature": 0.6}, sample=3) for example in questions(name)[:5]]
    traced.write(tmp_path / "some.jsonl", traces)
    assert list(traced.read(tmp_path / "some.jsonl")) == traces
    first = json.loads((tmp_path / "some.jsonl").read_text().splitlines()[0])
    example = questions(name)[0]
    assert [turn["role"] for turn in first["messages"]] == ["user", "assistant"]
    assert first["messages"][0]["content"] == prompt_text(example)
    assert first["messages"][1]["content"] == f"<think>\n{example.trace}\n</think>\n\n{answer_text(example)}"
    assert ("images" in first) == (name == "lab-bias-vl")  # a text model's trainer refuses the column


@pytest.mark.parametrize("name", ["lab-bias", "lab-bias-vl", "lab-math", "lab-chart"])
def test_every_split_holds_the_benchmarks_own_rows(source, name):
    own = {split: questions(name, split) for split in SPLITS}
    made = source([told(row, f"Thus {row.id}.") for split in SPLITS for row in own[split][::3]])
    assert (made.axis, made.splits, made.beside) == (benchmarks.get(name).axis, SPLITS, True)
    for split in SPLITS:
        found = made.load(split, None)
        assert [row.id for row in found] == [row.id for row in own[split][::3]]
        for row, theirs in zip(found, own[split][::3], strict=True):
            assert (row.source, row.trace) == (made.name, f"Thus {theirs.id}.")
            assert prompt_text(row) == prompt_text(theirs) and shown_order(row) == shown_order(theirs)
            same = ("axis", "cluster", "bundle", "prompt", "answer", "options", "images", "solution")
            assert all(getattr(row, key) == getattr(theirs, key) for key in same)
            assert made.grade(row, Completion(answer_text(row))).outcome == "correct"
        assert made.left_out(split, None) == {
            traced_source.ELSEWHERE: sum(len(own[other][::3]) for other in SPLITS if other != split)
        }


def test_what_does_not_fit_is_counted_and_every_row_is_somewhere(source):
    train, test = questions("lab-bias"), questions("lab-bias", "test")
    traces = [told(row) for row in train[:12]]
    traces[1] = dataclasses.replace(traces[1], id="lab-bias/Pet/99999")
    traces[2] = dataclasses.replace(traces[2], prompt_hash="0" * 16)
    traces[3] = dataclasses.replace(traces[3], reply=answer_text(train[3]))
    traces[4] = told(train[4], "")
    traces[5] = dataclasses.replace(traces[5], outcome="wrong")
    wrong = next(i for i in range(3) if i != train[7].answer)
    traces[7] = dataclasses.replace(traces[7], reply=f"<think>\nSo it is.\n</think>\n\n{choice_text(train[7], wrong)}")
    traces += [told(train[6]), told(test[0])]
    made = source(traces)
    assert dict(made.left_out("train", None)) == {
        traced_source.FOREIGN: 1,
        traced_source.CHANGED: 1,
        traced_source.NO_REASONING: 2,
        traced_source.NOT_RIGHT: 1,
        traced_source.WRONG: 1,
        traced_source.TWICE: 1,
        traced_source.ELSEWHERE: 1,
    }
    assert [row.id for row in made.load("train", None)] == [train[i].id for i in (0, 6, *range(8, 12))]
    for split in SPLITS:
        assert len(made.load(split, None)) + sum(made.left_out(split, None).values()) == len(traces)


def test_mathematics_is_graded_again_by_value(source):
    rows = questions("lab-math")[:3]
    said = [answer_text(rows[0]), rf"\boxed{{{rows[1].answer}.0}}", r"\boxed{9^{9^{9^9}}}"]
    replies = [Completion(f"<think>\nSo it is.\n</think>\n\n{final}") for final in said]
    right = Grade("correct")
    made = source([traced.trace_of(*pair, right, teacher="t") for pair in zip(rows, replies, strict=True)])
    assert [row.id for row in made.load("train", None)] == [row.id for row in rows[:2]]
    assert dict(made.left_out("train", None)) == {traced_source.WRONG: 1}


def test_reasoning_may_stand_before_the_answer(source):
    (row,) = questions("lab-math")[:1]
    reply = f"{row.trace}\n\nThe answer is {answer_text(row)}."
    trace = traced.trace_of(row, Completion(reply), Grade("correct"), teacher="t")
    assert [one.trace for one in source([trace]).load("train", None)] == [row.trace]


def test_several_samples_are_examples_of_one_question(source):
    rows = questions("lab-bias")[:4]  # one quadruple
    assert len({row.bundle for row in rows}) == 1
    traces = [told(row, f"sample {k}", sample=k) for k in (2, 0, 5) for row in rows]
    traces += [told(rows[0], "another teacher", teacher="z")]
    found = source(traces).load("train", None)
    assert [row.id for row in found[:4]] == [f"{rows[0].id}{more}" for more in ("", "#1", "#2", "#3")]
    assert [row.trace for row in found[:4]] == ["sample 0", "another teacher", "sample 2", "sample 5"]
    assert len({row.id for row in found}) == 13
    for row in found:
        theirs = next(one for one in rows if one.id == row.id.partition("#")[0])
        assert prompt_text(row) == prompt_text(theirs) and row.cluster == theirs.cluster
        assert benchmarks.get(row.source).grade(row, Completion(answer_text(theirs))).choice == theirs.answer
    sizes = [len([row for row in found if row.bundle == bundle]) for bundle in dict.fromkeys(r.bundle for r in found)]
    assert sorted(sizes) == [1, 4, 4, 4]  # a batch takes bundles of the benchmark's own size


def test_one_question_under_two_sources_is_one_question(source, tmp_path):
    """Of `bbq` and `bbq/Age`, say: a benchmark and a part of it, whose traces were joined."""
    cluster = next(str(i) for i in range(99) if split_of(str(i)) == "train")
    rows = [{"id": f"q/{i}", "prompt": f"{i}+1?", "answer": str(i + 1), "cluster": cluster} for i in range(8)]
    traces = []
    for name, count in (("whole", 8), ("part", 4)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows[:count]))
        asked = benchmarks.get(f"items:{path}").load("train", None)
        said = [Completion(f"<think>\nBy the {name}.\n</think>\n\n{row.answer}") for row in asked]
        traces += [
            traced.trace_of(row, one, Grade("correct"), teacher=name, sample=k)
            for k in range(2)
            for row, one in zip(asked, said, strict=True)
        ]
    again = dataclasses.replace(traces[-1], teacher="whole")  # the same teacher's same sample of the same question
    made = source([*traces, again])
    found = made.load("train", None)
    ids = [row.id for row in found]
    assert len(set(ids)) == len(ids) == len(traces) and dict(made.left_out("train", None)) == {traced_source.TWICE: 1}
    assert {id for id in ids if id.startswith("q/0")} == {"q/0", "q/0#1", "q/0#2", "q/0#3"}
    assert source([*reversed(traces), again]).load("train", None) == found


def test_a_split_by_rows_goes_by_the_question_not_by_the_sample(source):
    traces = [told(row, f"sample {k}", sample=k) for k in range(3) for row in questions("lab-bias")[:40]]
    made = source(traces)
    for split in SPLITS:
        found = split_examples(made, split, None, "rows")
        assert found and {split_of(row.id.partition("#")[0]) for row in found} == {split}


def test_the_order_of_the_file_changes_nothing(source):
    traces = [told(row, f"sample {k}", sample=k) for k in range(2) for row in questions("lab-math")[:30]]
    before = source(traces).load("train", None)
    random.Random(0).shuffle(traces)
    assert source(traces).load("train", None) == before


def test_a_question_that_changed_since_is_not_taught(source, tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    row = {"id": "q", "prompt": "Which colour?", "answer": "red", "images": ["a.png"], "cluster": "c"}
    items = tmp_path / "own.jsonl"
    items.write_text(json.dumps(row) + "\n")
    own = benchmarks.get(f"items:{items}")
    (example,) = [one for split in SPLITS for one in own.load(split, None)]
    trace = traced.trace_of(example, Completion("It is red.\n\\boxed{red}"), Grade("correct"), teacher="t")
    split = split_of("c")
    (found,) = source([trace]).load(split, None)
    assert found.trace == "It is red." and found.images == example.images
    written = json.loads((tmp_path / "some.jsonl").read_text())
    assert written["images"][0].startswith("data:image/png;base64,") and str(tmp_path) not in str(written["images"])
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "a.png")
    assert dict(source([trace]).left_out(split, None)) == {traced_source.CHANGED: 1}


def test_a_file_names_only_what_it_may(source, tmp_path, monkeypatch):
    example = questions("lab-math")[0]
    far = tmp_path.parent / f"{tmp_path.name}-far.jsonl"
    far.write_text('{"id": "q", "prompt": "?", "answer": "1"}\n')
    plain = told(example)
    source([plain])
    line = json.loads((tmp_path / "some.jsonl").read_text())
    for named, said in (
        ("lab-maths", r"some.jsonl: unknown benchmark lab-maths. Did you mean lab-math\?"),
        ("bbq-open", "bbq-open is for evaluation alone"),
        ("traces:some.jsonl", "is a file of traces itself"),
        (f"items:{far}", "lies neither below the working folder nor beside or below this file"),
        ("items:a\0b", "lies neither below"),
    ):
        (tmp_path / "some.jsonl").write_text(json.dumps({**line, "source": named}) + "\n")
        with pytest.raises(DataError, match=said):
            benchmarks.get(f"traces:{tmp_path / 'some.jsonl'}")
    monkeypatch.chdir(tmp_path.parent)
    assert source([dataclasses.replace(plain, source=f"items:{far.name}")]).axis == "reasoning"
    with pytest.raises(DataError, match=r"lab-math is a reasoning source, lab-bias a bias source; one file"):
        source([plain, told(questions("lab-bias")[0])])
    with pytest.raises(DataError, match="one alone is split"):
        source([plain, dataclasses.replace(plain, source=f"items:{far.name}")])
    with pytest.raises(DataError, match=r"some.jsonl: no traces"):
        source([])
    with pytest.raises(DataError, match=r"gone.jsonl: cannot be read"):
        benchmarks.get(f"traces:{tmp_path}/gone.jsonl")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ""}, "id must be a text"),
        ({"source": 3}, "source must be a text"),
        ({"prompt_hash": None}, "prompt_hash must be a text"),
        ({"messages": []}, "messages must be a user's and an assistant's"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ["b"]}]}, "messages must be"),
        ({"messages": [3]}, "messages must be"),
        ({"sample": "0"}, "sample is a str"),
        ({"sample": True}, "sample is a bool"),
        ({"cost": "1"}, "cost is a str"),
        ({"grade": "correct"}, "grade is a str"),
        ({"sampling": []}, "sampling is a list"),
        ({"images": "a.png"}, "images is a str"),
        ({"teacher": 7}, "teacher is a int"),
    ],
)
def test_a_line_that_is_no_trace_says_where_and_why(source, tmp_path, change, said):
    source([told(questions("lab-math")[0])])
    path = tmp_path / "some.jsonl"
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row) + "\n" + json.dumps({**row, **change}) + "\n")
    with pytest.raises(DataError, match=rf"some\.jsonl:2: not a trace, {said}"):
        benchmarks.get(f"traces:{path}")


def test_a_torn_last_line_says_where(source, tmp_path):
    source([told(questions("lab-math")[0])])
    with (tmp_path / "some.jsonl").open("a") as file:
        file.write('{"id": "lab-')
    with pytest.raises(DataError, match=r"some\.jsonl:2: not JSON"):
        benchmarks.get(f"traces:{tmp_path}/some.jsonl")


def test_a_file_of_ones_own_is_named_from_the_trace_file_and_goes_where_it_goes(tmp_path, monkeypatch):
    """Beside the trace file, below it, below the working folder, or far away: no row says whose machine it was."""
    here, out = tmp_path / "here", tmp_path / "here" / "out"
    row = {
        "id": "q",
        "prompt": "1 + 1?",
        "answer": "2",
        "cluster": next(c for c in map(str, range(99)) if split_of(c) == "train"),
    }
    named = {out / "own.jsonl": "own.jsonl", out / "deep" / "own.jsonl": "deep/own.jsonl",
             here / "data" / "own.jsonl": "data/own.jsonl", tmp_path / "far" / "far.jsonl": "far.jsonl"}  # fmt: skip
    here.mkdir()
    monkeypatch.chdir(here)
    for own, shown in named.items():
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(json.dumps(row) + "\n")
        (example,) = benchmarks.get(f"items:{own}").load("train", None)
        trace = traced.trace_of(example, Completion("It is 2.\n\\boxed{2}"), Grade("correct"), teacher="t")
        traced.write(out / "some.jsonl", [trace])
        assert json.loads((out / "some.jsonl").read_text())["source"] == f"items:{shown}"
        assert str(tmp_path) not in (out / "some.jsonl").read_text()
        if own.is_relative_to(here):
            (taught,) = benchmarks.get("traces:out/some.jsonl").load("train", None)
            assert taught.trace == "It is 2."
    with pytest.raises(DataError, match=r"far\.jsonl: cannot be read"):
        benchmarks.get("traces:out/some.jsonl")
    (tmp_path / "far" / "far.jsonl").rename(out / "far.jsonl")
    out.rename(tmp_path / "moved")
    moved = benchmarks.get(f"traces:{tmp_path / 'moved' / 'some.jsonl'}")
    (taught,) = moved.load("train", None)
    assert moved.grade(taught, Completion("\\boxed{2}")).outcome == "correct"


def test_two_benchmarks_of_one_axis_share_a_file(source):
    rows = [questions("lab-bias")[0], questions("lab-bias-vl")[0]]
    made = source([told(row) for row in rows])
    assert [row.metadata["benchmark"] for row in made.load("train", None)] == ["lab-bias", "lab-bias-vl"]
    for row in made.load("train", None):
        assert made.grade(row, Completion(answer_text(row))).outcome == "correct"
    assert made.licence == "Apache-2.0" and folder_name(made.name).startswith("traces-")


def test_the_name_needs_a_file():
    with pytest.raises(UsageError, match=r"unknown benchmark traces\..*traces:PATH for a file of traces"):
        benchmarks.get("traces")


@pytest.mark.data
def test_bbqs_traces_are_bbqs_rows(source, data_folder):
    bbq = benchmarks.get("bbq/Religion")
    rows = [row for split in SPLITS for row in bbq.load(split, data_folder)]
    traces = []
    for row in rows:
        reply = f"<think>\nThe text of {row.id} says so.\n</think>\n\n{answer_text(row)}"
        traces.append(traced.trace_of(row, Completion(reply), Grade("correct"), teacher="t"))
    made = source(traces)
    tested = {row.cluster for row in bbq.load("test", data_folder)}
    train = made.load("train", data_folder)
    assert [row.id for row in train] == [row.id for row in bbq.load("train", data_folder)]
    assert train and not {row.cluster for row in train} & tested
    assert {row.trace for row in train} == {f"The text of {row.id} says so." for row in train}
