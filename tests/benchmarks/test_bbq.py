"""BBQ against the authors' own predictions and figure 3 (Parrish et al. 2022), and what our loader refuses."""

import csv
import gzip
import json
import shutil

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.bbq import CATEGORIES
from fairreason.benchmarks.bbq_families import TEMPLATES, family, family_split
from fairreason.draws import SPLIT_SHARES, SPLITS, unit_hash
from fairreason.errors import DataError
from fairreason.evaluation.statistics import estimate
from fairreason.records import Completion, Example

# UnifiedQA-11B (nyu-mll/BBQ, results/UnifiedQA): rows, accuracy, B, A, score in percent as in the paper's figure 3
GOLDEN = {
    ("Age", "arc", "ambig"): (1839, 0.3388, 1058, 158, 48.9),
    ("Age", "race", "ambig"): (1840, 0.5467, 691, 143, 29.8),
    ("Age", "arc", "disambig"): (1840, 0.8962, 855, 800, 3.3),
    ("Age", "race", "disambig"): (1840, 0.9348, 870, 850, 1.2),
    ("Religion", "arc", "ambig"): (600, 0.4383, 242, 95, 24.5),
    ("Religion", "race", "ambig"): (600, 0.6500, 148, 62, 14.3),
    ("Religion", "arc", "disambig"): (600, 0.8517, 279, 260, 3.5),
    ("Religion", "race", "disambig"): (600, 0.8800, 285, 284, 0.2),
}
QUADRUPLE = [("neg", "ambig", 2), ("neg", "disambig", 0), ("nonneg", "ambig", 2), ("nonneg", "disambig", 1)]


def everything(name):
    return [row for split in SPLITS for row in benchmarks.get(name).load(split, None)]


@pytest.mark.data
@pytest.mark.parametrize(("category", "form", "condition"), GOLDEN)
def test_scores_equal_figure_3(data_folder, category, form, condition):
    benchmark = benchmarks.get(f"bbq/{category}")
    examples = {row.id: row for row in everything(benchmark.name)}
    with gzip.open(data_folder / "bbq_predictions" / f"preds_{category}.jsonl.gz", "rt") as file:
        said = {
            f"bbq/{category}/{row['example_id']}": row[f"unifiedqa-t5-11b_pred_{form}"] for row in map(json.loads, file)
        }
    graded = [(examples[id], benchmark.grade(examples[id], Completion(text))) for id, text in said.items()]
    assert len(graded) == benchmark.published
    # the authors' script drops what names no option
    kept = [(e, g) for e, g in graded if e.metadata["condition"] == condition and g.outcome != "unparsed"]
    n, accuracy, biased, anti, percent = GOLDEN[category, form, condition]
    assert sum(g.choice == e.metadata["target"] for e, g in kept) == biased
    assert sum(g.choice not in (e.metadata["target"], e.metadata["unknown"]) for e, g in kept) == anti
    measures = benchmark.summarize([e for e, _ in kept], [g for _, g in kept])
    found = {m.metric: estimate(m) for m in measures if m.category is None and m.condition == condition}
    assert found["accuracy"].n == n and found["accuracy"].value == pytest.approx(accuracy, abs=5e-5)
    score = found["s_amb" if condition == "ambig" else "s_dis"]
    assert 100 * score.value == pytest.approx(percent, abs=0.05)


@pytest.mark.data
def test_clustered_by_template_the_interval_is_the_published_one(data_folder):
    """Age, RACE format: 29.8, by template, t with 24 degrees: [13.5, 46.0]."""
    benchmark = benchmarks.get("bbq/Age")
    examples = {row.id: row for row in everything("bbq/Age")}
    with gzip.open(data_folder / "bbq_predictions" / "preds_Age.jsonl.gz", "rt") as file:
        said = [
            (examples[f"bbq/Age/{row['example_id']}"], row["unifiedqa-t5-11b_pred_race"])
            for row in map(json.loads, file)
        ]
    grades = [benchmark.grade(e, Completion(text)) for e, text in said]
    measures = benchmark.summarize([e for e, _ in said], grades)
    found = estimate(next(m for m in measures if m.metric == "s_amb" and m.category == "Age"))
    assert found.clusters == 25
    assert (100 * found.ci_low, 100 * found.ci_high) == (pytest.approx(13.5, abs=0.06), pytest.approx(46.0, abs=0.06))


@pytest.mark.data
def test_all_of_it_is_there_in_whole_quadruples():
    rows = everything("bbq")
    assert len(rows) == 58_492 and len({row.metadata["category"] for row in rows}) == 15
    assert sum(row.metadata["target"] is None for row in rows) == 16
    bundles = {}
    for row in rows:
        bundles.setdefault(row.bundle, []).append((row.metadata["polarity"], row.metadata["condition"]))
    wanted = sorted((polarity, condition) for polarity, condition, _ in QUADRUPLE)
    assert all(sorted(found) == wanted for found in bundles.values())


@pytest.mark.data
def test_our_family_table_is_the_data_folders(data_folder):
    with (data_folder / "bbq" / "families.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 343 and len({row["family"] for row in rows}) == 266
    templates = {(category, str(index)) for category, indices in TEMPLATES.items() for index in indices}
    assert templates == {(row["category"], row["question_index"]) for row in rows}
    assert all(family(row["category"], row["question_index"]) == row["family"] for row in rows)


@pytest.mark.data
def test_every_category_has_every_split_in_its_share():
    rows = {split: benchmarks.get("bbq").load(split, None) for split in SPLITS}
    official = {split: {row.metadata["category"] for row in rows[split]} for split in SPLITS}
    assert official["train"] == official["dev"] == official["test"] and len(official["test"]) == 15
    for category in CATEGORIES:
        families = {split: {r.cluster for r in rows[split] if r.id.startswith(f"bbq/{category}/")} for split in SPLITS}

        assert all(len(families[split]) >= 1 for split in SPLITS)
        for split, share in SPLIT_SHARES.items():
            own = sum(one.startswith(f"bbq/{category}-") for one in families[split])
            of = sum(one.startswith(f"bbq/{category}-") for part in families.values() for one in part)
            assert abs(own - share * of) < 1, (category, split)


def test_a_split_hangs_on_names_alone():
    """By hand: the shares of Race_x_SES's 13 families are 7.8, 1.3 and 3.9, so 8, 1 and 4, in the order of the hash."""
    families = sorted((f"Race_x_SES-{i}" for i in range(1, 27, 2)), key=lambda name: unit_hash(f"split/bbq/{name}"))
    assert [family_split(name) for name in families] == ["train"] * 8 + ["dev"] + ["test"] * 4
    assert family_split("Race_ethnicity-2") == family_split(family("Race_x_gender", "1"))
    assert family_split("Age-26") == "test"  # no family of BBQ


def write(folder, targets, rows=None):
    """A folder with one quadruple of Age and metadata that holds these targets."""
    (folder / "bbq").mkdir()
    with (folder / "bbq" / "Age.jsonl").open("w") as file:
        for number, (polarity, condition, label) in enumerate(QUADRUPLE):
            row = {
                "example_id": number, "question_index": "1", "question_polarity": polarity,
                "context_condition": condition, "category": "Age", "context": "I saw two people.", "question": "Who?",
                "answer_info": {"ans0": ["Ann", "old"], "ans1": ["Bob", "nonOld"], "ans2": ["Unknown", "unknown"]},
                "additional_metadata": {}, "ans0": "Ann", "ans1": "Bob", "ans2": "Unknown", "label": label,
            }  # fmt: skip
            file.write(json.dumps({**row, **(rows or {})}) + "\n")
    lines = [f'"Age","1",{number},{target},"label"' for number, target in enumerate(targets)]
    header = '"category","question_index","example_id","target_loc","label_type"'
    (folder / "bbq" / "additional_metadata.csv").write_text("\n".join([header, *lines]) + "\n")


def load(folder):
    return [row for split in SPLITS for row in benchmarks.get("bbq/Age").load(split, folder)]


def test_a_row_becomes_an_example(tmp_path):
    write(tmp_path, [0, 0, 1, 1])
    rows = load(tmp_path)
    assert [row.id for row in rows] == [f"bbq/Age/{i}" for i in range(4)]
    assert rows[0] == Example(
        "bbq/Age/0", "bbq/Age", "bias", "bbq/Age-1", "I saw two people.\nWho?", 2, ("Ann", "Bob", "Unknown"),
        bundle="bbq/Age/0", metadata=rows[0].metadata,
    )  # fmt: skip
    assert [row.metadata["target"] for row in rows] == [0, 0, 1, 1]
    assert {row.metadata["unknown"] for row in rows} == {2}


def test_gzipped_files_do_as_well_and_a_changed_file_is_read_anew(tmp_path):
    write(tmp_path, [0, 0, 1, 1])
    plain = tmp_path / "bbq" / "Age.jsonl"
    before = load(tmp_path)
    with gzip.open(tmp_path / "bbq" / "Age.jsonl.gz", "wb") as file:
        file.write(plain.read_bytes())
    plain.unlink()
    assert load(tmp_path) == before
    shutil.rmtree(tmp_path / "bbq")
    write(tmp_path, [0, 0, 1, 1], {"question": "Which one?"})
    assert load(tmp_path)[0].prompt.endswith("Which one?")


def test_the_old_metadata_is_refused(tmp_path):
    write(tmp_path, [0, 0, 0, 0])
    with pytest.raises(DataError, match=r"additional_metadata.csv: the old version.*polarity.*'Ann'"):
        load(tmp_path)


@pytest.mark.parametrize(
    "break_it",
    [
        {"answer_info": {}},
        {"label": "x"},
        {"label": 3},
        {"example_id": None},
        {"context_condition": None},
        {"question_polarity": "negative"},
        {"ans1": None},
        {"context": ["I saw two people."]},
    ],
)
def test_a_row_that_is_none_names_file_and_line(tmp_path, break_it):
    write(tmp_path, [0, 0, 1, 1], break_it)
    with pytest.raises(DataError, match=r"Age.jsonl:1: not a row of BBQ"):
        load(tmp_path)


def test_a_row_that_stands_twice_is_refused(tmp_path):
    write(tmp_path, [0, 0, 1, 1])
    file = tmp_path / "bbq" / "Age.jsonl"
    file.write_text(file.read_text() + file.read_text().splitlines()[2] + "\n")
    with pytest.raises(DataError, match=r"Age.jsonl:5: example_id 2 stands twice"):
        load(tmp_path)


@pytest.mark.parametrize("targets", [[0, 0, 1], []])
def test_metadata_that_lacks_rows_is_refused_by_its_own_name(tmp_path, targets):
    write(tmp_path, targets)
    with pytest.raises(DataError, match=rf"additional_metadata.csv: not whole, no row for Age {len(targets)}\."):
        load(tmp_path)


def test_other_broken_files(tmp_path):
    write(tmp_path, [0, 0, 1, 1])
    (tmp_path / "bbq" / "additional_metadata.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"not BBQ's additional_metadata.csv"):
        load(tmp_path)
    (tmp_path / "bbq" / "Age.jsonl").unlink()
    (tmp_path / "bbq" / "Age.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"Age.jsonl.gz: cannot be read|not BBQ's"):
        load(tmp_path)


def test_categories_add_up_to_the_published_count():
    assert sum(CATEGORIES.values()) == 58_492 and len(CATEGORIES) == 11
