"""A picture that is broken, too large or missing costs its own examples and nobody else's, from a folder and a zip."""

import struct
import zlib

import pytest
from PIL import Image
from vlbias_records import SCENARIOS, pack, record, records, write

from fairreason import benchmarks
from fairreason.draws import SPLITS
from fairreason.evaluation.evaluate import evaluate
from fairreason.files import read_jsonl
from fairreason.models.backends.huggingface import HuggingFaceBackend
from fairreason.models.load import load

NAME = "vlbiasbench/base/Age"


def bomb() -> bytes:
    """A PNG of 67 bytes that says it has 60,000 x 60,000 pixels."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0"))]
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def folder(tmp_path):
    """Nine records about three bad pictures, three about a good one, in three scenarios."""
    good = [record(9 + i, "Age", "ambig", name, image_path="good.jpg") for i, name in enumerate(SCENARIOS)]
    data = write(tmp_path / "data", {("base", "Age"): [*records("Age"), *good]})
    images = data / "vlbiasbench" / "images"
    Image.new("RGB", (56, 56), "red").save(images / "good.jpg")
    (images / "0_base_Age.jpg").write_bytes(bomb())
    (images / "1_base_Age.jpg").write_bytes(b"no picture")
    (images / "2_base_Age.jpg").unlink()
    return data


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_bad_pictures_are_counted_errors(tiny_vl, tmp_path, folder, packed):
    data = pack(folder, tmp_path / "packed") if packed else folder
    backend = HuggingFaceBackend(load(str(tiny_vl)))
    rows = []
    for split in (split for split in SPLITS if benchmarks.get(NAME).load(split, data)):
        out = tmp_path / split
        result = evaluate(backend, [NAME], out=out, split=split, data=data, max_new_tokens=2)[NAME]
        rows += read_jsonl(out / "vlbiasbench-base-Age" / "grades.jsonl")
        assert sum(result.counts.values()) == len(benchmarks.get(NAME).load(split, data))
    failed = {row["id"] for row in rows if row["outcome"] == "error"}
    assert len(rows) == 24 and failed == {f"{NAME}/{i}{suffix}" for i in range(9) for suffix in ("", "-neg")}
    reasons = {row["rule"] for row in rows if row["outcome"] == "error"}
    assert len(reasons) == 3 and any("more than 64,000,000 pixels" in reason for reason in reasons)
