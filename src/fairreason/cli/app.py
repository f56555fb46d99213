"""The command line. Data on stdout, progress with the time left on stderr; an error is one line and an exit code.

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted. Nothing heavy is imported before a command runs, so every
`--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fairreason import __version__

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    help="Measure, train and chart the trade-off between fairness and reasoning.",
    epilog="RECIPE is a YAML file; recipes/ has some. Errors are one line; exit codes: 0 done, 1 failed, 2 wrong use.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
lab = typer.Typer(help="The small world with its own tiny model.", rich_markup_mode=None)
app.add_typer(lab, name="lab")

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a key of the recipe, e.g. mixture.bias_share=0.1; repeatable."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the public data sets; default: FAIRREASON_DATA."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Workers = Annotated[int, typer.Option(min=1, help="Runs at a time, each in a process of its own.")]
Split = Literal["train", "dev", "test"]


def _allow_code(given: bool) -> bool:
    """Throws the switch that worker processes inherit. No recipe can: recipes come from strangers."""
    if given:
        from fairreason.grading import sandbox

        sandbox.allow()
    return given


AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code-execution", callback=_allow_code, help="Let programs that a model wrote run, in a sandbox."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan (examples, steps, tokens, memory) and stop.")]


CORES = min(2, os.cpu_count() or 1)


@app.callback(invoke_without_command=True)
def _program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        print(f"fairreason {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The study's folder.")] = Path("out/demo"),
    workers: Workers = CORES,
    set_: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """The lab study, offline and in minutes: base, sft, kd and grpo at a few bias shares. Prints the report's path."""
    from fairreason.cli.commands import run_study, shipped_recipe

    run_study(shipped_recipe("lab/demo.yaml"), set_ or [], out, workers, None, dry_run, json)


@app.command()
def study(
    recipe: RecipeFile,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The study's folder; default: out/<name of RECIPE>.")
    ] = None,
    workers: Workers = 1,
    set_: Sets = None,
    data: Data = None,
    allow_code_execution: AllowCode = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Run the recipe's grid, base first; prints the report's path. Run it again to go on where it stopped."""
    from fairreason.cli.commands import run_study

    run_study(recipe, set_ or [], out or Path("out") / recipe.stem, workers, data, dry_run, json)


@app.command()
def train(
    recipe: RecipeFile,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; default: runs/<name>-<fingerprint>.")
    ] = None,
    set_: Sets = None,
    data: Data = None,
    allow_code_execution: AllowCode = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Train and evaluate one run; prints its folder. Run it again to go on where it stopped."""
    from fairreason.cli.commands import run_train

    run_train(recipe, set_ or [], out, data, dry_run, json)


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
    from fairreason.cli.commands import run_eval

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
def mix(
    recipe: RecipeFile,
    set_: Sets = None,
    data: Data = None,
    examples: Annotated[int, typer.Option(min=0, help="Rendered examples of each source.")] = 1,
    json: Json = False,
) -> None:
    """What a run would be trained on: counts in examples and in tokens, and some examples as the model reads them."""
    from fairreason.cli.commands import run_mix

    run_mix(recipe, set_ or [], data, examples, json)


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


@app.command()
def report(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The folder of a study.", show_default=False)],
) -> None:
    """Write a study's HTML report again; prints its path."""
    from fairreason import api

    print(api.report(study))


@lab.command("build")
def lab_build(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the model folders go.")] = Path("out/lab"),
    which: Annotated[
        Literal["lab", "lab-teacher", "both"], typer.Option(help="The base, the teacher, or both.")
    ] = "both",
    seed: Annotated[int, typer.Option(min=0, help="Seed of lessons and training.")] = 0,
) -> None:
    """Train the lab's base and teacher from nothing; prints their folders."""
    from fairreason.cli.commands import run_lab_build

    run_lab_build(out, which, seed)


from fairreason.cli import measure  # noqa: E402, F401  its commands belong to this program
