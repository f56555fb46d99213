"""A picture's hash is remembered while its file is the same, and never longer."""

import hashlib
import json
import os
import time

import pytest

from fairreason.pictures import picture_hash
from fairreason.recipe import Recipe
from fairreason.study.identity import Identity
from fairreason.study.remembered import JUST_NOW, Remembered


@pytest.fixture
def picture(tmp_path):
    """A picture that has not been touched just now."""
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG one")
    while file.stat().st_ctime_ns > time.time_ns() - JUST_NOW:
        time.sleep(0.1)
    return file


def remembered(picture, memory):
    """The memory after one look at the picture, its hash replaced by a word, so that it shows whether it is used."""
    one = Remembered(memory)
    one.hash(str(picture))
    one.keep()
    known = json.loads(memory.read_text())
    memory.write_text(json.dumps({reference: [sign, "kept"] for reference, (sign, _) in known.items()}))
    return Remembered(memory)


def test_a_file_that_is_the_same_is_not_read_again(picture, tmp_path):
    assert remembered(picture, tmp_path / "m.json").hash(str(picture)) == "kept"


def test_a_file_written_over_is_read_again_though_size_and_time_are_the_old_ones(picture, tmp_path):
    memory, before = remembered(picture, tmp_path / "m.json"), picture.stat()
    picture.write_bytes(b"\x89PNG two")
    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = picture.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert memory.hash(str(picture)) != "kept"


def test_what_is_kept_is_the_files_own_sha256_after_it_was_written_over_in_one_process(picture, tmp_path):
    """Same size, old time given back: the kernel's status time tells the two apart, in this process as in the next."""
    memory, before = tmp_path / "m.json", picture.stat()
    one = Remembered(memory)
    assert one.hash(str(picture)) == hashlib.sha256(b"\x89PNG one").hexdigest()
    one.keep()
    picture.write_bytes(b"\x89PNG two")
    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    true = hashlib.sha256(b"\x89PNG two").hexdigest()
    assert picture_hash(str(picture)) == true
    while picture.stat().st_ctime_ns > time.time_ns() - JUST_NOW:
        time.sleep(0.1)
    two = Remembered(memory)
    assert two.hash(str(picture)) == true
    two.keep()
    assert json.loads(memory.read_text())[str(picture)][1] == true


def test_what_was_touched_just_now_is_not_remembered(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG")
    one = Remembered(tmp_path / "m.json")
    assert one.hash(str(file)) == picture_hash(str(file))
    one.keep()
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": [1, 2, 3]}'])
def test_a_damaged_memory_is_none(picture, tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    assert Remembered(tmp_path / "m.json").hash(str(picture)) == picture_hash(str(picture))


def test_a_run_has_the_same_fingerprint_with_and_without_memory(picture, tmp_path):
    row = {"id": "1", "prompt": "Who?", "options": ["A", "B"], "answer": 0, "images": ["a.png"], "axis": "reasoning"}
    (tmp_path / "own.jsonl").write_text(json.dumps(row) + "\n")
    own = f"items:{tmp_path / 'own.jsonl'}"
    recipe = Recipe.parse({"strategy": {"type": "none"}, "evaluation": {"benchmarks": [own]}})
    first = Identity(None, tmp_path / "m.json").examples(recipe)
    assert (tmp_path / "m.json").exists()
    assert Identity(None, tmp_path / "m.json").examples(recipe) == first == Identity(None).examples(recipe)
    picture.write_bytes(b"\x89PNG two")
    assert Identity(None, tmp_path / "m.json").examples(recipe) != first
