"""`traces:FILE` in a recipe: kd learns the traces, sft and grpo draw the same rows in one order, nobody a test row."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from world_traces import questions, told

from fairreason import benchmarks
from fairreason.api import check_names
from fairreason.benchmarks import traced
from fairreason.benchmarks.traced_source import ELSEWHERE
from fairreason.cli import main
from fairreason.cli.plan import plans
from fairreason.data.mixture import build
from fairreason.errors import DataError, UsageError
from fairreason.files import read_jsonl
from fairreason.models.load import load
from fairreason.recipe import Recipe
from fairreason.records import Completion, Grade
from fairreason.study.identity import Identity
from fairreason.training.batches import Rows
from fairreason.training.preview import render
from fairreason.training.train import train_on

STRATEGIES = {
    "kd": {"type": "kd", "kd": {"mode": "trace"}},
    "sft": {"type": "sft"},
    "grpo": {"type": "grpo", "grpo": {"completions": 2, "max_new_tokens": 8}},
}


@pytest.fixture
def files(tmp_path):
    """The world's own traces on lab-math and lab-bias, of the test split too, which nothing may train on."""
    for name in ("lab-math", "lab-bias"):
        rows = questions(name)[:200:2] if name == "lab-math" else questions(name)[:160]
        traces = [told(row, f"{row.trace} Thus.") for row in [*rows, *questions(name, "test")[:8]]]
        traced.write(tmp_path / f"{name}.jsonl", traces)
    return tmp_path


def asked(files, strategy, model="lab", **mixture):
    bias, reasoning = ({f"traces:{files / name}.jsonl": 1} for name in ("lab-bias", "lab-math"))
    return Recipe.parse(
        {
            "model": str(model),
            "mixture": {"size": 32, "bias_share": 0.5, "bias": bias, "reasoning": reasoning, **mixture},
            "strategy": {"batch": 16, **STRATEGIES[strategy]},
            "evaluation": {"benchmarks": ["lab-bias", "lab-math"]},
        }
    )


def drawn(recipe):
    mixture = build(recipe)
    return [mixture.examples[row] for row in mixture.rows()]


def test_every_strategy_draws_the_same_rows_in_the_same_order(files):
    rows = {name: drawn(asked(files, name)) for name in STRATEGIES}
    assert rows["kd"] == rows["sft"] == rows["grpo"] and len(rows["kd"]) == 32
    assert all(row.trace.endswith(" Thus.") for row in rows["kd"])
    tested = {row.cluster for name in ("lab-bias", "lab-math") for row in questions(name, "test")}
    assert not {row.cluster for row in rows["kd"]} & tested
    left = {(one.source.rpartition("/")[2], one.reason): one.rows for one in build(asked(files, "kd")).left_out}
    assert left == {("lab-bias.jsonl", ELSEWHERE): 8, ("lab-math.jsonl", ELSEWHERE): 8}


def test_what_one_teacher_lacks_moves_no_other_question(files):
    """Of the benchmark's first questions those that the file has are the file's first."""
    whole = {row.id for row in drawn(asked(files, "kd", bias_share=0, reasoning={"lab-math": 1}, size=400))}
    held = {row.id for row in questions("lab-math")[:200:2]}
    both = whole & held
    assert len(both) > 8
    assert {row.id for row in drawn(asked(files, "kd", bias_share=0, size=len(both)))} == both


def test_every_strategy_trains_on_them(files, tiny_qwen3, tmp_path):
    seen = {}
    for name in STRATEGIES:
        recipe = asked(files, name, tiny_qwen3)
        result = train_on(recipe, build(recipe), tmp_path / name)
        assert result.steps == 2 and result.trained_tokens > 0
        steps = read_jsonl(tmp_path / name / "metrics.jsonl")
        seen[name] = [{source: tally["n"] for source, tally in step["sources"].items()} for step in steps]
        assert [sum(step.values()) for step in seen[name]] == [16, 16] and len(seen[name][0]) == 2
    assert seen["kd"] == seen["sft"] == seen["grpo"]


def test_kd_is_taught_the_trace_and_sft_is_not(files, tiny_qwen3):
    loaded = load(str(tiny_qwen3))
    for name, thought in (("kd", True), ("sft", False)):
        recipe = asked(files, name)
        mixture = build(recipe)
        rows = Rows(loaded, mixture.examples, "on", keep=4)
        by_id = {(row.source, row.id): row for row in mixture.examples}
        shown = render(mixture, rows, recipe.strategy, each=3)
        assert len(shown) == 6
        for one in shown:
            example = by_id[one.source, one.id]
            assert (f"<think>\n{example.trace}\n</think>" in one.completion) is thought


def test_the_lines_order_is_not_the_runs_but_their_words_are(files):
    before = Identity(None).fingerprint(asked(files, "kd"))
    path = files / "lab-math.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(reversed(lines)))
    assert Identity(None).fingerprint(asked(files, "kd")) == before
    path.write_text("".join(lines).replace(" Thus.", " So."))
    assert Identity(None).fingerprint(asked(files, "kd")) != before


def test_a_question_is_drawn_from_one_source_alone(files):
    both = {f"traces:{files}/lab-bias.jsonl": 1, "lab-bias": 1}
    with pytest.raises(DataError, match=r"the id lab-bias/\S+ stands twice in the mixture's sources, in "):
        build(asked(files, "kd", bias=both))
    check_names(asked(files, "kd", bias=both))
    with pytest.raises(UsageError, match=r"mixture.reasoning: traces:\S+ belongs under mixture.bias"):
        check_names(asked(files, "kd", reasoning={f"traces:{files}/lab-bias.jsonl": 1}))


def test_traces_on_a_file_that_is_not_split_are_not_evaluated_on_it(tmp_path):
    items = tmp_path / "own.jsonl"
    rows = [{"id": str(i), "prompt": f"{i}+1?", "answer": str(i + 1)} for i in range(8)]
    items.write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = benchmarks.get(f"items:{items}").load("train", None)
    made = [traced.trace_of(row, Completion(f"It is so.\n{row.answer}"), Grade("correct"), teacher="t") for row in own]
    traced.write(tmp_path / "traces.jsonl", made)
    recipe = {
        "mixture": {"size": 4, "bias_share": 0, "reasoning": {f"traces:{tmp_path}/traces.jsonl": 1}},
        "strategy": {"type": "kd", "batch": 2},
    }
    assert len(drawn(Recipe.parse({**recipe, "evaluation": {"benchmarks": ["lab-math"]}}))) == 4
    for spelled in (items, tmp_path / ".." / tmp_path.name / "own.jsonl"):
        with pytest.raises(UsageError, match="trained on and evaluated, but not split"):
            build(Recipe.parse({**recipe, "evaluation": {"benchmarks": [f"items:{spelled}"]}}))


def test_several_traces_of_a_question_fit_into_a_batch(tmp_path):
    rows = questions("lab-bias")[:64]
    traced.write(tmp_path / "some.jsonl", [told(row, f"Way {k}.", sample=k) for row in rows for k in range(8)])
    bias = {f"traces:{tmp_path}/some.jsonl": 1}
    recipe = Recipe.parse(
        {"mixture": {"size": 80, "bias_share": 0.2, "bias": bias, "reasoning": {"lab-math": 1}},
         "strategy": {"type": "kd", "batch": 20}}
    )  # fmt: skip
    assert sum(row.axis == "bias" for row in drawn(recipe)) == 16


def test_the_command_line_takes_it_wherever_it_takes_items(files, capsys):
    name = f"traces:{files}/lab-math.jsonl"
    path = files / "own.yaml"
    path.write_text(yaml.safe_dump(asked(files, "kd").to_dict()))
    for arguments, said in (
        (["mix", str(path), "--examples", "0"], rf"left out: {re.escape(name)}: 8 rows: a question of another split"),
        (["train", str(path), "--dry-run"], r"left out by kd: .*a question of another split"),
        (["bench", name], r"reasoning +100 +0 +8"),
        (["bench", name, "--validate"], "passed"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        out = capsys.readouterr()
        assert stopped.value.code == 0, out.err
        assert re.search(said, out.out), out.out


def test_a_plan_without_the_benchmarks_data_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRREASON_DATA", raising=False)
    row = {"id": "bbq/Age/0", "source": "bbq/Age", "prompt_hash": "0", "grade": {"outcome": "correct"}}
    row["messages"] = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "It is so.\nB"}]
    path = tmp_path / "bbq.jsonl"
    path.write_text(json.dumps(row) + "\n")
    recipe = Recipe.parse({"mixture": {"size": 4, "bias_share": 1, "bias": {f"traces:{path}": 1}},
                           "strategy": {"type": "sft", "batch": 2}})  # fmt: skip
    (plan,) = plans(recipe, None)
    assert plan.prompt_tokens.status == "unknown" and "bbq: no data folder" in plan.prompt_tokens.source
    path.write_text("{}\n")
    with pytest.raises(DataError, match=r"bbq.jsonl:1: not a trace"):
        list(plans(recipe, None))
