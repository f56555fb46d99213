"""GSM8K: the record as published, its solution without marks, its answer."""

import json

import pytest

from fairreason import benchmarks
from fairreason.draws import SPLITS
from fairreason.errors import DataError
from fairreason.records import Completion

GSM8K = benchmarks.get("gsm8k")
FIRST = {
    "question": "Janet’s ducks lay 16 eggs per day. ...",
    "answer": "Janet sells 16 - 3 - 4 = <<16-3-4=9>>9 duck eggs a day.\nShe makes 9 * 2 = $<<9*2=18>>18.\n#### 18",
}


def load(folder, *rows):
    (folder / "gsm8k").mkdir(exist_ok=True)
    (folder / "gsm8k" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [row for split in SPLITS for row in GSM8K.load(split, folder)]


def test_a_record_becomes_an_example(tmp_path):
    (example,) = load(tmp_path, FIRST)
    assert (example.id, example.answer, example.cluster) == ("gsm8k/test/0", "18", "gsm8k/test/0")
    assert example.solution == "Janet sells 16 - 3 - 4 = 9 duck eggs a day.\nShe makes 9 * 2 = $18."
    assert GSM8K.grade(example, Completion("9 * 2 = 18\n#### 18")).outcome == "correct"
    assert GSM8K.grade(example, Completion("She makes 9 * 2 = 18 dollars.")).outcome == "unparsed"


def test_thousands_are_read_as_one_number(tmp_path):
    (example,) = load(tmp_path, {"question": "?", "answer": "So many\n#### 70,000"})
    assert example.answer == "70000" and GSM8K.grade(example, Completion(r"\boxed{70000}")).outcome == "correct"


@pytest.mark.parametrize(
    "row", [{"question": "?"}, {"question": "?", "answer": "18"}, {"question": 1, "answer": "#### 1"}]
)
def test_what_is_no_record(tmp_path, row):
    with pytest.raises(DataError, match=r"test.jsonl:2: "):
        load(tmp_path, FIRST, row)


@pytest.mark.data
def test_every_published_answer_is_a_whole_number_and_every_mark_is_gone():
    rows = [row for split in SPLITS for row in GSM8K.load(split, None)]
    assert len(rows) == 1319
    assert all(row.answer.lstrip("-").isdigit() and "<<" not in row.solution for row in rows)
