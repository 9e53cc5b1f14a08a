"""`ortwrap verify`: original and patched script side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ortwrap.cli.terminal import say, use_colour

_EXAMPLES = """\b
Examples:
  ortwrap verify train.py -- --epochs 1           rewrite, run both, compare
  ortwrap verify train.py --patched train_ort.py  with a patched script of your own
  ortwrap verify train.py --json verdict.json     for other tools

Exit codes: 0 match; 1 they differ; 2 one of them could not run.
"""
_COLOURS = {"match": "green", "mismatch": "red", "error": "red"}
_SCRIPT = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("verify", epilog=_EXAMPLES, short_help="Same losses, same weights?")
@click.argument("script", type=_SCRIPT)
@click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS...]")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Optimizer steps to compare.",
)
@click.option("--patched", type=_SCRIPT, help="Compare with this script instead of rewriting.")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write the verdict; - is standard output."
)
def command(
    script: Path, args: tuple[str, ...], steps: int, patched: Path | None, json_file: str | None
) -> int:
    """Run a script and its patched twin, and compare every loss and the final weights.

    Both run in processes of their own, with the same seeds and without dropout,
    and are stopped after the same number of optimizer steps. What stands after --
    goes to the script.
    """
    from ortwrap.proof.verify import verify
    from ortwrap.report.verdict import headline, notes, table

    verdict = verify(script, steps=steps, patched=patched, args=args)
    document = json.dumps(verdict.to_json(), indent=2)
    if json_file == "-":
        click.echo(document)
    elif json_file is not None:
        _write(json_file, document)
    to_people = {"err": json_file == "-", "color": use_colour()}
    click.echo(click.style(headline(verdict), fg=_COLOURS[verdict.status], bold=True), **to_people)
    click.echo(table(verdict), nl=False, **to_people)
    for note in notes(verdict):
        say(note)
    return verdict.exit_code


def _write(path: str, document: str) -> None:
    from ortwrap.source import SourceError, write

    try:
        write(path, f"{document}\n".encode())
    except SourceError as error:
        raise click.UsageError(str(error)) from error
