"""Pictures of a data set: out of folders, zips and zips in parts; what is broken, too large or outside is said."""

import io
import os
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from fairreason import archives, pictures
from fairreason.errors import DataError
from fairreason.pictures import Pictures, data_url, open_image, picture_hash


def png(color="red", size=(4, 3)):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def png_that_claims(width, height):
    """A PNG header of that size and one byte of data: 90 bytes."""
    chunks = b""
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0")),
    ):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set" / "images").mkdir(parents=True)
    (tmp_path / "set" / "images" / "a.png").write_bytes(png())
    (tmp_path / "secret.png").write_bytes(png("blue"))
    return tmp_path / "set"


def test_a_folder_and_a_zip_give_the_same_picture_and_the_same_hash(folder, tmp_path):
    packed = write_zip(tmp_path / "set.zip", {"top/images/a.png": png()})
    paths = [Pictures(folder, "images").reference("a.png"), Pictures(folder).reference("images\\a.png"),
             Pictures(packed, "images").reference("a.png"), Pictures(packed).reference("top/images/a.png")]  # fmt: skip
    assert {open_image(path).getpixel((0, 0)) for path in paths} == {(255, 0, 0)}
    assert len({picture_hash(path) for path in paths}) == 1


@pytest.mark.parametrize("cut", [1, 50, 200, 10**6])
def test_a_zip_in_parts_is_read_as_one(tmp_path, cut):
    whole = write_zip(tmp_path / "whole.zip", {f"{i}.png": png(size=(i + 1, 9)) for i in range(20)}).read_bytes()
    cut = min(cut, len(whole)) if cut > 1 else len(whole) // 26
    for number, start in enumerate(range(0, len(whole), cut)):
        first, second = divmod(number, 26)
        (tmp_path / f"image.zip.part-{'abc'[first]}{chr(97 + second)}").write_bytes(whole[start : start + cut])
    (tmp_path / "image.zip.sha256").write_text("not a part")
    place = Pictures(tmp_path / "image.zip.part-aa")
    assert [open_image(place.reference(f"{i}.png")).width for i in range(20)] == list(range(1, 21))


def test_a_zip_that_lacks_its_last_part_is_named(tmp_path):
    whole = write_zip(tmp_path / "whole.zip", {f"{i}.png": png() for i in range(20)}).read_bytes()
    (tmp_path / "image.zip.part-aa").write_bytes(whole[:300])
    with pytest.raises(DataError, match=r"image.zip.part-aa: not a zip that can be read"):
        open_image(Pictures(tmp_path / "image.zip.part-aa").reference("1.png"))


def test_names_that_windows_wrote_into_a_zip_are_found(tmp_path):
    packed = write_zip(tmp_path / "set.zip", {"images\\a.png": png(), "b.png": png()})
    assert open_image(Pictures(packed).reference("images/a.png")).size == (4, 3)


OUTSIDE = ["../secret.png", "images/../../secret.png", "/etc/passwd", "\\\\host\\a.png", "C:\\a.png", "c:a.png",
           "..\\secret.png", "a\0.png", "", " ", ".", None, 7, ["a.png"]]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out(folder, tmp_path, name):
    packed = write_zip(tmp_path / "set.zip", {"images/a.png": png(), "../secret.png": png("blue")})
    for place in (Pictures(folder), Pictures(packed)):
        with pytest.raises(DataError, match=r"outside the data set's folder|names no picture"):
            place.reference(name)


def test_no_link_leads_out_but_the_folder_may_be_one(folder, tmp_path):
    os.symlink(tmp_path / "secret.png", folder / "images" / "link.png")
    with pytest.raises(DataError, match=r"'images/link.png' is a link out of"):
        Pictures(folder).reference("images/link.png")
    os.symlink(folder / "images", tmp_path / "elsewhere")
    assert open_image(Pictures(tmp_path / "elsewhere").reference("a.png")).size == (4, 3)


def test_what_is_broken_is_found_out_when_it_is_opened(folder, tmp_path):
    content = {"text.png": b"not a picture", "cut.png": png(size=(400, 400))[:60],
               "a.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n", "large.png": png_that_claims(9000, 8000),
               "huge.png": png_that_claims(60_000, 60_000)}  # fmt: skip
    for name, data in content.items():
        (folder / name).write_bytes(data)
    packed = write_zip(tmp_path / "set.zip", content)
    for place in (Pictures(folder), Pictures(packed)):
        for name in ("text.png", "cut.png", "a.eps"):
            with pytest.raises(DataError, match=rf"{name}: not a picture that can be opened"):
                open_image(place.reference(name))
        for name in ("large.png", "huge.png"):
            with pytest.raises(DataError, match=rf"{name}: a picture of more than 64,000,000 pixels"):
                open_image(place.reference(name))
        with pytest.raises(DataError, match=r"none.png.*(No such file|not in this zip)"):
            open_image(place.reference("none.png"))
        assert picture_hash(place.reference("none.png")) == place.reference("none.png")


def test_of_a_zip_bomb_no_more_is_unpacked_than_a_picture_may_have(tmp_path):
    packed = write_zip(tmp_path / "set.zip", {"bomb.png": b"\0" * 5_000_000, "a.png": png()})
    assert packed.stat().st_size < 10_000
    with pytest.raises(DataError, match=r"set.zip!bomb.png: unpacks to more than 10,000 bytes"):
        pictures.read(Pictures(packed).reference("bomb.png"), 10_000)


def test_a_damaged_member_stops_nobody_else(tmp_path):
    packed = write_zip(tmp_path / "set.zip", {"a.png": png("red", (90, 90)), "b.png": png()})
    data = bytearray(packed.read_bytes())
    data[60] ^= 255  # inside a.png
    packed.write_bytes(data)
    place = Pictures(packed)
    with pytest.raises(DataError, match=r"set.zip!a.png: cannot be read out of the zip"):
        open_image(place.reference("a.png"))
    assert open_image(place.reference("b.png")).size == (4, 3)


def test_a_zip_that_was_replaced_is_read_anew(tmp_path):
    packed = write_zip(tmp_path / "set.zip", {"a.png": png("red")})
    path = Pictures(packed).reference("a.png")
    before = picture_hash(path)
    write_zip(packed, {"a.png": png("blue", (9, 9))})
    assert open_image(path).getpixel((0, 0)) == (0, 0, 255) and picture_hash(path) != before


def test_a_zip_is_never_read_whole(tmp_path, monkeypatch):
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as file:
        file.writestr("large.bin", os.urandom(20_000_000))
        file.writestr("a.png", png())
    taken = []
    readinto = archives._Joined.readinto
    monkeypatch.setattr(
        archives._Joined, "readinto", lambda self, buffer: taken.append(n := readinto(self, buffer)) or n
    )
    assert open_image(Pictures(packed).reference("a.png")).size == (4, 3)
    assert sum(taken) < 1_000_000


def test_a_data_url_says_its_kind_and_a_broken_one_that_it_is_broken():
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "JPEG")
    assert data_url(buffer.getvalue()).startswith("data:image/jpeg;base64,")
    assert data_url(png()).startswith("data:image/png;base64,")
    for broken in ("data:image/png;base64,####", "data:image/png;base64,aGVsbG8=", "data:"):
        with pytest.raises(DataError, match=r"a data URL: not a picture that can be opened"):
            open_image(broken)


def test_a_pipe_is_no_picture_and_is_not_waited_for(folder):
    pipe = folder / "pipe.png"
    os.mkfifo(pipe)
    reference = Pictures(folder).reference("pipe.png")
    assert picture_hash(reference) == reference
    with pytest.raises(DataError, match=r"pipe.png': no picture that can be read \(not a file\)"):
        open_image(reference)


def test_a_link_to_itself_names_no_picture(folder):
    (folder / "loop.png").symlink_to("loop.png")
    with pytest.raises(DataError, match=r"loop.png"):
        open_image(Pictures(folder).reference("loop.png"))


def test_a_zip_with_any_byte_damaged_is_read_or_refused_with_a_sentence(tmp_path):
    whole = write_zip(tmp_path / "whole.zip", {"a.txt": b"hello " * 50}).read_bytes()
    damaged, refused = tmp_path / "damaged.zip", 0
    for place in range(len(whole)):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            found = archives.Archive(damaged)
            for name in found.names():
                found.read(name, 10**6)
        except DataError:
            refused += 1
    assert refused > len(whole) / 4


def test_what_is_no_zip_and_a_zip_of_one_file(tmp_path):
    for content in (b"", b"<html>Not found</html>"):
        (tmp_path / "none.zip").write_bytes(content)
        with pytest.raises(DataError, match=r"none.zip: not a zip that can be read \(File is not a zip file\)"):
            archives.Archive(tmp_path / "none.zip")
    assert archives.Archive(write_zip(tmp_path / "one.zip", {"a.txt": b"a"})).names() == ["a.txt"]
