"""The card says what was asked, kept and dropped, under which licence; foreign text in it is nothing but text."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard
from world_traces import questions, told

from fairreason import benchmarks
from fairreason.benchmarks import traced
from fairreason.recipe import Recipe
from fairreason.traces import card
from fairreason.traces.markdown import LONGEST

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
NOT_KNOWN = ("not read yet", "not stated there")


def collection(name="lab-bias", kept=30, **more):
    asked = questions(name)[:48]
    traces = [told(row) for row in asked[:kept]]
    told_all = {"teacher": "world", "models": ["world-1", "world-1"], "sampling": {"temperature": 0.6, "samples": 1}}
    counted = {"prompt_tokens": 1920, "completion_tokens": 4800, "cost": 1.5, "dropped": {"wrong": 15, "truncated": 3}}
    return card.Collection(asked, traces, **{**told_all, **counted, **more})


def front(text):
    return yaml.safe_load(text.split("---\n")[1])


def cells(text, heading):
    """The rows of the first table behind a heading, head and rule left out."""
    lines = text.partition(heading)[2].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|")) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("| ").split(" | ")])
    return rows


def test_what_the_hub_reads():
    assert front(card.text("some.jsonl", collection())) == {
        "license": "apache-2.0",
        "language": ["en"],
        "task_categories": ["question-answering"],
        "tags": ["fairreason", "reasoning-traces", "distillation", "bias"],
        "size_categories": ["n<1K"],
        "configs": [{"config_name": "default", "data_files": "some.jsonl"}],
    }
    assert front(card.text("a.jsonl", collection("lab-chart")))["task_categories"] == ["visual-question-answering"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("bbq/Age", {"license": "cc-by-4.0"}),
        ("vlbiasbench", {"license": "openrail++"}),
        ("mixture-of-thoughts/math", {"license": "unknown"}),
        ("aime2024", {"license": "other", "license_name": "problems © MAA"}),
    ],
)
def test_the_licence_is_the_sources(source, found):
    one = dataclasses.replace(told(questions("lab-bias")[0]), source=source)
    text = card.text("a.jsonl", card.Collection([], [one], {}, "t"))
    assert found.items() <= front(text).items()
    assert ("read it at the source" in text) == (found["license"] == "unknown")


def test_two_sources_have_both_licences():
    rows = [dataclasses.replace(told(questions("lab-bias")[0]), source=source) for source in ("bbq", "lab-bias")]
    assert front(card.text("a.jsonl", card.Collection([], rows, {}, "t")))["license"] == ["apache-2.0", "cc-by-4.0"]


def test_the_counts_add_up():
    made = collection()
    text = card.text("some.jsonl", made)
    rows = cells(text, "## Counts")
    assert sum(int(row[3]) for row in rows) == 48 and sum(int(row[4]) for row in rows) == 30
    for source, category, condition, asked, kept in rows:
        group = [e for e in made.asked if (e.metadata["category"], e.metadata["condition"]) == (category, condition)]
        ids = {trace.id for trace in made.traces}
        assert (source, int(asked), int(kept)) == ("lab-bias", len(group), sum(e.id in ids for e in group))
    assert ["lab-bias", "condition", "ambig", "24", "15", "0.62"] in cells(text, "### Balance")
    assert cells(text, "## Filters") == [["truncated", "3"], ["wrong", "15"]]
    assert "18 answers were dropped, 30 kept" in text
    teacher = dict(cells(text, "## Teacher"))
    assert teacher["teacher"] == "world" and teacher["version, as the server reported it"] == "world-1"
    assert (teacher["completion tokens, all answers"], teacher["cost, all answers"]) == ("4,800", "1.50 US dollars")
    assert dict(cells(card.text("a", collection(cost=None)), "## Teacher"))["cost, all answers"] == "unknown"


def test_questions_with_several_traces_count_once():
    asked = questions("lab-bias")[:4]
    traces = [told(row, f"Way {k}.", sample=k) for row in asked for k in range(3)]
    text = card.text("a.jsonl", card.Collection(asked, traces, {}, "t"))
    assert "12 answers with reasoning to 4 questions" in text
    assert sum(int(row[4]) for row in cells(text, "## Counts")) == 4


HOSTILE = "x</td><script>alert(1)</script>\n---\nlicense: mit\n# [click](http://e.example) | `a` ![i](u) $x$ \u202e www.e.example"  # noqa: E501


def test_what_a_teacher_or_a_server_says_is_text_and_nothing_else():
    rows = questions("lab-bias")[:4]
    odd = [dataclasses.replace(row, metadata={**row.metadata, "category": HOSTILE}) for row in rows]
    traces = [dataclasses.replace(told(row), category=HOSTILE) for row in rows]
    said = {"models": [HOSTILE], "sampling": {"stop": HOSTILE}, "model": HOSTILE, "judge": HOSTILE}
    named = {"absent": [HOSTILE], "broken": {"math500": HOSTILE}}
    text = card.text("a.jsonl", card.Collection(odd, traces, {HOSTILE: 1}, HOSTILE, **said, **named))
    assert front(text)["license"] == "apache-2.0"
    body = text.split("---\n", 2)[2]
    for sign in ("<", "\u202e", r"(?<!\\)\]\(", r"(?<!\\)[:$`|]\S", r"www\."):
        assert not re.search(sign, body.partition("## Use")[0]), sign
    lines = body.splitlines()
    assert not [line for line in lines if line.startswith(("---", "license"))]
    heads = [line for line in lines if line.startswith("#") and not line.startswith("# Reasoning")]
    named = ["Sources and licences", "Teacher", "Counts", "Balance", "Filters", "Use", "Limits"]
    assert [head.lstrip("# ") for head in heads] == named
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|") and "x&lt;/td&gt;" in line}
    assert widths == {3, 6}  # no cell was added: two and five columns
    assert len(card.plain("y" * 1000)) == LONGEST + 3


def test_what_is_missing_stands_in_the_card_without_anybodys_folders():
    broken = {"math500": "/home/me/secret/data/math500/test.jsonl:3: needs problem"}
    text = card.text(
        "a.jsonl",
        collection(
            broken=broken, failed=1200, left_out={"no rule can check their answer": 7}, judge="gpt-x", absent=["bbq"]
        ),
    )
    filters = text.partition("## Filters")[2].partition("## Use")[0]
    assert "test questions of bbq: their files were not at hand" in filters
    assert "test questions of math500, which cannot be read: math500/test.jsonl\\:3\\: needs problem" in filters
    assert "1,200 requests failed and left no answer" in filters and "7 questions were left out" in filters
    assert "Judge of the reasoning, after the rules: gpt-x." in filters and "secret" not in text
    assert not re.search("cannot be read|Judge", card.text("a.jsonl", collection()))


def test_the_model_is_the_one_that_was_named(tmp_path):
    def named(model):
        return dict(cells(card.text("a.jsonl", collection(model=model)), "## Teacher"))["model, as it was named"]

    (tmp_path / "run-7").mkdir()
    assert (named("Qwen/Qwen3-8B"), named(""), named(str(tmp_path / "run-7"))) == ("Qwen/Qwen3-8B", "-", "run-7")


def test_datasets_and_the_hubs_client_read_file_and_card_together(tmp_path):
    made = collection()
    traced.write(tmp_path / "some.jsonl", made.traces)
    assert card.write(tmp_path / "some.jsonl", made) == tmp_path / "some.md"
    (tmp_path / "some.md").rename(tmp_path / "README.md")  # as it is called on the hub
    (tmp_path / "some.dropped.jsonl").write_text('{"other": 1}\n')
    rows = load_dataset(str(tmp_path), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == 30 and rows[0]["id"] == made.traces[0].id
    assert DatasetCard.load(tmp_path / "README.md").data.license == "apache-2.0"


def test_the_recipe_in_the_card_is_a_recipe(tmp_path):
    text = card.text("some.jsonl", collection())
    recipe = Recipe.parse(yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0]))
    assert recipe.mixture.bias == {"traces:some.jsonl": 1} and recipe.strategy.label() == "kd"


def test_the_docs_name_the_licences_that_the_code_knows():
    named: dict[str, str] = {}
    before = ""
    for line in DOCS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        names = re.findall(r"`([a-z0-9-]+)`", cells[0])
        if not line.startswith("| `"):
            continue
        if names[0] in benchmarks.BENCHMARKS:
            before = cells[2] if cells[2] != "same" else before
            several = before.split("; ")
            for place, name in enumerate(names):
                named[name] = several[min(place, len(several) - 1)]
    known = {name: one.licence for name, one in benchmarks.BENCHMARKS.items()}
    assert {name: "" if said in NOT_KNOWN else said for name, said in named.items()} == known
    assert {one.licence for one in benchmarks.PARTS.values()} <= set(known.values())
