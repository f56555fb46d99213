"""Published files with a row that stands twice: it would count twice, so it is refused."""

import gzip

import pytest

from fairreason import benchmarks
from fairreason.errors import DataError


@pytest.mark.data
@pytest.mark.parametrize("name", ["math500", "aime2024", "humaneval", "mbpp", "bbq/Religion"])
def test_a_doubled_row_is_refused_by_its_file_and_id(name, data_folder, tmp_path):
    folder, file = name.partition("/")[0], benchmarks.get(name).files[0]
    (source,) = (data_folder / folder).glob(f"{file}*")
    lines = (gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()).splitlines()
    (tmp_path / folder).mkdir()
    copy = tmp_path / folder / file
    copy.write_bytes(b"\n".join(lines[:3]))
    assert sum(len(benchmarks.get(name).load(split, tmp_path)) for split in benchmarks.get(name).splits) == 3
    copy.write_bytes(b"\n".join([*lines[:3], lines[1]]))
    with pytest.raises(DataError, match=rf"{file}.* stands twice"):
        benchmarks.get(name).load("test", tmp_path)
