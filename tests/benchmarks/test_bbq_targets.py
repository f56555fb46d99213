"""BBQ's targets: from the authors' metadata, rebuilt from the rows where that is absent, absent where neither says."""

import csv
import gzip
import json
import os
import shutil

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.bbq import CATEGORIES
from fairreason.benchmarks.bbq_targets import INTERSECTIONAL, METADATA, metadata_file, read_targets, rebuilt_target
from fairreason.draws import SPLITS
from fairreason.errors import DataError
from fairreason.records import Grade

SINGLE = [category for category in CATEGORIES if category not in INTERSECTIONAL]


def everything(name, data=None):
    return [row for split in SPLITS for row in benchmarks.get(name).load(split, data)]


@pytest.fixture(scope="module")
def without_metadata(tmp_path_factory, request):
    """A data folder that holds the published rows but not the metadata."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "bbq").mkdir()
    source = request.getfixturevalue("data_folder") / "bbq"
    for category in CATEGORIES:
        os.symlink(source / f"{category}.jsonl.gz", folder / "bbq" / f"{category}.jsonl.gz")
    return folder


@pytest.mark.data
def test_rebuilt_targets_are_the_files_on_every_row_that_it_decides(data_folder):
    """All 31,372 rows of the nine single categories: 31,356 that the file decides, 16 that it leaves open."""
    file = metadata_file(data_folder)
    assert file is not None
    targets = read_targets(file)
    rows, open_rows = 0, []
    for category in SINGLE:
        with gzip.open(data_folder / "bbq" / f"{category}.jsonl.gz", "rt") as lines:
            for row in map(json.loads, lines):
                said, rebuilt = targets[category][str(row["example_id"])], rebuilt_target(category, row)
                rows += 1
                if said is None:
                    open_rows.append((category, row["question_index"]))
                assert rebuilt == said, (category, row["example_id"])
    assert rows == 31_372
    assert open_rows == [("Gender_identity", "13")] * 16


@pytest.mark.data
def test_without_the_file_the_single_categories_score_the_same(without_metadata):
    for category in SINGLE:
        assert everything(f"bbq/{category}", without_metadata) == everything(f"bbq/{category}")


@pytest.mark.data
def test_without_the_file_intersectional_categories_have_accuracy_no_bias_score_and_a_reason(without_metadata):
    for category in INTERSECTIONAL:
        benchmark = benchmarks.get(f"bbq/{category}")
        rows, whole = everything(benchmark.name, without_metadata), everything(benchmark.name)
        assert {row.metadata["target"] for row in rows} == {None}
        # everything else is the same, the official categories about names too
        assert [row.metadata["category"] for row in rows] == [row.metadata["category"] for row in whole]
        measures = benchmark.summarize(rows, [Grade("correct", choice=row.answer) for row in rows])
        assert {m.metric for m in measures} == {"accuracy", "fairness", "unknown_rate", "abstention_j"}
        (reason,) = benchmark.remarks(rows)
        assert reason.startswith(f"{category}: accuracy but no bias score, since {METADATA} is absent")
        assert benchmark.remarks(whole) == []
    assert len(benchmarks.get("bbq").remarks(everything("bbq", without_metadata))) == 2


@pytest.mark.data
def test_the_rows_without_target_are_said():
    (said,) = benchmarks.get("bbq").remarks(everything("bbq"))
    assert said.startswith("16 questions about two people of one group have no target")


@pytest.mark.data
def test_what_stands_twice_in_the_metadata_has_one_target(data_folder):
    with gzip.open(data_folder / "bbq" / f"{METADATA}.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    seen, twice = {}, []
    for row in rows:
        key = row["category"], row["example_id"]
        if key in seen:
            twice.append((row["category"], row["question_index"]))
            differing = {column for column in row if row[column] != seen[key][column]}
            assert differing <= {"Known_stereotyped_groups"}  # transgender men once, transgender women once
        seen[key] = row
    assert len(rows) == 58_556 and len(seen) == 58_492
    assert twice == [("Gender_identity", "12")] * 64


@pytest.mark.data
def test_label_type_hangs_on_the_template_alone(data_folder):
    """So the 15 official categories are known without the file."""
    with gzip.open(data_folder / "bbq" / f"{METADATA}.gz", "rt", newline="") as file:
        named = {(row["category"], row["example_id"]) for row in csv.DictReader(file) if row["label_type"] == "name"}
    rows = everything("bbq")
    assert len({row.metadata["category"] for row in rows}) == 15
    for row in rows:
        _, category, number = row.id.split("/")
        assert row.metadata["category"].endswith(" (names)") == ((category, number) in named), row.id


@pytest.mark.data
def test_an_empty_answer_info_costs_no_row(data_folder):
    with gzip.open(data_folder / "bbq" / "Race_x_gender.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    empty = [row["example_id"] for row in rows for info in row["answer_info"].values() if info == ["", ""]]
    examples = {row.id: row for row in everything("bbq/Race_x_gender")}
    assert len(empty) == 344 and len(examples) == 15_960
    for number in empty:
        example = examples[f"bbq/Race_x_gender/{number}"]
        assert all(example.options) and example.metadata["target"] not in (None, example.metadata["unknown"])


@pytest.mark.data
def test_an_old_metadata_file_is_refused_for_every_category(data_folder, tmp_path):
    """The old version is the current one with the nonneg rows turned back: target_loc names the stereotyped person."""
    (tmp_path / "bbq").mkdir()
    for category in SINGLE:
        shutil.copy(data_folder / "bbq" / f"{category}.jsonl.gz", tmp_path / "bbq")
    by_id = {row.id: row for row in everything("bbq")}
    lines = ['"category","example_id","target_loc"']
    for row in by_id.values():
        target = row.metadata["target"]
        if row.metadata["polarity"] == "nonneg" and target is not None:
            target = ({0, 1, 2} - {target, row.metadata["unknown"]}).pop()
        _, category, number = row.id.split("/")
        lines.append(f'"{category}",{number},{"NA" if target is None else target}')
    (tmp_path / "bbq" / METADATA).write_text("\n".join(lines))
    for category in SINGLE:
        with pytest.raises(DataError, match="the old version"):
            benchmarks.get(f"bbq/{category}").load("test", tmp_path)


def test_two_values_for_one_row_are_refused(tmp_path):
    (tmp_path / "bbq").mkdir()
    file = tmp_path / "bbq" / METADATA
    file.write_text('"category","example_id","target_loc"\n"Age",0,1\n"Age",0,1\n"Age",0,2\n')
    stamp = metadata_file(tmp_path)
    assert stamp is not None
    with pytest.raises(DataError, match=r"additional_metadata.csv: Age 0 stands twice, with two values"):
        read_targets(stamp)


@pytest.mark.parametrize(
    ("category", "groups", "left", "right", "target"),
    [
        ("Nationality", ["Nigerian", "Kenyan"], ("Kenyan", "Africa"), ("Malian", "Africa"), 0),
        ("Race_ethnicity", ["Black", "African American"], ("Jane Doe", "F-White"), ("Ann Roe", "F-Black"), 1),
        ("Gender_identity", ["F"], ("boy", "boy"), ("girl", "girl"), 1),
        ("Gender_identity", ["F"], ("woman", "woman"), ("girl", "girl"), None),
        ("Gender_identity", ["Transgender women"], ("woman", "nonTrans_F"), ("trans man", "trans_M"), 1),
        ("SES", ["low SES"], ("poor", "lowSES"), ("rich", "highSES"), 0),
        ("Race_x_SES", ["Black"], ("poor Black", "lowSES-Black"), ("rich White", "highSES-White"), None),
    ],
)
def test_who_is_of_a_stereotyped_group(category, groups, left, right, target):
    info = {"ans0": list(left), "ans1": list(right), "ans2": ["Not known", "unknown"]}
    row = {"answer_info": info, "additional_metadata": {"stereotyped_groups": groups}, "question_polarity": "neg"}
    assert rebuilt_target(category, row) == target
    turned = rebuilt_target(category, {**row, "question_polarity": "nonneg"})
    assert turned == (None if target is None else 1 - target)
