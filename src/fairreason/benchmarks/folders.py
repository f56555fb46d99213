"""A benchmark's own folder inside the data folder, for sources of many files and for their pictures."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from fairreason.errors import AbsentError
from fairreason.pictures import Pictures


def folder_of(benchmark: str, data: Path | None) -> Path:
    """`<data>/<benchmark>` (`data`, else FAIRREASON_DATA). Raises AbsentError where it is no folder."""
    chosen = data or os.environ.get("FAIRREASON_DATA")
    if not chosen:
        raise AbsentError(
            f"{benchmark}: no data folder. Pass --data DIR or set FAIRREASON_DATA; DIR/{benchmark} is read"
        )
    folder = Path(chosen) / benchmark
    if not folder.is_dir():
        raise AbsentError(f"{benchmark}: no data. Looked for the folder {folder}; put the published files there")
    return folder


def pictures_of(benchmark: str, data: Path | None, *zips: tuple[str, str]) -> Pictures:
    """The benchmark's pictures: its folder `images`, else the first of the zips (file, folder inside) that is there.
    Raises AbsentError where there is none of them."""
    folder = folder_of(benchmark, data)
    if (folder / "images").is_dir():
        return _pictures(folder / "images", "")
    for file, inside in zips:
        if (folder / file).is_file():
            return _pictures(folder / file, inside)
    wanted = " or ".join(["images/", *(file for file, _ in zips)])
    raise AbsentError(f"{benchmark}: no pictures in {folder}; put {wanted} there")


@lru_cache(maxsize=8)
def _pictures(place: Path, inside: str) -> Pictures:
    return Pictures(place, inside)
