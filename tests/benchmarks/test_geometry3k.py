"""Geometry3K's two layouts, on problems that the test writes in the published formats (not run on the originals)."""

import io
import json
import shutil

import pytest
from PIL import Image

from fairreason import benchmarks
from fairreason.benchmarks.base import choice_text, prompt_text
from fairreason.benchmarks.validate import validate
from fairreason.draws import SPLITS, shown_order
from fairreason.errors import DataError
from fairreason.pictures import open_image, picture_hash
from fairreason.records import Completion

FOLDERS = {"train": (0, 10), "val": (2101, 2103), "test": (2401, 2404)}
"""The published ids run on from split to split."""


def problem(id, **changes):
    return {
        "id": id, "data_type": "test", "problem_text": f"Find $x$ in figure {id}.", "answer": "B",
        "choices": ["2 \\sqrt { 3 }", "3", "2.5", "4"], "problem_type_graph": ["Triangle"],
        "problem_type_goal": ["Length"], "annot_text": "Find $x$.", "precise_value": [3.46, 3, 2.5, 4], **changes,
    }  # fmt: skip


def png(color="white"):
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), color).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def original(tmp_path):
    for split, (start, stop) in FOLDERS.items():
        for id in range(start, stop):
            folder = tmp_path / "geometry3k" / split / str(id)
            folder.mkdir(parents=True)
            (folder / "data.json").write_text(json.dumps(problem(id)))
            (folder / "img_diagram.png").write_bytes(png())
    return tmp_path


@pytest.fixture
def free(tmp_path):
    import pyarrow
    from pyarrow import parquet

    folder = tmp_path / "geometry3k-free" / "data"
    folder.mkdir(parents=True)
    for split, count in (("train", 5), ("validation", 2), ("test", 3)):
        picture = {"bytes": png(), "path": None}
        rows = [
            {"images": [picture], "problem": f"<image>Find $x$, {i}.", "answer": "2 \\sqrt { 221 }"}
            for i in range(count)
        ]
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{split}-00000-of-00001.parquet")
    return tmp_path


def test_the_official_splits_are_ours(original):
    benchmark = benchmarks.get("geometry3k")
    found = {split: [row.id for row in benchmark.load(split, original)] for split in SPLITS}
    assert found["test"] == [f"geometry3k/{i}" for i in (2401, 2402, 2403)] and found["dev"] == [
        "geometry3k/2101", "geometry3k/2102"
    ]  # fmt: skip
    assert len(found["train"]) == 10 and (benchmark.published, benchmark.trains) == (3002, True)
    assert len({row.cluster for split in SPLITS for row in benchmark.load(split, original)}) == 15


def test_the_published_zips_hold_the_same_problems_and_pictures(original, tmp_path):
    packed = tmp_path / "packed"
    (packed / "geometry3k").mkdir(parents=True)
    for split in FOLDERS:
        shutil.make_archive(str(packed / "geometry3k" / split), "zip", original / "geometry3k", split)
    benchmark = benchmarks.get("geometry3k")
    for split in SPLITS:
        ours, theirs = benchmark.load(split, original), benchmark.load(split, packed)
        assert [(r.id, r.prompt, r.options, r.answer) for r in ours] == [
            (r.id, r.prompt, r.options, r.answer) for r in theirs
        ]
        assert [picture_hash(r.images[0]) for r in ours] == [picture_hash(r.images[0]) for r in theirs]
    assert open_image(theirs[0].images[0]).size == (30, 20)


def test_choices_are_shown_in_a_drawn_order_and_graded_in_the_published_one(original):
    benchmark = benchmarks.get("geometry3k")
    row = benchmark.load("test", original)[0]
    assert row.answer == 1 and sorted(shown_order(row)) == [0, 1, 2, 3]
    assert prompt_text(row).splitlines()[1] == f"A. {row.options[shown_order(row)[0]]}"
    for choice in range(4):
        for reply in (choice_text(row, choice), f"<think>4</think>\\boxed{{{row.options[choice]}}}"):
            grade = benchmark.grade(row, Completion(reply))
            assert (grade.choice, grade.outcome == "correct") == (choice, choice == 1)


def test_the_free_layout_is_another_benchmark_graded_by_value(free):
    benchmark = benchmarks.get("geometry3k-free")
    rows = [row for split in SPLITS for row in benchmark.load(split, free)]
    assert [row.id for row in rows][-3:] == [f"geometry3k-free/test/{i}" for i in range(3)]
    assert len(rows) == 10 and rows[0].prompt == "Find $x$, 0." and rows[0].options == ()
    assert open_image(rows[0].images[0]).size == (30, 20)
    right, wrong = ("\\boxed{2\\sqrt{221}}", "\\boxed{\\sqrt{884}}"), "\\boxed{29.7}"
    for reply, outcome in {**dict.fromkeys(right, "correct"), wrong: "wrong", "": "unparsed"}.items():
        assert benchmark.grade(rows[0], Completion(reply)).outcome == outcome
    assert not {row.id for row in rows} & {"geometry3k/0"}


def test_all_that_is_wrong_with_these_problems_is_that_they_are_few(original, free):
    for name, count in (("geometry3k", 15), ("geometry3k-free", 10)):
        assert validate(benchmarks.get(name), original).problems == [f"{count} questions, but 3,002 were published"]


def test_a_missing_split_or_file_is_named(original):
    shutil.rmtree(original / "geometry3k" / "val")
    with pytest.raises(DataError, match=r"Looked for .*geometry3k/val.zip and the folder val"):
        benchmarks.get("geometry3k").load("dev", original)
    (original / "geometry3k" / "test" / "2402" / "data.json").unlink()
    with pytest.raises(DataError, match=r"no data.json in .*test/2402"):
        benchmarks.get("geometry3k").load("test", original)
    with pytest.raises(DataError, match=r"geometry3k-free/data/test-00000-of-00001.parquet"):
        benchmarks.get("geometry3k-free").load("test", original)


def test_a_missing_diagram_is_its_own_examples_error(original):
    (original / "geometry3k" / "test" / "2402" / "img_diagram.png").unlink()
    rows = benchmarks.get("geometry3k").load("test", original)
    assert open_image(rows[0].images[0]).size == (30, 20)
    with pytest.raises(DataError, match=r"2402/img_diagram.png.*No such file"):
        open_image(rows[1].images[0])


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        json.dumps(problem(1, answer="E")),
        json.dumps(problem(1, choices=["1"])),
        json.dumps({"id": 1}),
        json.dumps(problem(1, problem_text="\ud800")),
    ],
)
def test_a_broken_problem_is_named(original, content):
    (original / "geometry3k" / "test" / "2402" / "data.json").write_text(content)
    with pytest.raises(DataError, match=r"2402/data.json: not a problem of Geometry3K"):
        benchmarks.get("geometry3k").load("test", original)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"images": [], "problem": "x", "answer": "1"}, "row 0: needs the bytes of its pictures"),
        ({"images": [{"bytes": b"1", "path": "a"}], "problem": "x", "answer": " "}, "row 0: needs problem and answer"),
        ({"problem": "x"}, "not hiyouga/geometry3k's table"),
    ],
)
def test_a_broken_table_is_named(free, row, message):
    import pyarrow
    from pyarrow import parquet

    path = free / "geometry3k-free" / "data" / "test-00000-of-00001.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    with pytest.raises(DataError, match=rf"test-00000-of-00001.parquet.*{message}"):
        benchmarks.get("geometry3k-free").load("test", free)
    path.write_bytes(b"no table")
    with pytest.raises(DataError, match=r"test-00000-of-00001.parquet.*not hiyouga/geometry3k's table"):
        benchmarks.get("geometry3k-free").load("test", free)
