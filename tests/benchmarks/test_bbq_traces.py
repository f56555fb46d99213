"""The paper's BBQ traces: joined to BBQ's own rows, in its splits, the wrong ones counted. Records written here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.draws import SPLITS, shown_order
from fairreason.errors import DataError
from fairreason.records import Completion

pytestmark = pytest.mark.data
TRACES = benchmarks.get("bbq-traces")


@pytest.fixture(scope="module")
def religion(data_folder: Path) -> list[dict]:
    """BBQ's Religion, 1,200 rows, with a trace that ends in the gold label."""
    with gzip.open(data_folder / "bbq" / "Religion.jsonl.gz", "rt") as file:
        found = [json.loads(line) for line in file]
    return [row | {"reasoning_trace": f"So ans{row['label']} it is.", "output_answer": row["label"]} for row in found]


@pytest.fixture
def write(tmp_path: Path, data_folder: Path):
    """A data folder with BBQ and these rows of traces."""

    def into(rows: list[dict]) -> Path:
        (tmp_path / "bbq").symlink_to(data_folder / "bbq") if not (tmp_path / "bbq").exists() else None
        (tmp_path / "bbq-traces").mkdir(exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "bbq-traces" / "Religion_traces_cleaned.jsonl").write_text(text)
        return tmp_path

    return into


def test_every_row_is_bbqs_own_in_bbqs_own_split(write, religion) -> None:
    folder = write(religion)
    for split in SPLITS:
        own = {row.id: row for row in benchmarks.get("bbq/Religion").load(split, folder)}
        found = TRACES.load(split, folder)
        assert {row.id for row in found} == own.keys() and found
        for row in found:
            theirs = own[row.id]
            assert (row.cluster, row.options, row.answer) == (theirs.cluster, theirs.options, theirs.answer)
            assert row.trace == f"So ans{row.answer} it is." and row.source == "bbq-traces"


def test_options_stand_in_the_order_that_the_teacher_saw(write, religion) -> None:
    for row in TRACES.load("train", write(religion)):
        assert shown_order(row) == (0, 1, 2)
        assert prompt_text(row).splitlines()[-4:-1] == [f"{'ABC'[i]}. {row.options[i]}" for i in range(3)]
        assert answer_text(row) == rf"\boxed{{{'ABC'[row.answer]}}}"
        grade = TRACES.grade(row, Completion(answer_text(row)))
        assert (grade.outcome, grade.choice) == ("correct", row.answer)


def test_what_teaches_nothing_is_left_out_and_counted(write, religion) -> None:
    train = {row.id for row in benchmarks.get("bbq/Religion").load("train", None)}
    rows = [row for row in religion if f"bbq/Religion/{row['example_id']}" in train][:100]
    rows[0] |= {"output_answer": (rows[0]["label"] + 1) % 3}
    rows[1] |= {"output_answer": None}
    rows[2] |= {"reasoning_trace": "<think>\n</think>"}
    rows[3] |= {"context": "Another story."}
    rows[4] |= {"reasoning_trace": "<think>\nThe text says so.\n</think>\n\nans1"}
    rows.append(rows[50])
    rows.append(rows[51] | {"category": "Astrology"})
    folder = write(rows)
    found = TRACES.load("train", folder)
    assert dict(TRACES.left_out("train", folder)) == {
        "the teacher's answer is not the gold label": 2,
        "no trace": 1,
        "not a row of BBQ": 2,
        "stands twice": 1,
    }
    assert len(found) == 96 and found[0].trace == "The text says so."
    assert not TRACES.load("test", folder) and not TRACES.left_out("test", folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"output_answer": ...}, r"cleaned.jsonl:2: .*no output_answer"), ({"reasoning_trace": ["a"]}, "must be a text")],
)
def test_a_row_of_another_format_names_its_line(write, religion, change, said) -> None:
    broken = {key: value for key, value in (religion[1] | change).items() if value is not ...}
    with pytest.raises(DataError, match=said):
        TRACES.load("train", write([religion[0], broken]))


def test_the_steps_and_judges_of_another_release_are_not_taken_for_it(write, religion) -> None:
    other = {key: value for key, value in religion[0].items() if key not in ("reasoning_trace", "output_answer")}
    with pytest.raises(DataError, match=r"cleaned.jsonl:1: .*\(no reasoning_trace, output_answer\)"):
        TRACES.load("train", write([other | {"cot": ["Step 1."], "judge_gemini": [0], "cot_answer": 2}]))
