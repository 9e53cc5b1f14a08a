"""`ortwrap bench`: how much faster?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from ortwrap.cli.running import (
    SCRIPT,
    can_report,
    command_line,
    ended_tidily,
    need_torch,
    options_for,
    run_options,
    write_document,
)

_EXAMPLES = """\b
Examples:
  ortwrap bench train.py -- --epochs 1            four ways to train, beside one another
  ortwrap bench train.py --steps 100 --repeat 5   longer and more often
  ortwrap bench train.py --json times.json        for other tools

Exit codes: 0 measured; 2 the script could not run.
"""


@click.command("bench", epilog=_EXAMPLES, short_help="How much faster?")
@click.argument("script", type=SCRIPT)
@click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS...]")
@click.option(
    "--steps",
    type=click.IntRange(min=2),
    default=30,
    show_default=True,
    help="Steps of each run; the first ones warm up and are not counted.",
)
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often each way is run.",
)
@click.option(
    "--way",
    "ways",
    multiple=True,
    type=click.Choice(["torch.compile", "ORTModule(model)"]),
    help="Run only this one beside eager and ortwrap; may be given twice. By default both.",
)
@run_options
@click.option("-q", "--quiet", is_flag=True, help="Print the advice only.")
def command(
    script: Path,
    args: tuple[str, ...],
    steps: int,
    repeat: int,
    ways: tuple[str, ...],
    patched: Path | None,
    also: tuple[Path, ...],
    json_file: str | None,
    html_file: str | None,
    seed: int,
    timeout: float | None,
    launcher: list[str],
    quiet: bool,
) -> int:
    """Train a script eagerly, under torch.compile, with ORTModule around its model, and rewritten.

    The runs are interleaved, each a fresh process in a copy of the script's
    folder. Ratios count, not milliseconds: run it on a machine that is idle.
    What stands after -- goes to the script.
    """
    need_torch("bench")
    if html_file is not None:
        can_report()
    from ortwrap.cli.progress import runs_shown
    from ortwrap.proof.bench import WAYS, bench
    from ortwrap.proof.patched import CannotVerify

    wanted = ways or WAYS
    options = options_for(script)
    try:
        with ended_tidily(), runs_shown(len(wanted), repeat, quiet=quiet) as on_progress:
            benchmark = bench(
                script,
                steps=steps,
                repeat=repeat,
                ways=wanted,
                patched=patched,
                also=also,
                args=args,
                seed=seed,
                timeout=timeout,
                launcher=launcher,
                options=options,
                on_progress=on_progress,
            )
    except CannotVerify as error:
        raise click.ClickException(str(error)) from error
    _print(benchmark, to_stderr=json_file == "-", quiet=quiet)
    if json_file is not None:
        write_document(json_file, json.dumps(benchmark.to_json(), indent=2))
    if html_file is not None:
        from ortwrap.proof.html import benchmark_report

        write_document(html_file, benchmark_report(benchmark, command=command_line()))
    return 0


def _print(benchmark: object, *, to_stderr: bool, quiet: bool) -> None:
    from rich.console import Console

    from ortwrap.proof.measured import Benchmark
    from ortwrap.proof.render import bench_table

    assert isinstance(benchmark, Benchmark)
    console = Console(stderr=to_stderr, highlight=False, soft_wrap=True)
    if not quiet:
        console.print(bench_table(benchmark))
    console.print(benchmark.advice, markup=False)
