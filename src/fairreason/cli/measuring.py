"""The commands that ask models, score answers made elsewhere and compare runs; cli/scores.py does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fairreason.cli.options import AllowCode, Data, Json, Split, app

Side = "a run's or an evaluation's folder, a folder of predictions (BENCH.jsonl each), or one such file (then --bench)"
Bench = Annotated[
    str | None, typer.Option("--bench", help="Benchmarks, separated by commas; default: all that both sides hold.")
]


@app.command("eval")
def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            help="lab, a folder, a run folder or a hub name; openai: the server's name for it; scripted: a JSONL file.",
        ),
    ],
    bench: Annotated[str, typer.Option(help="Benchmarks, separated by commas; items:PATH for your own.")] = (
        "lab-bias,lab-bias-vl,lab-math,lab-chart"
    ),
    items: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own questions, for --bench multiple-choice or short-answer."),
    ] = None,
    backend: Annotated[
        Literal["huggingface", "vllm", "openai", "scripted"], typer.Option(help="What answers.")
    ] = "huggingface",
    split: Annotated[Split, typer.Option(help="Which questions.")] = "test",
    samples: Annotated[int, typer.Option(min=1, help="Answers a question; above 1 needs a temperature.")] = 1,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy.")] = 0.0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, thinking included.")] = 64,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions a benchmark.")] = None,
    thinking: Annotated[Literal["on", "off"], typer.Option(help="Handed to the chat template.")] = "on",
    mode: Annotated[
        Literal["generate", "letters"],
        typer.Option(help="letters reads the most probable option letter behind the prompt; nothing is written."),
    ] = "generate",
    seed: Annotated[int, typer.Option(min=0, help="Seed of sampled answers.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    revision: Annotated[
        str | None, typer.Option(help="Commit or branch of a hub name; for openai your name for the server's weights.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="openai: the server, e.g. http://127.0.0.1:8000/v1; its key: OPENAI_API_KEY."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="openai: questions asked at a time; default 8.", show_default=False)
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, help="openai: seconds an answer may take; default 600.", show_default=False)
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep answers for every later evaluation; default: FAIRREASON_CACHE, else none."
        ),
    ] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
    ] = False,
    unsafe_weights: Annotated[
        bool, typer.Option("--unsafe-weights", help="Load pickled weights, which can run code.")
    ] = False,
    allow_code_execution: AllowCode = False,
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep every answer here; run again to resume.")
    ] = None,
    grades: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one JSON line an answer: how it was read.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask a model the benchmarks' questions; prints scores with errors, and what became of every answer."""
    from fairreason.cli.scores import run_eval

    settings: dict[str, Any] = {
        "backend": backend,
        "split": split,
        "samples": samples,
        "temperature": temperature,
        "max_new_tokens": max_new_tokens,
        "limit": limit,
        "thinking": thinking,
        "mode": mode,
        "seed": seed,
        "threads": threads,
        "revision": revision,
        "trust_remote_code": trust_remote_code,
        "unsafe_weights": unsafe_weights,
        "base_url": base_url,
        "concurrency": concurrency,
        "time_limit": time_limit,
        "cache": cache,
    }
    run_eval(model, bench, items, settings, data, out, grades, json)


@app.command()
def score(
    bench: Annotated[str, typer.Argument(metavar="BENCH", help="The benchmark.", show_default=False)],
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            show_default=False,
            help="JSON lines, plain or .gz, with id and choice (0-based, published order, or null) or response (text).",
        ),
    ],
    items: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own questions, where BENCH is multiple-choice or short-answer."),
    ] = None,
    split: Annotated[Split | None, typer.Option(help="Which questions were asked; default: all.")] = None,
    official: Annotated[
        bool, typer.Option("--official", help="bbq: as its authors score, without unparsed answers.")
    ] = False,
    grades: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one JSON line an answer: how it was read.")
    ] = None,
    allow_code_execution: AllowCode = False,
    data: Data = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the scores as CSV.")] = False,
    json: Json = False,
) -> None:
    """Score predictions made elsewhere; prints scores with errors, and what became of every answer."""
    from fairreason.cli.scores import run_score

    run_score(bench, predictions, items, split, official, grades, data, csv, json)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=f"The first: {Side}.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The second, which is judged.", show_default=False)],
    bench: Bench = None,
    margin: Annotated[float, typer.Option(min=0, max=1, help="A difference surely inside +- margin is a tie.")] = 0.02,
    by_category: Annotated[bool, typer.Option("--by-category", help="Every category, not only their means.")] = False,
    allow_code_execution: AllowCode = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """What changed from A to B on the same questions: paired, clustered differences with a verdict for every metric."""
    from fairreason.cli.scores import run_compare

    run_compare(Path(a), Path(b), bench, margin, by_category, data, json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's or an evaluation's folder.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the logs go.")] = Path("out/inspect"),
    bench: Annotated[str | None, typer.Option("--bench", help="Benchmarks, separated by commas; default: all.")] = None,
    data: Data = None,
) -> None:
    """Write an evaluation as logs that Inspect opens (inspect view --log-dir DIR); prints their paths."""
    from fairreason.cli.scores import run_export

    run_export(run, out, bench, data)


@app.command()
def check(
    new: Annotated[str, typer.Argument(metavar="NEW", help=f"What is to be released: {Side}.", show_default=False)],
    against: Annotated[str, typer.Option("--against", metavar="BASE", help="What it must not be worse than.")],
    margin: Annotated[
        list[str] | None,
        typer.Option(
            "--margin",
            metavar="AXIS=SIZE",
            help="An axis that is judged and what is no loss on it, e.g. F=.02, R=.02, s_amb_abs=.01, F/bbq=.02; "
            "repeatable. Default: F=.02 and R=.02.",
        ),
    ] = None,
    bench: Bench = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the verdicts as JUnit XML.")] = None,
    allow_code_execution: AllowCode = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Release gate: is NEW not worse than BASE on every axis? Exit 0 yes, 3 no, 4 cannot tell with so few examples."""
    from fairreason.cli.scores import run_check

    run_check(Path(new), Path(against), margin or [], bench, junit, data, json)


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One of them; without it all.")] = None,
    split: Annotated[Split, typer.Option(help="What --export and --lm-eval write.")] = "test",
    validate: Annotated[bool, typer.Option("--validate", help="Load everything and grade the gold answers.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write ids, prompts and options as JSON lines.")
    ] = None,
    lm_eval: Annotated[
        Path | None, typer.Option("--lm-eval", metavar="DIR", help="Write a task of lm-evaluation-harness.")
    ] = None,
    data: Data = None,
    allow_code_execution: AllowCode = False,
    json: Json = False,
) -> None:
    """The benchmarks there are, and whether their data is at hand."""
    from fairreason.cli.bench import run_bench

    run_bench(name, split, validate, export, lm_eval, data, json)
