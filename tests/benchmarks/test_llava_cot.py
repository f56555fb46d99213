"""LLaVA-CoT-100k: records written here in the published format, with pictures in a folder and in a zip in parts."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from fairreason import benchmarks
from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.benchmarks.validate import validate
from fairreason.draws import SPLITS
from fairreason.errors import DataError
from fairreason.pictures import open_image
from fairreason.records import Completion, Example

LLAVA = benchmarks.get("llava-cot")


def record(question: str, conclusion: str, image: str | None = "sqa/1.png", id: str = "sqa_1") -> dict:
    said = "\n\n".join(
        f"<{stage}> {text} </{stage}>"
        for stage, text in (("SUMMARY", "I will look."), ("CAPTION", "Balls."), ("REASONING", "10 - 2 = 8."),
                            ("CONCLUSION", conclusion))
    )  # fmt: skip
    turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": said}]
    return {"id": id, "conversations": turns} | ({"image": image} if image else {})


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(file, "PNG")
    return file.getvalue()


def write(folder: Path, *records: dict) -> Path:
    place = folder / "llava-cot"
    place.mkdir(exist_ok=True)
    (place / "train.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    return folder


def everything(folder: Path) -> dict[str, Example]:
    return {one.id: one for split in SPLITS for one in LLAVA.load(split, folder)}


def test_a_record_becomes_an_example(tmp_path):
    question = "Subtract all tiny shiny balls. How many objects are left? Options: A. 4, B. 8, C. 2, D. 6"
    one = everything(write(tmp_path, record(question, "**B**")))["llava-cot/0"]
    assert (one.answer, one.options, one.solution) == (1, ("4", "8", "2", "6"), "**B**")
    assert one.trace == "I will look.\n\nBalls.\n\n10 - 2 = 8."
    assert "<image>" not in prompt_text(one) and prompt_text(one).splitlines()[1:3] == ["A. 4", "B. 8"]
    assert answer_text(one) == r"\boxed{B}" and one.cluster == "llava-cot/sqa/1.png"
    for text, outcome in (
        (r"\boxed{B}", "correct"),
        (r"\boxed{8}", "correct"),
        (r"\boxed{A}", "wrong"),
        ("", "unparsed"),
    ):
        assert LLAVA.grade(one, Completion(text)).outcome == outcome


@pytest.mark.parametrize(
    ("question", "conclusion", "answer"),
    [
        ("Options: of what? **Options:** A: 15 MPa, B: 5 MPa", "B: 5 MPa", 1),
        ("How many?", "8", "8"),
        ("How many?", "**8**.", "8"),
        ("Is it red?", "Yes", "Yes"),
        ("What is it?", "A red ball", "A red ball"),
        ("What is it?", "It is a red ball beside a cube.", None),
        ("Which? Options: A. x, B. y", "Neither of them", None),
    ],
)
def test_what_can_be_checked(tmp_path, question, conclusion, answer):
    one = everything(write(tmp_path, record(question, conclusion)))["llava-cot/0"]
    assert one.metadata["checkable"] is (answer is not None)
    if answer is None:
        assert one.answer == answer_text(one) == conclusion and one.solution is None
        assert LLAVA.grade(one, Completion(conclusion)).outcome == "unparsed"
    else:
        assert one.answer == answer
        assert LLAVA.grade(one, Completion(answer_text(one))).outcome == "correct"


def test_pictures_in_a_folder_and_in_a_zip_in_parts(tmp_path):
    folder = write(tmp_path, record("How many?", "8")) / "llava-cot"
    (folder / "sqa").mkdir()
    (folder / "sqa" / "1.png").write_bytes(picture("red"))
    one = everything(tmp_path)["llava-cot/0"]
    assert open_image(one.images[0]).getpixel((0, 0)) == (255, 0, 0)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as packed:
        packed.writestr("sqa/1.png", picture("blue"))
        packed.writestr("chartqa/2.png", picture("red"))
    content = whole.getvalue()
    for name, part in (("aa", content[:100]), ("ab", content[100:170]), ("ac", content[170:])):
        (folder / f"image.zip.part-{name}").write_bytes(part)
    one = everything(tmp_path)["llava-cot/0"]
    assert open_image(one.images[0]).getpixel((0, 0)) == (0, 0, 255)


def test_a_picture_outside_the_folder_is_refused_and_a_missing_one_is_its_own_examples_trouble(tmp_path):
    with pytest.raises(DataError, match=r"train.jsonl:2: the picture '../secret.png' lies outside"):
        everything(write(tmp_path, record("?", "8"), record("?", "8", "../secret.png")))
    one = everything(write(tmp_path, record("?", "8", "sqa/gone.png")))["llava-cot/0"]
    with pytest.raises(DataError, match=r"gone.png"):
        open_image(one.images[0])


def test_what_is_left_out_is_counted_and_questions_about_one_picture_stay_together(tmp_path):
    cut = record("?", "8")
    cut["conversations"][1]["value"] = "<SUMMARY> I will look. </SUMMARY>"
    rows = [record(f"{i}?", "8", f"sqa/{i % 50}.png") for i in range(200)]
    folder = write(tmp_path, cut, *rows, record("What is 1 + 1?", "2", None))
    assert sum(LLAVA.left_out(split, folder).get("not the four stages", 0) for split in SPLITS) == 1
    split_of = {}
    for split in SPLITS:
        for one in LLAVA.load(split, folder):
            assert split_of.setdefault(one.cluster, split) == split
    assert len(split_of) == 51 and everything(folder)["llava-cot/201"].images == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conversations": "x"}, "conversations must be a list of turns"),
        ({"conversations": [{"from": "gpt", "value": "x"}]}, "first turns must be human and gpt"),
        ({"image": 3}, "image must be a path"),
        (
            {"conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "x"}]},
            "is empty",
        ),
    ],
)
def test_what_is_no_record_names_its_line(tmp_path, change, said):
    with pytest.raises(DataError, match=rf"train.jsonl:2: .*{said}"):
        everything(write(tmp_path, record("?", "8"), record("?", "8") | change))


def test_absent(tmp_path):
    with pytest.raises(DataError, match=rf"llava-cot: no data. Looked for {tmp_path}/llava-cot/train.jsonl"):
        LLAVA.load("train", tmp_path)


def test_every_gold_answer_is_graded_correct_however_it_is_written(tmp_path):
    rows = [record("How many? Options: A. 4, B. 8, C. 2", f"**{letter}**", f"{letter}.png") for letter in "ABC"]
    rows += [record("How many?", "8", "8.png"), record("Red?", "Yes", "yes.png"), record("What?", "It is, or not.")]
    found = validate(LLAVA, write(tmp_path, *rows))
    assert (found.status, found.problems, found.unchecked) == ("passed", [], 1)
