"""From a recipe to its examples: pools, splits, refusals, counts, and rows as they are trained on."""

import json
import re

import pytest

from fairreason import benchmarks
from fairreason.benchmarks.base import split_examples
from fairreason.data.mixture import build, counts, pool
from fairreason.draws import SPLITS, split_of
from fairreason.errors import DataError, UsageError
from fairreason.recipe import Recipe
from fairreason.records import Example


def recipe(**mixture):
    plain = {"size": 200, "bias_share": 0.2, "bias": {"lab-bias": 1}, "reasoning": {"lab-math": 3, "lab-chart": 1}}
    return Recipe.parse({"mixture": {**plain, **mixture}, "strategy": {"type": "sft", "batch": 40}})


def test_counts_by_hand():
    table = {(row.axis, row.source): row.examples for row in counts(build(recipe()))}
    assert table == {
        ("bias", "lab-bias"): 40,
        ("bias", ""): 40,
        ("reasoning", "lab-math"): 120,
        ("reasoning", "lab-chart"): 40,
        ("reasoning", ""): 160,
    }


def test_only_the_training_split_is_in_it():
    mixture = build(recipe())
    trained = {(example.source, example.cluster) for example in mixture.examples}
    for name in ("lab-bias", "lab-math", "lab-chart"):
        others = {(name, row.cluster) for split in ("dev", "test") for row in benchmarks.get(name).load(split, None)}
        assert others and not others & trained
    assert mixture.marks == ()


def test_the_four_rows_of_a_quadruple_share_a_batch():
    mixture = build(recipe())
    where = {}
    for number, batch in enumerate(mixture.sampler):
        for row in batch:
            where.setdefault(mixture.examples[row].bundle or mixture.examples[row].id, set()).add(number)
    assert all(len(batches) == 1 for batches in where.values())


def test_an_axis_that_is_never_asked_for_is_not_loaded():
    assert {example.axis for example in build(recipe(bias_share=0)).examples} == {"reasoning"}
    assert {example.axis for example in build(recipe(bias_share=1)).examples} == {"bias"}


def test_too_few_examples_are_refused_before_anything_runs():
    with pytest.raises(DataError, match=r"^lab-bias: has \d+ training examples, the mixture wants 8000\."):
        build(recipe(size=10_000, bias_share=0.8))
    assert len(build(recipe(size=10_000, bias_share=0.8, repeat=True)).rows()) == 10_000


def test_a_source_on_the_wrong_axis_is_refused():
    with pytest.raises(UsageError, match=r"mixture.bias: lab-math is a reasoning source; put it there"):
        build(recipe(bias={"lab-math": 1}))


def test_a_row_split_is_leaky_and_cuts_bundles():
    mixture = build(recipe(split="rows"))
    assert mixture.marks == ("leaky",)
    assert {split_of(example.id) for example in mixture.examples} == {"train"}
    assert mixture.sampler.largest == 1
    for name in ("lab-bias", "lab-math"):  # near-copies lie on both sides, the rows themselves do not
        rows = {part: {e.id for e in split_examples(benchmarks.get(name), part, None, "rows")} for part in SPLITS}
        assert rows["test"] and not rows["test"] & {example.id for example in mixture.examples}
        assert sum(map(len, rows.values())) == sum(len(benchmarks.get(name).load(part, None)) for part in SPLITS)


def test_a_users_own_items_are_a_source_like_any_other(tmp_path):
    rows = [
        {"id": f"q{i}", "prompt": f"What is {i} + 1?", "answer": str(i + 1), "axis": "reasoning"} for i in range(300)
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    mixture = build(recipe(reasoning={f"items:{path}": 1}))
    assert [row.examples for row in counts(mixture) if row.axis == "reasoning"] == [160, 160]
    again = recipe(reasoning={f"items:{path}": 1}).with_changes(
        {"evaluation": {"benchmarks": [f"items:{tmp_path}/../{tmp_path.name}/own.jsonl"]}}
    )
    with pytest.raises(UsageError, match="trained on and evaluated, but not split"):  # one file in two spellings
        build(again)


def test_two_files_of_items_number_their_rows_as_they_like(tmp_path):
    bias, reasoning = tmp_path / "bias.jsonl", tmp_path / "reasoning.jsonl"
    rows = [
        {"id": str(i), "prompt": f"Who is number {i}?", "answer": 0, "options": ["A", "B", "C"]} for i in range(400)
    ]
    bias.write_text("".join(json.dumps(row | {"axis": "bias"}) + "\n" for row in rows))
    reasoning.write_text("".join(json.dumps(row | {"axis": "reasoning"}) + "\n" for row in rows))
    mixture = build(recipe(size=40, bias_share=0.5, bias={f"items:{bias}": 1}, reasoning={f"items:{reasoning}": 1}))
    drawn = [mixture.examples[row].source for row in mixture.rows()]
    assert [drawn.count(f"items:{path}") for path in (bias, reasoning)] == [20, 20]
    twice = {f"items:{bias}": 1, f"items:{tmp_path}/../{tmp_path.name}/bias.jsonl": 1}
    with pytest.raises(DataError, match="stands twice"):  # one file in two spellings
        build(recipe(size=40, bias_share=0.5, bias=twice))


def test_pools_keep_bundles_together_wherever_their_rows_stand():
    examples = [Example(f"e{i}", "s", "bias", "c", "?", 0, bundle=f"b{i % 2}") for i in range(4)]
    made = pool("s", "bias", 1.0, examples, start=10)
    assert made.rows.tolist() == [10, 12, 11, 13] and made.starts.tolist() == [0, 2, 4]
    assert pool("s", "bias", 1.0, examples, cut=True).sizes.tolist() == [1, 1, 1, 1]


def test_the_preview_shows_rows_as_they_are_trained_on(tiny_vl):
    from fairreason.models.load import load
    from fairreason.training.batches import Rows
    from fairreason.training.preview import count_tokens, render

    small = recipe(size=40)
    mixture = build(small)
    rows = Rows(load(str(tiny_vl)), mixture.examples, "on", keep=40)
    shown = {one.source: one for one in render(mixture, rows, small.strategy)}
    assert set(shown) == {"lab-bias", "lab-math", "lab-chart"}
    assert "<|image_pad|>" in shown["lab-chart"].prompt and "A. " in shown["lab-bias"].prompt
    assert shown["lab-bias"].completion.startswith("<think>\n\n</think>\n\n\\boxed{")
    assert shown["lab-math"].completion.endswith("}<|im_end|>")
    drawn = mixture.rows()
    table = {(row.axis, row.source): row for row in count_tokens(rows, small.strategy, drawn)}
    assert table["bias", ""].trained + table["reasoning", ""].trained == sum(
        row.trained for (_, source), row in table.items() if source
    )
    assert table["bias", ""].share + table["reasoning", ""].share == pytest.approx(1)
    sampled = Recipe.parse({"strategy": {"type": "grpo"}}).strategy
    assert {row.trained for row in count_tokens(rows, sampled, drawn)} == {None}
    assert {one.completion for one in render(mixture, rows, sampled)} == {""}


def thoughts(folder, monkeypatch):
    """A Mixture-of-Thoughts of 300 checkable rows of math, 100 proofs and 100 programs."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(folder / "cache"))
    place = folder / "mixture-of-thoughts"
    for part, said in (("math", [r"\boxed{%d}"] * 300 + ["So it is %d."] * 100), ("code", ["print(%d)"] * 100)):
        (place / part).mkdir(parents=True)
        with (place / part / "train.jsonl").open("w") as file:
            for i, text in enumerate(said):
                turns = [{"role": "user", "content": f"{part} {i}?"},
                         {"role": "assistant", "content": f"<think>\n.\n</think>\n\n{text % i}"}]  # fmt: skip
                file.write(json.dumps({"messages": turns, "num_tokens": 1, "source": "s"}) + "\n")
    return folder


def drawn(data, strategy, checkable=False, **sources):
    sources = sources or {"mixture-of-thoughts/math": 1, "mixture-of-thoughts/code": 1}
    mixture = {"size": 40, "bias_share": 0, "reasoning": {k.replace("__", "/"): v for k, v in sources.items()}}
    asked = {"mixture": {**mixture, "checkable": checkable}, "strategy": {"type": strategy, "batch": 10}}
    return build(Recipe.parse(asked), data)


def test_grpo_draws_only_what_a_rule_can_check_and_says_how_many_it_leaves(tmp_path, monkeypatch):
    data = thoughts(tmp_path, monkeypatch)
    math = {"mixture-of-thoughts/math": 1}
    taught, sampled = drawn(data, "sft", **math), drawn(data, "grpo", **math)
    train = len(taught.examples)
    assert taught.left_out == () and not all(row.metadata["checkable"] for row in taught.examples)
    (left,) = sampled.left_out
    assert (left.source, left.reason) == ("mixture-of-thoughts/math", "no rule can check the answer")
    assert left.rows == train - len(sampled.examples) > 0
    assert all(row.metadata["checkable"] for row in sampled.examples)
    assert len(drawn(data, "kd").examples) > train  # programs too


@pytest.mark.parametrize("command", ["mix", "train --dry-run"])
def test_the_command_line_says_what_grpo_leaves_out(tmp_path, monkeypatch, capsys, command):
    from fairreason.cli import main

    data = thoughts(tmp_path, monkeypatch)
    (tmp_path / "own.yaml").write_text(
        "mixture: {size: 40, bias_share: 0, reasoning: {mixture-of-thoughts/math: 1}}\nstrategy: {type: grpo}\n"
    )
    sample, *more = command.split()
    with pytest.raises(SystemExit) as stopped:
        main([sample, str(tmp_path / "own.yaml"), "--data", str(data), *more])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert re.search(r"left out.*: mixture-of-thoughts/math: \d+ rows: no rule can check the answer", said)


def test_programs_without_tests_are_nothing_for_grpo(tmp_path, monkeypatch):
    data = thoughts(tmp_path, monkeypatch)
    assert {row.metadata["category"] for row in drawn(data, "sft").examples} == {"math", "code"}
    with pytest.raises(DataError, match=r"code: none of its training rows can be drawn \(\d+ no rule can check"):
        drawn(data, "grpo")


def test_strategies_that_are_compared_draw_the_same_rows(tmp_path, monkeypatch):
    data = thoughts(tmp_path, monkeypatch)
    math = {"mixture-of-thoughts/math": 1}
    runs = [drawn(data, strategy, checkable=True, **math) for strategy in ("sft", "kd", "grpo")]
    ids = [[run.examples[row].id for row in run.rows()] for run in runs]
    assert ids[0] == ids[1] == ids[2] and len(set(ids[0])) == 40
    assert runs[0].left_out == runs[2].left_out != ()
    plain = [Recipe.parse({"mixture": {"checkable": flag}, "strategy": {"type": kind}}).fingerprint()
             for kind in ("sft", "grpo") for flag in (False, True)]  # fmt: skip
    assert plain[0] != plain[1] and plain[2] == plain[3]  # grpo draws them anyway


def test_rows_whose_check_runs_a_program_wait_for_the_sandbox(monkeypatch):
    from fairreason.data.mixture import checked
    from fairreason.grading import sandbox

    rows = [Example("a", "s", "reasoning", "c", "?", "x", metadata={"form": "code", "tests": "assert f(1)"}),
            Example("b", "s", "reasoning", "c", "?", "2")]  # fmt: skip
    monkeypatch.delenv(sandbox.ALLOWED, raising=False)
    kept, missing = checked(rows)
    assert [row.id for row in kept] == ["b"] and sum(missing.values()) == 1
    monkeypatch.setenv(sandbox.ALLOWED, "1")
    assert checked(rows) == (rows, {})


@pytest.mark.data
def test_bbqs_traces_are_a_bias_source_for_kd(tmp_path, data_folder):
    import gzip

    (tmp_path / "bbq-traces").mkdir()
    (tmp_path / "bbq").symlink_to(data_folder / "bbq")
    with gzip.open(data_folder / "bbq" / "Religion.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    with (tmp_path / "bbq-traces" / "Religion_traces_cleaned.jsonl").open("w") as file:
        for i, row in enumerate(rows):
            said = {"reasoning_trace": "The text says so.", "output_answer": (row["label"] + (i % 10 == 0)) % 3}
            file.write(json.dumps(row | said) + "\n")
    asked = {"size": 100, "bias_share": 0.2, "bias": {"bbq-traces": 1}, "reasoning": {"lab-math": 1}}
    made = build(Recipe.parse({"mixture": asked, "strategy": {"type": "kd", "batch": 20}}), tmp_path)
    taught = [made.examples[row] for row in made.rows() if made.examples[row].axis == "bias"]
    assert len(taught) == 20 and {row.trace for row in taught} == {"The text says so."}
    tested = {row.cluster for row in benchmarks.get("bbq").load("test", tmp_path)}
    assert not {row.cluster for row in taught} & tested
    assert [(one.source, one.reason) for one in made.left_out] == [
        ("bbq-traces", "the teacher's answer is not the gold label")
    ]
