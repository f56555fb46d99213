r"""Geometry3K: plane geometry with a diagram (Lu et al. 2021), in the two layouts that are published.

Paper arXiv 2105.04165 (Inter-GPS), 3,002 problems, official splits of 2,101, 300 and 601 (train, val, test; `val`
is our `dev`). The two layouts ask differently and are never one number:

* `geometry3k`: the original, multiple choice. `train.zip`, `val.zip`, `test.zip` as published, or unpacked as
  `train/<id>/data.json` beside `img_diagram.png`:

      {"id": 2401, "problem_text": "Find x.", "choices": ["3", "4", "5", "6"], "answer": "B", "data_type": "test", ...}

  Options are shown in an order drawn from the example's id, graded by letter or text.
* `geometry3k-free`: hiyouga/geometry3k on the hub (MIT), the same problems with a free answer, graded by value
  (grading/maths.py). `data/<split>-00000-of-00001.parquet` with `images`, `problem` (one `<image>` mark), `answer`.

Cluster: the problem.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from fairreason.archives import archive
from fairreason.benchmarks import reasoning
from fairreason.benchmarks.base import Benchmark
from fairreason.benchmarks.folders import folder_of
from fairreason.benchmarks.sources import Stamp, find, once, stamp
from fairreason.draws import LETTERS
from fairreason.errors import AbsentError, DataError
from fairreason.grading.answers import grade_choice
from fairreason.grading.maths import grade_math
from fairreason.pictures import Pictures, data_url
from fairreason.records import Example

OFFICIAL = {"train": "train", "dev": "val", "test": "test"}
"""Our splits and what the authors call them."""
COUNTS = {"train": 2101, "dev": 300, "test": 601}
FREE_FILES = {"train": "data/train-00000-of-00001.parquet", "dev": "data/validation-00000-of-00001.parquet",
              "test": "data/test-00000-of-00001.parquet"}  # fmt: skip
DIAGRAM = "img_diagram.png"
LARGEST = 2**20
"""Bytes above which a problem's data.json is not read."""
CHOOSE, WRITE = r"Give the letter of the right answer in \boxed{}.", r"Give the final answer in \boxed{}."


def load(split: str, data: Path | None = None) -> list[Example]:
    """One official split of the original. Raises DataError when it is absent or malformed."""
    folder, official = folder_of("geometry3k", data), OFFICIAL[split]
    packed = folder / f"{official}.zip"
    if packed.is_file():
        return list(_packed(stamp(packed)))
    if not (folder / official).is_dir():
        raise AbsentError(f"geometry3k: no data. Looked for {packed} and the folder {official}; put one of them there")
    files = [stamp(path) for path in (folder / official).glob("*/data.json")]
    missing = [path for path in (folder / official).iterdir() if path.is_dir() and not (path / "data.json").is_file()]
    if missing or not files:
        raise DataError(f"geometry3k: no data.json in {missing[0] if missing else folder / official}")
    return list(_unpacked(tuple(sorted(files, key=lambda file: _order(file.path.parent.name)))))


@lru_cache(maxsize=6)
def _packed(file: Stamp) -> tuple[Example, ...]:
    packed, pictures = archive(file.path), Pictures(file.path)
    names = [name for name in packed.names() if name.rpartition("/")[2] == "data.json"]
    if not names:
        raise DataError(f"{file.path}: holds no data.json")
    folders = sorted((name.removesuffix("/data.json") for name in names), key=lambda name: _order(Path(name).name))
    found = (
        _example(packed.read(f"{folder}/data.json", LARGEST), f"{file.path}!{folder}/data.json",
                 pictures.reference(f"{folder}/{DIAGRAM}"))
        for folder in folders
    )  # fmt: skip
    return once(found, file.path)


@lru_cache(maxsize=6)
def _unpacked(files: tuple[Stamp, ...]) -> tuple[Example, ...]:
    pictures = Pictures(files[0].path.parent.parent)
    found = []
    for file in files:
        try:
            content = file.path.read_bytes()
        except OSError as error:
            raise DataError(f"{file.path}: cannot be read ({error.strerror})") from None
        found.append(_example(content, str(file.path), pictures.reference(f"{file.path.parent.name}/{DIAGRAM}")))
    return once(found, files[0].path.parent.parent)


def _order(name: str) -> tuple[int, str]:
    return (int(name) if name.isdecimal() else 10**9, name)


def _example(content: bytes, where: str, picture: str) -> Example:
    try:
        row: dict[str, Any] = json.loads(content.decode("utf-8-sig"))
        json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair is no text: a ValueError
        options = tuple(str(text).strip() for text in row["choices"])
        question, answer = row["problem_text"], row["answer"]
        if not isinstance(question, str) or not question.strip() or not 2 <= len(options) <= 8 or not all(options):
            raise ValueError("needs a problem_text and 2 to 8 choices")
        if answer not in list(LETTERS[: len(options)]):
            raise ValueError(f"answer must be a letter up to {LETTERS[len(options) - 1]}, got {answer!r}")
        id = f"geometry3k/{int(row['id'])}"
        return Example(
            id=id,
            source="geometry3k",
            axis="reasoning",
            cluster=id,
            bundle=id,
            prompt=question.strip(),
            options=options,
            answer=LETTERS.index(answer),
            images=(picture,),
            metadata={"instruction": CHOOSE},
        )
    except KeyError as error:
        raise DataError(f"{where}: not a problem of Geometry3K (no {error})") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{where}: not a problem of Geometry3K ({error})") from None


def load_free(split: str, data: Path | None = None) -> list[Example]:
    """One official split of the free-form layout. Raises DataError when it is absent or malformed."""
    return list(_free(find("geometry3k-free", FREE_FILES[split], data), OFFICIAL[split]))


@lru_cache(maxsize=3)
def _free(file: Stamp, official: str) -> tuple[Example, ...]:
    import pyarrow
    from pyarrow import parquet

    try:
        rows = parquet.read_table(file.path, columns=["images", "problem", "answer"]).to_pylist()
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise DataError(f"{file.path}: not hiyouga/geometry3k's table ({str(error).splitlines()[0]})") from None
    return tuple(_free_example(row, f"geometry3k-free/{official}/{i}", file.path) for i, row in enumerate(rows))


def _free_example(row: dict[str, Any], id: str, path: Path) -> Example:
    problem, answer, images = row["problem"], row["answer"], row["images"] or []
    if not isinstance(problem, str) or not isinstance(answer, str) or not answer.strip():
        raise DataError(f"{path}, row {id.rpartition('/')[2]}: needs problem and answer, both texts")
    if not images or not all(isinstance(picture, dict) and picture.get("bytes") for picture in images):
        raise DataError(f"{path}, row {id.rpartition('/')[2]}: needs the bytes of its pictures")
    return Example(
        id=id,
        source="geometry3k-free",
        axis="reasoning",
        cluster=id,
        bundle=id,
        prompt=problem.replace("<image>", "").strip(),
        answer=answer.strip(),
        images=tuple(data_url(picture["bytes"]) for picture in images),
        metadata={"instruction": WRITE},
    )


GEOMETRY3K = Benchmark(
    "geometry3k",
    "reasoning",
    load,
    grade_choice,
    reasoning.summarize,
    chance=1 / 4,
    instruction=CHOOSE,
    files=tuple(f"{official}.zip" for official in OFFICIAL.values()),
    published=sum(COUNTS.values()),
)
GEOMETRY3K_FREE = Benchmark(
    "geometry3k-free",
    "reasoning",
    load_free,
    grade_math,
    reasoning.summarize,
    instruction=WRITE,
    files=tuple(FREE_FILES.values()),
    published=sum(COUNTS.values()),
    licence="MIT",
)
