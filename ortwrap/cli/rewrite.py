"""`ortwrap rewrite`: show, write or check what the engine makes of scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ortwrap.cli.terminal import emit, say, use_colour
from ortwrap.engine.options import Options
from ortwrap.files import rewrite_bytes, rewrite_file, save
from ortwrap.outcome import Fault, Outcome
from ortwrap.report.text import (
    problem_lines,
    step_lines,
    summary,
    unchanged_line,
)

_EXAMPLES = """\b
Examples:
  ortwrap rewrite train.py                    show the diff, write nothing
  ortwrap rewrite train.py --write            change the script in place
  ortwrap rewrite train.py -o train_ort.py    write a second script
  ortwrap rewrite --check --strict src/       for CI: exit 1 when there is work left
  ortwrap rewrite --format json train.py      one JSON document for other tools
  cat train.py | ortwrap rewrite - -o -       as a filter

Exit codes: 0 all done; 1 --check would rewrite, or --strict met a refusal;
2 wrong usage, or a file that could not be read, parsed or written.
"""


@dataclass(frozen=True)
class _Request:
    """The command line, once it is known to make sense."""

    paths: tuple[str, ...]
    write: bool
    output: str | None
    check: bool
    diff: bool
    strict: bool
    format: str
    stdin_filename: str
    quiet: bool
    verbose: bool


@click.command("rewrite", epilog=_EXAMPLES, short_help="Rewrite training scripts for ORTModule.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-w", "--write", is_flag=True, help="Change the files in place.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write the patched script to FILE; - is standard output."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Show the diff also with --check, --write or -o.")
@click.option("--strict", is_flag=True, help="Exit 1 if a training step is refused.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What standard output carries.",
)
@click.option(
    "--stdin-filename", metavar="NAME", default="<stdin>", help="How messages name the input of -."
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also say what was done with each step.")
@click.option("--class-name", metavar="NAME", help="Name of the generated class.")
@click.option("--standalone", is_flag=True, help="Emit a script that needs only torch-ort.")
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Render the class from this Jinja file.",
)
@click.option(
    "--sink",
    "sinks",
    metavar="NAME",
    multiple=True,
    help="A function that runs backward on its first argument (repeatable).",
)
def command(
    paths: tuple[str, ...],
    write: bool,
    output: str | None,
    check: bool,
    diff: bool,
    strict: bool,
    format_: str,
    stdin_filename: str,
    quiet: bool,
    verbose: bool,
    class_name: str | None,
    standalone: bool,
    template: Path | None,
    sinks: tuple[str, ...],
) -> int:
    """Lift the forward pass and the loss of each training step into one module.

    PATH is a script, a folder that is searched for .py files, or - for standard
    input. Without --write, -o or --check the diff goes to standard output and
    nothing is written. Steps that cannot be rewritten safely are left as they
    are, each with a code that `ortwrap explain CODE` explains.
    """
    request = _Request(
        paths, write, output, check, diff, strict, format_, stdin_filename, quiet, verbose
    )
    _reject_contradictions(request)
    options = Options(
        class_name=class_name or Options.class_name,
        standalone=standalone,
        template=template,
        sinks=sinks,
    )
    return _rewrite(request, options)


def _reject_contradictions(request: _Request) -> None:
    chosen = [
        name
        for name, given in (
            ("--write", request.write),
            ("-o", request.output is not None),
            ("--check", request.check),
        )
        if given
    ]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} exclude each other.")
    if request.quiet and request.verbose:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    if request.paths.count("-") > 1:
        raise click.UsageError("- can be given once: there is one standard input.")
    if request.output is not None and (len(request.paths) > 1 or Path(request.paths[0]).is_dir()):
        raise click.UsageError("-o FILE takes one script, not several; use --write for folders.")
    if _product_is_script(request) and (request.diff or request.format != "text"):
        raise click.UsageError("standard output can carry the script or a report, not both.")


def _product_is_script(request: _Request) -> bool:
    return request.output == "-" or (request.write and "-" in request.paths)


def _rewrite(request: _Request, options: Options) -> int:
    outcomes: list[Outcome] = []
    for outcome in _outcomes(request, options):
        delivered = _deliver(outcome, request)
        _show(delivered, request)
        outcomes.append(delivered)
    if request.format == "json":
        from ortwrap.report.as_json import as_json

        click.echo(as_json(outcomes))
    if not request.quiet:
        _conclude(outcomes, request)
    return _exit_code(outcomes, request)


def _outcomes(request: _Request, options: Options) -> Iterator[Outcome]:
    for path in request.paths:
        if path == "-":
            data = sys.stdin.buffer.read()
            yield rewrite_bytes(data, request.stdin_filename, options)
        elif os.path.isdir(path):
            yield from _folder(path, options)
        else:
            yield rewrite_file(path, options)


def _folder(folder: str, options: Options) -> Iterator[Outcome]:
    from ortwrap.walk import python_files

    empty = True
    for path in python_files(folder):
        empty = False
        yield rewrite_file(path, options)
    if empty:
        yield Outcome(folder, fault=Fault("there is no Python file in this folder"))


def _deliver(outcome: Outcome, request: _Request) -> Outcome:
    """Put the patched script where it was asked for; a failure to do so is a fault."""
    if outcome.fault is not None:
        return outcome
    if _product_is_script(request):
        emit(outcome.patched)
        return outcome
    if request.output is not None:
        return save(outcome, request.output)
    if request.write and outcome.status == "rewritten":
        return save(outcome, outcome.path)
    return outcome


def _show(outcome: Outcome, request: _Request) -> None:
    """The diff on standard output, everything else on standard error."""
    wants_diff = request.diff or not (request.write or request.check or request.output)
    if wants_diff and request.format == "text" and outcome.status == "rewritten":
        _print_diff(outcome)
    if outcome.fault is not None or not request.quiet:
        for line in problem_lines(outcome):
            say(line)
    if request.check and outcome.status == "rewritten" and not request.quiet:
        say(f"{outcome.path}: would be rewritten")
    if request.verbose:
        for line in step_lines(outcome):
            say(line)


def _print_diff(outcome: Outcome) -> None:
    from ortwrap.report.diff import coloured, unified, unified_bytes

    if outcome.source is None or outcome.result is None:
        return
    before, after = outcome.source.text, outcome.result.text
    if use_colour():
        click.echo(coloured(unified(before, after, outcome.path)), nl=False, color=True)
    else:
        emit(unified_bytes(before, after, outcome.path, outcome.source.encoding))


def _conclude(outcomes: Sequence[Outcome], request: _Request) -> None:
    if len(outcomes) == 1 and outcomes[0].status == "unchanged":
        say(unchanged_line(outcomes[0]))
    else:
        written = request.write or request.output is not None
        say(summary(outcomes, written=written))


def _exit_code(outcomes: Sequence[Outcome], request: _Request) -> int:
    if any(outcome.fault is not None for outcome in outcomes):
        return 2
    if request.check and any(outcome.status == "rewritten" for outcome in outcomes):
        return 1
    if request.strict and any(outcome.refused for outcome in outcomes):
        return 1
    return 0
