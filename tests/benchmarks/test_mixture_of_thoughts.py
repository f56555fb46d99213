"""Mixture-of-Thoughts: records written here in the published format, read from Parquet and from JSON lines."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.benchmarks.choices import choices
from fairreason.benchmarks.validate import validate
from fairreason.draws import SPLITS
from fairreason.errors import DataError
from fairreason.records import Completion, Example, from_json, to_json
from fairreason.training.targets import own_solution, target, teacher_trace

WHOLE = benchmarks.get("mixture-of-thoughts")
TURN = pa.struct([("role", pa.string()), ("content", pa.string())])
SCHEMA = pa.schema([("messages", pa.list_(TURN)), ("num_tokens", pa.int64()), ("source", pa.string())])


def row(question: str, reply: str, source: str = "open-r1/OpenR1-Math-220k") -> dict:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return {"messages": turns, "num_tokens": len(reply.split()), "source": source}


MATH = row("What is half of $1$?", "<think>\nHalf of 1, so .5.\n</think>\n\nIt is\n\n\\[\\boxed{\\frac{1}{2}}\\]")
CODE = row("Print 1.", "<think>\nEasy.\n</think>\n\n```python\nprint(1)\n```", "open-r1/codeforces-cots")
CHOICE = row(
    "Which is a metal?\nA: sulfur\nB: iron\nC: neon",
    "<think>\nSulfur, neon: no. So B.\n</think>\n\nIron is a metal.\n\n\\boxed{B}",
    "nvidia/Llama-Nemotron-Post-Training-Dataset",
)
PROOF = row("Show that 2 is even.", "<think>\n2 = 2 * 1.\n</think>\n\nSince 2 = 2 * 1, it is even.")
ROWS = {"math": [MATH, PROOF], "code": [CODE], "science": [CHOICE]}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


def write(folder: Path, rows: dict[str, list[dict]], kind: str = "parquet") -> Path:
    for part, records in rows.items():
        place = folder / "mixture-of-thoughts" / part
        place.mkdir(parents=True, exist_ok=True)
        if kind == "parquet":
            pq.write_table(pa.Table.from_pylist(records, SCHEMA), place / "train-00000-of-00001.parquet")
        else:
            (place / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def everything(name: str, folder: Path) -> dict[str, Example]:
    return {one.id: one for split in SPLITS for one in benchmarks.get(name).load(split, folder)}


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_records_become_examples(tmp_path, kind):
    found = everything("mixture-of-thoughts", write(tmp_path, ROWS, kind))
    assert sorted(found) == [f"mixture-of-thoughts/{one}" for one in ("code/0", "math/0", "math/1", "science/0")]
    code, half, proof, choice = (found[id] for id in sorted(found))
    assert (half.answer, half.trace, half.options) == (r"\frac{1}{2}", "Half of 1, so .5.", ())
    assert half.solution == "It is\n\n\\[\\boxed{\\frac{1}{2}}\\]"
    assert prompt_text(half) == "What is half of $1$?\nGive the final answer in \\boxed{}."
    assert (choice.answer, choice.options) == (1, ("sulfur", "iron", "neon"))
    assert prompt_text(choice).splitlines()[:4] == ["Which is a metal?", "A. sulfur", "B. iron", "C. neon"]
    assert answer_text(choice) == r"\boxed{B}"
    for plain, text in ((proof, "Since 2 = 2 * 1, it is even."), (code, "```python\nprint(1)\n```")):
        assert plain.answer == answer_text(plain) == text and plain.solution is None
        assert plain.metadata["checkable"] is False and prompt_text(plain) == plain.prompt


def test_what_is_checked_and_what_no_rule_can_check(tmp_path):
    found = everything("mixture-of-thoughts", write(tmp_path, ROWS))
    half, code, choice = (found[f"mixture-of-thoughts/{one}"] for one in ("math/0", "code/0", "science/0"))
    outcomes = [
        (half, r"\boxed{0.5}", "correct"), (half, r"\boxed{0.6}", "wrong"), (half, "Half.", "unparsed"),
        (choice, r"<think>A?</think> \boxed{B}", "correct"), (choice, r"\boxed{\text{neon}}", "wrong"),
        (code, "```python\nprint(1)\n```", "unparsed"),
    ]  # fmt: skip
    for example, text, outcome in outcomes:
        assert WHOLE.grade(example, Completion(text)).outcome == outcome
    for example in (half, choice):
        assert WHOLE.grade(example, Completion(answer_text(example))).outcome == "correct"


def test_what_the_two_supervised_strategies_teach(tmp_path):
    found = everything("mixture-of-thoughts", write(tmp_path, ROWS))
    half, code = found["mixture-of-thoughts/math/0"], found["mixture-of-thoughts/code/0"]
    assert target(half, own_solution) == ("It is\n\n\\[\\boxed{\\frac{1}{2}}\\]", r"\boxed{\frac{1}{2}}")
    assert target(half, teacher_trace) == ("Half of 1, so .5.", r"\boxed{\frac{1}{2}}")
    assert target(code, own_solution) == ("", "```python\nprint(1)\n```")
    assert target(code, teacher_trace) == ("Easy.", "```python\nprint(1)\n```")


def test_two_boxes_a_reply_without_end_and_an_option_that_is_none(tmp_path):
    rows = [
        row("Two?", "<think>\n1\n</think>\n\n\\boxed{1} or rather \\boxed{2}"),
        row("Cut?", "<think>\n1 and then"),
        row("Which?\nA) x\nB) y", "<think>\nD\n</think>\n\n\\boxed{D}"),
        row("Same box?", "<think>\n1\n</think>\n\nSo \\boxed{1}. Indeed \\boxed{1}."),
    ]
    folder = write(tmp_path, {"math": rows})
    found = everything("mixture-of-thoughts/math", folder)
    assert {id[-1]: one.metadata["checkable"] for id, one in found.items()} == {"0": False, "2": False, "3": True}
    math = benchmarks.get("mixture-of-thoughts/math")
    dropped = [dict(math.left_out(split, folder)) for split in SPLITS]
    assert [one for one in dropped if one] == [{"no thinking part that ends, or nothing after it": 1}]
    assert found["mixture-of-thoughts/math/2"].prompt == "Which?\nA) x\nB) y"  # no option is gold: asked as published


def test_doubled_questions_stay_in_one_split_and_the_whole_is_its_parts(tmp_path):
    rows = [row(f"What  is {i} + 1?", f"<think>\n.\n</think>\n\n\\boxed{{{i + 1}}}") for i in range(200)]
    twins = [row(f"what is {i} + 1?", f"<think>\n;\n</think>\n\n\\boxed{{{i + 1}}}") for i in range(200)]
    folder = write(tmp_path, {"math": rows, "science": twins, "code": [CODE]})
    split_of = {}
    for split in SPLITS:
        for one in WHOLE.load(split, folder):
            assert split_of.setdefault(one.cluster, split) == split
        part = benchmarks.get("mixture-of-thoughts/math").load(split, folder)
        assert {one.id for one in part} == {one.id for one in WHOLE.load(split, folder) if "/math/" in one.id}
        assert {one.source for one in part} <= {"mixture-of-thoughts/math"}
    assert len(split_of) == 201


def test_the_folder_all_stands_in_for_three_parts_but_not_for_one(tmp_path):
    folder = write(tmp_path, {"all": [MATH, CODE, CHOICE]})
    found = everything("mixture-of-thoughts", folder)
    assert [one.metadata["category"] for _, one in sorted(found.items())] == ["math", "code", "science"]
    with pytest.raises(DataError, match=r"mixture-of-thoughts: no data. Looked for .*/math/train-\*\.parquet"):
        benchmarks.get("mixture-of-thoughts/math").load("train", folder)


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_what_is_no_conversation_names_its_row(tmp_path, kind):
    alone = {"messages": MATH["messages"][:1], "num_tokens": 1, "source": "s"}
    with pytest.raises(DataError, match=r"mixture-of-thoughts/math, row 1: messages must be a user's and an"):
        everything("mixture-of-thoughts/math", write(tmp_path, {"math": [MATH, alone]}, kind))


def test_files_of_another_format(tmp_path):
    place = tmp_path / "mixture-of-thoughts" / "math"
    place.mkdir(parents=True)
    (place / "train.jsonl").write_text('{"problem": "1 + 1?"}\n')
    with pytest.raises(DataError, match=r"train.jsonl: not rows of mixture-of-thoughts/math with messages"):
        everything("mixture-of-thoughts/math", tmp_path)
    (place / "train.jsonl").unlink()
    (place / "train-00000-of-00001.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match=r"train-00000-of-00001.parquet: not rows of mixture-of-thoughts/math"):
        everything("mixture-of-thoughts/math", tmp_path)


def test_an_example_whose_texts_stay_on_disk_is_an_example_like_any_other(tmp_path):
    half = everything("mixture-of-thoughts/math", write(tmp_path, ROWS))["mixture-of-thoughts/math/0"]
    plain = from_json(Example, to_json(half))
    assert type(plain) is Example and plain.trace == half.trace and plain.prompt == half.prompt
    assert pickle.loads(pickle.dumps(half)) == plain == copy.deepcopy(half)
    assert dataclasses.replace(half, trace="mine") == dataclasses.replace(plain, trace="mine")
    with pytest.raises(AttributeError):
        half.trace = "other"


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Pick.\n(A) one\n(B) two", ("one", "two")),
        ("Pick.\n\n**A.** one\n**B.** two", ("one", "two")),
        ("Pick.\nA. one\nB. two\n\nAnswer with the letter.", ("one", "two")),
        ("x\n**Options:** A: 15 MPa, B: 5 MPa, C: 20 MPa", ("15 MPa", "5 MPa", "20 MPa")),
        ("x Choices: (A) yes (B) no", ("yes", "no")),
        ("Point A. Point B. What is AB?", ()),
        ("A. one\nC. three", ()),
        ("Pick.\nA. one\nB. one", ()),
    ],
)
def test_options_inside_a_question(question, options):
    assert choices(question).options == options


def test_validation_finds_nothing_but_the_missing_rows(tmp_path):
    cut = row("Cut?", "<think>\n1 and then")
    found = validate(WHOLE, write(tmp_path, ROWS | {"math": [MATH, PROOF, cut]}))
    assert found.problems == ["5 questions, but 349,317 were published"] and found.unchecked == 2
