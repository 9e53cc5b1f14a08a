"""`ortwrap bench`: how much faster?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ortwrap.cli.running import Run, command_line, ended_tidily, runs_scripts

if TYPE_CHECKING:
    from ortwrap.proof.measured import Benchmark

_EXAMPLES = """\b
Examples:
  ortwrap bench train.py -- --epochs 1            four ways to train, in turn
  ortwrap bench train.py --steps 100 --repeat 5   longer and more often
  ortwrap bench train.py --json times.json        for other programs

Exit codes: 0 measured; 2 the script could not run.
"""


@click.command("bench", epilog=_EXAMPLES, short_help="How much faster?")
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
@runs_scripts
def command(run: Run, steps: int, repeat: int, ways: tuple[str, ...]) -> int:
    """Train a script eagerly, under torch.compile, with ORTModule around its model, and rewritten.

    The runs are interleaved, each a fresh process in a copy of the script's
    folder. Ratios count, not milliseconds: run it on a machine that is idle.
    What stands after -- goes to the script.
    """
    run.check("bench")
    from ortwrap.cli.progress import runs_shown
    from ortwrap.proof.bench import WAYS, bench
    from ortwrap.proof.patched import CannotVerify

    wanted = ways or WAYS
    try:
        with ended_tidily(), runs_shown(len(wanted), repeat, quiet=run.quiet) as on_progress:
            benchmark = bench(
                **run.for_proof(),
                steps=steps,
                repeat=repeat,
                ways=wanted,
                on_progress=on_progress,
            )
    except CannotVerify as error:
        raise click.ClickException(str(error)) from error
    _print(benchmark, run)
    run.write(benchmark.to_json(), lambda: _report(benchmark))
    return 0


def _report(benchmark: Benchmark) -> str:
    from ortwrap.proof.html import benchmark_report

    return benchmark_report(benchmark, command=command_line())


def _print(benchmark: Benchmark, run: Run) -> None:
    from ortwrap.proof.bench_table import bench_table

    console = run.console()
    if not run.quiet:
        console.print(bench_table(benchmark))
    console.print(benchmark.advice, markup=False)
