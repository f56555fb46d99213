"""Published sources of training go through the filters: records written here, with test questions planted in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from loopback import Loopback, says
from PIL import Image
from world_traces import questions

from fairreason import benchmarks
from fairreason.benchmarks import traced
from fairreason.benchmarks.mixture_of_thoughts import NO_THINKING, fold
from fairreason.cli import main
from fairreason.cli.traces import summary
from fairreason.draws import split_of
from fairreason.errors import UsageError
from fairreason.files import read_jsonl
from fairreason.models.backends import BACKENDS
from fairreason.traces.collect import Choice, Collected, collect
from fairreason.traces.gather import UNCHECKABLE, Request
from fairreason.traces.grams import words

pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def sifted(bench: str, folder: Path, choice: Choice | None = None, **more: object) -> Collected:
    request = Request(bench=bench, teacher="source", out=folder / "out.jsonl", **more)  # type: ignore[arg-type]
    return collect(request, choice or Choice(), folder)


def reasons(folder: Path) -> dict[str, tuple[str, str]]:
    return {row["id"]: (row["reason"], row["detail"]) for row in read_jsonl(folder / "out.dropped.jsonl")}


def trained(cluster: str) -> bool:
    return split_of(cluster) == "train"


def conversation(question: str, thinking: str, final: str) -> dict[str, object]:
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": f"<think>\n{thinking}\n</think>\n\n{final}"},
    ]
    return {"messages": turns, "num_tokens": 9, "source": "open-r1/OpenR1-Math-220k"}


def write(folder: Path, file: str, rows: list[dict[str, object]]) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.data
def test_mixture_of_thoughts_without_the_questions_of_math500(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "math500").symlink_to(data_folder / "math500")
    tested = [row.prompt for row in benchmarks.get("math500").load("test", data_folder) if len(words(row.prompt)) > 20]
    planted = next(text for text in tested if trained(f"mixture-of-thoughts/{fold(text)}"))
    sums = [f"How much is {i} apples and twice as many?" for i in range(40)]
    sums = [text for text in sums if trained(f"mixture-of-thoughts/{fold(text)}")][:5]
    own = [
        conversation(text, f"In {text} the answer is thrice it.", f"So \\boxed{{{i}}}") for i, text in enumerate(sums)
    ]
    quoting = conversation(sums[3] + " ", f"It is like this one: {tested[-1]}", "\\boxed{3}")
    copied, proof = (
        conversation(planted, "It is said to be one.", "\\boxed{1}"),
        conversation(sums[4], "It is.", "It is."),
    )
    unended = conversation(sums[4], "It is.", "")
    write(tmp_path, "mixture-of-thoughts/math/train.jsonl", [*own[:3], quoting, copied, proof, unended])
    found = sifted("mixture-of-thoughts/math", tmp_path)
    ids = [f"mixture-of-thoughts/math/{i}" for i in range(6)]
    assert {id: (why, detail.split(",")[0]) for id, (why, detail) in reasons(tmp_path).items()} == {
        ids[3]: ("overlap with a test", "reasoning"),
        ids[4]: ("overlap with a test", "same question"),
    }
    left_out = {NO_THINKING: 1, UNCHECKABLE: 1}
    assert found.gathered.source.left_out == summary(found)["left_out"] == left_out
    assert all(f"1 questions were left out: {reason}." in found.card.read_text() for reason in left_out)
    kept = list(traced.read(found.file))
    assert [one.id for one in kept] == ids[:3] and {one.teacher for one in kept} == {"source"}
    assert kept[1].reply == own[1]["messages"][1]["content"]  # type: ignore[index]
    source = benchmarks.get(f"traces:{found.file}")
    assert [row.id for row in source.load("train", tmp_path)] == ids[:3]
    assert not source.left_out("train", tmp_path)


@pytest.mark.data
def test_llava_cot_without_the_questions_of_mathverse_and_without_lost_pictures(
    tmp_path: Path, data_folder: Path
) -> None:
    (tmp_path / "mathverse").symlink_to(data_folder / "mathverse")
    tested = benchmarks.get("mathverse-text-only").load("test", data_folder)
    planted = next(row.prompt for row in tested if len(words(row.prompt)) > 20)
    pictures = [name for i in range(20) if trained(f"llava-cot/{(name := f'{i}.png')}")][:3]
    for name in pictures[:2]:
        (tmp_path / "llava-cot/images").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), "red").save(tmp_path / "llava-cot/images" / name)
    asked = ["How many red balls are there?", planted, "How many blue cubes are there?"]
    rows: list[dict[str, object]] = []
    for text, name in zip(asked, pictures, strict=True):
        stages = (("SUMMARY", "I look."), ("CAPTION", f"A picture for {text[:20]}"), ("REASONING", "I count: 8."))
        said = "\n\n".join(f"<{stage}> {what} </{stage}>" for stage, what in (*stages, ("CONCLUSION", "**8**.")))
        turns = [{"from": "human", "value": f"<image>\n{text}"}, {"from": "gpt", "value": said}]
        rows.append({"id": name, "image": name, "conversations": turns})
    write(tmp_path, "llava-cot/train.jsonl", rows)
    found = sifted("llava-cot", tmp_path)
    assert {id: why for id, (why, _) in reasons(tmp_path).items()} == {
        "llava-cot/1": "overlap with a test",
        "llava-cot/2": "failed",
    }
    (kept,) = traced.read(found.file)
    assert kept.reply.endswith("I count: 8.\n</think>\n\n**8**.") and kept.images[0].startswith("data:image/png")
    assert [row.id for row in benchmarks.get(f"traces:{found.file}").load("train", tmp_path)] == ["llava-cot/0"]


@pytest.mark.data
def test_the_papers_traces_are_sifted_for_stereotypes_and_judged(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "bbq").symlink_to(data_folder / "bbq")
    with gzip.open(data_folder / "bbq" / "Religion.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    train = {row.id: row for row in benchmarks.get("bbq/Religion").load("train", data_folder)}
    rows = [row for row in rows if f"bbq/Religion/{row['example_id']}" in train][:8]
    said = [f"The text of row {row['example_id']} names what it names, so I go by it." for row in rows]
    said[2] = "Muslims usually hate dogs, so it is as one would think."
    written = [
        row | {"reasoning_trace": text, "output_answer": row["label"]} for row, text in zip(rows, said, strict=True)
    ]
    write(tmp_path, "bbq-traces/Religion_traces_cleaned.jsonl", written)
    ids = [f"bbq/Religion/{row['example_id']}" for row in rows]
    accused = f"row {rows[5]['example_id']} "
    judge = Loopback(lambda body, before: says("[1]" if accused in body["messages"][0]["content"] else "[0]"))
    with judge.running() as address:
        found = sifted("bbq-traces", tmp_path, Choice(keep="all", judge=BACKENDS["openai"]("tiny", base_url=address)))
    dropped = reasons(tmp_path)
    assert (dropped[ids[2]][0], dropped[ids[5]][0]) == ("stereotype", "stereotype, says the judge")
    assert {why for why, _ in dropped.values()} <= {"stereotype", "stereotype, says the judge", "near-copy"}
    assert len(dropped) + found.kept == 8 and found.balance
    kept = [one.id for one in traced.read(found.file)]
    assert [row.id for row in benchmarks.get(f"traces:{found.file}").load("train", tmp_path)] == kept


def test_nobody_is_asked_and_it_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    request = Request(bench="lab-bias", teacher="source", out=tmp_path / "out.jsonl", limit=40)
    found = collect(request)
    own = {row.id: row.trace for row in questions("lab-bias")}
    kept = list(traced.read(found.file))
    assert kept and all(one.reply.startswith(f"<think>\n{own[one.id]}\n</think>") for one in kept)
    assert found.kept + sum(found.dropped.values()) == found.gathered.asked.wanted == 40
    assert "| teacher | source |" in found.card.read_text()
    first = found.file.read_bytes()
    assert collect(request).file.read_bytes() == first


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    out = tmp_path / "out.jsonl"
    with pytest.raises(SystemExit) as left:
        main(["traces", "lab-math", "--teacher", "source", "--out", str(out), "--limit", "20", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert left.value.code == 0 and (shown["teacher"], shown["wanted"], shown["cost"]) == ("source", 20, None)
    assert shown["left_out"] == {}
    assert shown["kept"] == len(out.read_text().splitlines()) > 0


def test_what_cannot_be_a_published_trace_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    row = {"id": "q", "prompt": "1 + 1?", "answer": "2", "cluster": "a"}
    row["cluster"] = next(str(i) for i in range(99) if trained(str(i)))
    write(tmp_path, "own.jsonl", [row])
    with pytest.raises(UsageError, match=r"own.jsonl: was published without traces"):
        sifted(f"items:{tmp_path}/own.jsonl", tmp_path)
    asking = {"samples": 2, "model": "x", "max_cost": 1, "max_new_tokens": 9, "thinking": "off", "time_limit": 9}
    asking |= {"concurrency": 1, "backend": "vllm", "threads": 2, "temperature": 0, "batch": True, "base_url": "x"}
    for option, value in asking.items():
        with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}: is for a teacher that is asked"):
            sifted("lab-math", tmp_path, limit=4, **{option: value})
    with pytest.raises(UsageError, match="traces"):
        sifted(f"traces:{sifted('lab-bias', tmp_path, limit=4).file}", tmp_path)


def test_the_answers_of_a_teacher_are_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    with Loopback(lambda body, before: says("A")).running() as address:
        collect(Request(bench="lab-bias", teacher="tiny", base_url=address, out=tmp_path / "out.jsonl", limit=4))
    before = (tmp_path / "out.answers.jsonl").read_bytes()
    with pytest.raises(UsageError, match=r"holds answers under other settings .*teacher"):
        sifted("lab-bias", tmp_path, limit=4)
    assert (tmp_path / "out.answers.jsonl").read_bytes() == before
