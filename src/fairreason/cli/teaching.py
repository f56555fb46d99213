"""The commands around teachers' traces; cli/traces.py does the work.

`fairreason traces BENCH ...` is `fairreason traces collect BENCH ...`: a first word that is no command is a benchmark.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from fairreason.cli.options import AllowCode, Data, Json, app

Judge = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        show_default=False,
        help="A model at --judge-url that labels steps, after the rules; what it costs no ceiling counts.",
    ),
]
JudgeUrl = Annotated[
    str | None, typer.Option(metavar="URL", show_default=False, help="The judge's server; default: OpenAI's.")
]


class Collects(TyperGroup):
    """A group whose unknown first word starts the command `collect`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["collect", *args]
        return super().parse_args(ctx, args)


traces = typer.Typer(
    cls=Collects,
    help="Reasoning traces from a teacher: asked for, kept, made ready for training.\n\n"
    "`fairreason traces BENCH --teacher MODEL --out FILE` is `fairreason traces collect BENCH ...`: the command's name "
    "may be left out.",
    short_help="Reasoning traces from a teacher: traces BENCH --teacher MODEL --out FILE.",
    epilog="`fairreason traces collect --help` shows the options of asking.",
    subcommand_metavar="BENCH|COMMAND ...",
    rich_markup_mode=None,
)
app.add_typer(traces, name="traces")


@traces.command("collect", short_help="Ask a teacher, and keep what is right, fair and new.")
def collect(
    bench: Annotated[
        str, typer.Argument(metavar="BENCH", show_default=False, help="The benchmark; items:PATH for your own.")
    ],
    teacher: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="deepseek-reasoner, o4-mini, self (the model under training), source (the traces that BENCH was "
            "published with; nobody is asked), or a model's name at --base-url.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The trace file, .jsonl; its answers are kept beside it.")],
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server, e.g. http://127.0.0.1:8000/v1.", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            show_default=False,
            help="self: lab, a folder, a run folder or a hub name; else the server's name for the teacher, if another.",
        ),
    ] = None,
    backend: Annotated[Literal["huggingface", "vllm"], typer.Option(help="self: what answers.")] = "huggingface",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many questions, spread over the clusters.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Answers a question.")] = 1,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Default: 1, where the teacher takes one.", show_default=False)
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, thinking included.")] = 8192,
    thinking: Annotated[Literal["on", "off"], typer.Option(help="Handed to the chat template.")] = "on",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the answers, where the teacher takes one.")] = 0,
    concurrency: Annotated[
        int, typer.Option(min=1, help="Requests at a time, from the start; never more, fewer while the server is busy.")
    ] = 32,
    time_limit: Annotated[float, typer.Option(min=0.1, help="Seconds that an answer may take.")] = 600.0,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="Ask nothing that could cost more in all.", show_default=False),
    ] = None,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN,OUT", help="US dollars for a million tokens read and written.", show_default=False),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Through the server's batch API: half the price, within a day.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="self: CPU threads.")] = 1,
    keep: Annotated[
        Literal["first", "shortest", "all"], typer.Option(help="Which of a question's good answers are kept.")
    ] = "first",
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Leave out whole bundles until conditions and polarities are balanced.")
    ] = False,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    allow_code_execution: AllowCode = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Ask a teacher a benchmark's training questions and keep what is right, fair and new.

    Run it again to go on where it stopped: no answer that is there is asked for again. Beside FILE it writes what was
    dropped and why, every answer that was paid for, and a dataset card.

    Keys come from the environment: DEEPSEEK_API_KEY for deepseek-reasoner, OPENAI_API_KEY for all others.
    """
    from fairreason.cli.traces import run_traces
    from fairreason.traces.gather import Request
    from fairreason.traces.teachers import parse_price

    request = Request(
        bench=bench,
        teacher=teacher,
        out=out,
        base_url=base_url,
        model=model,
        backend=backend,
        limit=limit,
        samples=samples,
        temperature=temperature,
        max_new_tokens=max_new_tokens,
        thinking=thinking,
        seed=seed,
        concurrency=concurrency,
        time_limit=time_limit,
        max_cost=max_cost,
        price=parse_price(price) if price else None,
        batch=batch,
        threads=threads,
    )
    run_traces(request, keep, balanced, judge, judge_url, data, json)


@traces.command("push", short_help="Send traces and their card to the hub.")
def push(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="The trace file; its card goes along.")
    ],
    repo: Annotated[str, typer.Option(metavar="NAME", help="The data set on the hub: USER/NAME.")],
    private: Annotated[bool, typer.Option("--private", help="Only you can see it.")] = False,
    json: Json = False,
) -> None:
    """Send traces and their card to the hub; the token comes from HF_TOKEN. Prints the commit's address."""
    from fairreason.cli.traces import run_push

    run_push(file, repo, private, json)


@traces.command("agreement", short_help="How far rules, judges and people agree.")
def agreement(
    steps: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", show_default=False, help="Print N steps as JSON lines for a person to label."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which steps.")] = 0,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Such lines with labels: a person's, compared too."),
    ] = None,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    verdicts: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the judge's labels are kept: nothing is judged twice.")
    ] = Path("agreement.verdicts.jsonl"),
    data: Data = None,
) -> None:
    """How far the stereotype rules agree with models that labelled the same reasoning, and those with each other."""
    from fairreason.cli.traces import run_agreement

    run_agreement(steps, seed, labels, judge, judge_url, verdicts, data)
