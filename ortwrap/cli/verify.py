"""`ortwrap verify`: original and patched script side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ortwrap.cli.running import Run, command_line, ended_tidily, runs_scripts

if TYPE_CHECKING:
    from ortwrap.proof.verdict import Verdict

_EXAMPLES = """\b
Examples:
  ortwrap verify train.py -- --epochs 1           rewrite, run both, compare
  ortwrap verify train.py --patched train_ort.py  with a patch of your own
  ortwrap verify train.py --json verdict.json     for other programs

Exit codes: 0 match; 1 they differ; 2 one of them could not run.
"""


@click.command("verify", epilog=_EXAMPLES, short_help="Same losses, same weights?")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Steps to compare: optimizer steps, or backwards where no optimizer steps.",
)
@click.option(
    "--other-seed",
    is_flag=True,
    help="Also tell how far apart two runs of the original with other seeds lie.",
)
@click.option(
    "--keep-dropout",
    is_flag=True,
    help="Leave dropout on: ORT may draw other masks, so several seeds are compared on average.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=2),
    default=6,
    show_default=True,
    help="How many seeds --keep-dropout compares.",
)
@runs_scripts
def command(run: Run, steps: int, other_seed: bool, keep_dropout: bool, seeds: int) -> int:
    """Run a script and its patched twin, and compare every loss and the final weights.

    Both run in processes of their own, with the same seeds and without dropout,
    and are stopped after the same number of steps. What stands after --
    goes to the script.
    """
    run.check("verify")
    from ortwrap.cli.progress import steps_shown
    from ortwrap.proof.verify import verify

    with ended_tidily(), steps_shown(quiet=run.quiet) as on_progress:
        verdict = verify(
            **run.for_proof(),
            steps=steps,
            other_seed="always" if other_seed else "difference",
            keep_dropout=keep_dropout,
            seeds=seeds,
            on_progress=on_progress,
        )
    _print(verdict, run)
    run.write(verdict.to_json(), lambda: _report(verdict, run))
    return verdict.exit_code


def _report(verdict: Verdict, run: Run) -> str:
    from ortwrap.proof.html import html_report
    from ortwrap.proof.patched import CannotVerify

    try:
        return html_report(
            verdict,
            command=command_line(),
            patched=run.patched,
            also=run.also,
            options=run.options,
        )
    except CannotVerify as error:
        raise click.ClickException(str(error)) from error


def _print(verdict: Verdict, run: Run) -> None:
    from ortwrap.proof.render import line, table

    console = run.console()
    if not run.quiet:
        console.print(table(verdict))
    console.print(line(verdict))
