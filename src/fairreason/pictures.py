"""Pictures, wherever they lie: a path, a data URL, or a member of a zip, each written as one string.

    /data/vlbiasbench/images/0_base_Age.jpg                     a file
    zip:/data/vlbiasbench/close_ended.zip!images/0_base_Age.jpg a member, opened when it is needed
    data:image/png;base64,iVBORw0...                            the bytes themselves

Names inside a data set are text that nobody vouches for: `Pictures` refuses those that lead out of its folder. Of one
picture at most LARGEST bytes are read, and nothing is decoded above MOST_PIXELS, whatever its file says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import stat
import warnings
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from fairreason.archives import archive
from fairreason.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

ZIP = "zip:"
LARGEST = 64 * 2**20
"""Bytes of one picture, packed or unpacked, above which it is not read."""
MOST_PIXELS = 64_000_000
"""Width x height above which a picture is not decoded: 8,000 x 8,000 take 192 MB."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What is opened; formats that run programs (EPS) are not."""
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp", b"GIF8": "gif"}


class Pictures:
    """The pictures of a data set: a folder, or a zip (its first part) and the folder `inside` it."""

    def __init__(self, place: Path, inside: str = "") -> None:
        self.place, self.inside = place, inside
        self.is_folder = place.is_dir()
        self._root = (place / inside).resolve()
        self._known: dict[str, str] = {}
        if not self.is_folder and "!" in str(place):
            raise DataError(f"{place}: a zip whose path holds an exclamation mark cannot be named; move it")

    def reference(self, name: object) -> str:
        """The string that `open_image` and `picture_hash` open. A picture that is not there is found out when it is
        opened, by its own example. Raises DataError for a name that is no relative path or leads out of the folder."""
        inner = inner_name(name)
        if inner not in self._known:
            self._known[inner] = self._reference(inner)
        return self._known[inner]

    def _reference(self, name: str) -> str:
        if not self.is_folder:
            return f"{ZIP}{self.place.absolute()}!{f'{self.inside}/' if self.inside else ''}{name}"
        path = self._root / name
        try:
            inside = path.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError) as error:  # a link to itself
            raise DataError(f"the picture {name!r} cannot be found ({error})") from None
        if not inside:
            raise DataError(f"the picture {name!r} is a link out of {self._root}")
        return str(path)


def inner_name(name: object) -> str:
    r"""A name inside a folder or zip with forward slashes. Raises DataError when it is none or leads out.

    >>> inner_name("images\\a.png"), inner_name("./a.png")
    ('images/a.png', 'a.png')
    """
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise DataError(f"{name!r} names no picture; a path inside the data set's folder is wanted")
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".")]
    if name[0] in "/\\" or PureWindowsPath(name).drive or ".." in steps or not steps:
        raise DataError(f"the picture {name!r} lies outside the data set's folder")
    return "/".join(steps)


def data_url(picture: bytes) -> str:
    """A picture's bytes as a data URL, the form in which drawn pictures travel (PNG where the bytes do not say)."""
    kind = next((kind for start, kind in _KINDS.items() if picture.startswith(start)), "png")
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode()


def picture_hash(reference: str) -> str:
    """A picture by its content, wherever its file lies; one that is not there, and a data URL, is its own text."""
    if reference.startswith("data:"):
        return reference
    try:
        found = os.stat(_file_of(reference))
        if not stat.S_ISREG(found.st_mode):
            return reference
        return _digest(reference, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    except (OSError, ValueError, DataError):
        return reference


@lru_cache(maxsize=1 << 15)
def _digest(reference: str, *sign: int) -> str:
    """`sign` tells the file from what it was: a copy over it with its old size and time has another status time."""
    if reference.startswith(ZIP):
        return hashlib.sha256(read(reference)).hexdigest()
    with open(reference, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_image(reference: str) -> Image:
    """The RGB picture behind a reference. Raises DataError, naming it, when there is none, it cannot be decoded, or it
    is larger than MOST_PIXELS or LARGEST."""
    from PIL import Image

    where = "a data URL" if reference.startswith("data:") else reference.removeprefix(ZIP)
    content = read(reference)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit stands below
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                return image.convert("RGB")
    except Image.DecompressionBombError:
        raise DataError(f"{where}: a picture of more than {MOST_PIXELS:,} pixels; it is not opened") from None
    except MemoryError:
        raise
    except Exception as error:  # a broken picture raises what its format likes: SyntaxError, struct.error
        raise DataError(f"{where}: not a picture that can be opened ({type(error).__name__})") from None


def read(reference: str, most: int = LARGEST) -> bytes:
    """The bytes behind a reference. Raises DataError, naming it, when there are none or more than `most`."""
    if reference.startswith("data:"):
        return _decoded(reference, most)
    if reference.startswith(ZIP):
        place, _, member = reference.removeprefix(ZIP).partition("!")
        return archive(Path(place)).read(member, most)
    try:
        if not stat.S_ISREG(os.stat(reference).st_mode):  # a pipe would be waited for
            raise DataError(f"{reference!r}: no picture that can be read (not a file)")
        with open(reference, "rb") as file:
            content = file.read(most + 1)
    except DataError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{reference!r}: no picture that can be read ({reason})") from None
    return _bounded(content, reference, most)


def _decoded(url: str, most: int) -> bytes:
    text = url.partition(",")[2]
    if len(text) > 4 * most // 3 + 4:
        raise DataError(f"a data URL of more than {most:,} bytes; it is not opened")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"a data URL: not a picture that can be opened ({type(error).__name__})") from None


def _bounded(content: bytes, where: str, most: int) -> bytes:
    if len(content) > most:
        raise DataError(f"{where}: more than {most:,} bytes; it is not opened")
    return content


def _file_of(reference: str) -> str:
    return reference.removeprefix(ZIP).partition("!")[0] if reference.startswith(ZIP) else reference
