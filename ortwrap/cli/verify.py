"""`ortwrap verify`: original and patched script side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

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
from ortwrap.engine.options import Options

if TYPE_CHECKING:
    from ortwrap.proof.verdict import Verdict

_EXAMPLES = """\b
Examples:
  ortwrap verify train.py -- --epochs 1           rewrite, run both, compare
  ortwrap verify train.py --patched train_ort.py  with a patched script of your own
  ortwrap verify train.py --json verdict.json     for other tools

Exit codes: 0 match; 1 they differ; 2 one of them could not run.
"""


@click.command("verify", epilog=_EXAMPLES, short_help="Same losses, same weights?")
@click.argument("script", type=SCRIPT)
@click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS...]")
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
@run_options
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict only.")
def command(
    script: Path,
    args: tuple[str, ...],
    steps: int,
    patched: Path | None,
    also: tuple[Path, ...],
    json_file: str | None,
    html_file: str | None,
    seed: int,
    other_seed: bool,
    keep_dropout: bool,
    seeds: int,
    timeout: float | None,
    launcher: list[str],
    quiet: bool,
) -> int:
    """Run a script and its patched twin, and compare every loss and the final weights.

    Both run in processes of their own, with the same seeds and without dropout,
    and are stopped after the same number of steps. What stands after --
    goes to the script.
    """
    need_torch("verify")
    if html_file is not None:
        can_report()
    from ortwrap.cli.progress import steps_shown
    from ortwrap.proof.verify import verify

    options = options_for(script)
    with ended_tidily(), steps_shown(quiet=quiet) as on_progress:
        verdict = verify(
            script,
            steps=steps,
            patched=patched,
            also=also,
            args=args,
            seed=seed,
            other_seed="always" if other_seed else "difference",
            keep_dropout=keep_dropout,
            seeds=seeds,
            timeout=timeout,
            launcher=launcher,
            options=options,
            on_progress=on_progress,
        )
    _print(verdict, to_stderr=json_file == "-", quiet=quiet)
    if json_file is not None:
        write_document(json_file, json.dumps(verdict.to_json(), indent=2))
    if html_file is not None:
        write_document(html_file, _report(verdict, patched, also, options))
    return verdict.exit_code


def _report(
    verdict: Verdict, patched: Path | None, also: tuple[Path, ...], options: Options
) -> str:
    from ortwrap.proof.html import html_report
    from ortwrap.proof.patched import CannotVerify

    try:
        return html_report(
            verdict, command=command_line(), patched=patched, also=also, options=options
        )
    except CannotVerify as error:
        raise click.ClickException(str(error)) from error


def _print(verdict: Verdict, *, to_stderr: bool, quiet: bool) -> None:
    from rich.console import Console

    from ortwrap.proof.render import line, table

    # Rich leaves long lines whole only where it is told to; a pipe has no width.
    console = Console(stderr=to_stderr, highlight=False, soft_wrap=True)
    if not quiet:
        console.print(table(verdict))
    console.print(line(verdict))
