"""`ortwrap doctor`: does ORTModule work with this torch, and how to make it."""

from __future__ import annotations

import json

import click

from ortwrap.cli.terminal import say, use_colour

_EXAMPLES = """\b
Examples:
  ortwrap doctor           what is installed, what is missing
  ortwrap doctor --fix     build and place ORTModule's C++ extensions
  ortwrap doctor --undo    take that back

Exit codes: 0 ready to train; 1 something is missing or does not fit together.
"""


@click.command("doctor", epilog=_EXAMPLES, short_help="Check and mend the ORTModule environment.")
@click.option("--fix", "mend", is_flag=True, help="Mend what ortwrap can mend.")
@click.option("--undo", "take_back", is_flag=True, help="Take back what --fix did.")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
def command(mend: bool, take_back: bool, as_json: bool) -> int:
    """Tell what is installed, what fits together and what is missing."""
    if mend and take_back:
        raise click.UsageError("--fix and --undo cannot be combined.")
    from ortwrap.cli.running import ended_tidily
    from ortwrap.report.diagnosis import diagnosis_lines
    from ortwrap.runtime.doctor import CannotFix, diagnose, fix, undo

    try:
        if mend:
            with ended_tidily():
                added = fix(progress=say)
            _tell_files("added", [str(file) for file in added])
        elif take_back:
            _tell_files("removed", [str(file) for file in undo()])
            return 0
    except CannotFix as error:
        say(f"ortwrap doctor: {error}")
        return 1
    diagnosis = diagnose()
    if as_json:
        click.echo(json.dumps(diagnosis.to_json(), indent=2))
    else:
        for line in diagnosis_lines(diagnosis):
            click.echo(line, color=use_colour())
    return diagnosis.exit_code


def _tell_files(verb: str, files: list[str]) -> None:
    for file in files:
        say(f"{verb} {file}")
    if not files:
        say(f"nothing was {verb}: there was nothing to do")
