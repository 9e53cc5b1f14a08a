"""`ortwrap rewrite` at work: files through the engine, results to where they were asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

import click

from ortwrap import __version__
from ortwrap.cli.request import Request
from ortwrap.cli.terminal import emit, say, use_colour
from ortwrap.config import Config, ConfigError, find_config, load_config
from ortwrap.engine.options import Options
from ortwrap.files import rewrite_bytes, rewrite_file, save
from ortwrap.outcome import Fault, Outcome
from ortwrap.report.text import problem_lines, step_lines, summary, unchanged_line


def deliver(request: Request) -> int:
    """Do what a command line asks for and give its exit code."""
    config = _config(request)
    options = request.options(config)
    outcomes: list[Outcome] = []
    for outcome in _outcomes(request, config, options):
        delivered = _put(outcome, request)
        _show(delivered, request)
        outcomes.append(delivered)
    _report(outcomes, request.format)
    if not request.quiet:
        _conclude(outcomes, request)
    return _exit_code(outcomes, request)


def _config(request: Request) -> Config:
    try:
        return load_config(str(request.config)) if request.config else find_config(request.paths)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def _outcomes(request: Request, config: Config, options: Options) -> Iterator[Outcome]:
    from ortwrap.walk import Selection, python_files

    selection = Selection(config.root, config.include, config.exclude)
    for given in request.paths:
        if given == "-":
            yield rewrite_bytes(sys.stdin.buffer.read(), request.stdin_filename, options)
        elif os.path.isdir(given):
            files = list(python_files(given, selection))
            yield from (rewrite_file(path, options) for path in files)
            if not files:
                yield Outcome(given, fault=Fault("there is no Python file in this folder"))
        elif not (request.force_exclude and selection.excludes(given)):
            yield rewrite_file(given, options)


def _put(outcome: Outcome, request: Request) -> Outcome:
    """The patched script where it was asked for; a failure to put it there is a fault."""
    if outcome.fault is not None:
        return outcome
    if request.product_is_script:
        emit(outcome.patched)
        return outcome
    if request.output is not None:
        return save(outcome, request.output)
    if request.write and outcome.status == "rewritten":
        return save(outcome, outcome.path)
    return outcome


def _show(outcome: Outcome, request: Request) -> None:
    """The diff on standard output, everything else on standard error."""
    if request.wants_diff and outcome.status == "rewritten":
        _print_diff(outcome)
    if outcome.fault is not None or not request.quiet:
        for line in problem_lines(outcome):
            say(line)
    if request.check and outcome.status == "rewritten" and not request.quiet:
        say(f"{outcome.path}: would be rewritten")
    if request.verbose:
        for line in step_lines(outcome):
            say(line)


def _report(outcomes: Sequence[Outcome], format_: str) -> None:
    """The formats that other programs read."""
    if format_ == "json":
        from ortwrap.report.as_json import as_json

        click.echo(as_json(outcomes))
    elif format_ == "sarif":
        from ortwrap.report.sarif import as_sarif

        click.echo(as_sarif(outcomes, __version__))
    elif format_ == "github":
        from ortwrap.report.github import workflow_commands

        for outcome in outcomes:
            for line in workflow_commands(outcome):
                click.echo(line)


def _print_diff(outcome: Outcome) -> None:
    from ortwrap.report.diff import coloured, unified, unified_bytes

    if outcome.source is None or outcome.result is None:
        return
    before, after = outcome.source.text, outcome.result.text
    if use_colour():
        click.echo(coloured(unified(before, after, outcome.path)), nl=False, color=True)
    else:
        emit(unified_bytes(before, after, outcome.path, outcome.source.encoding))


def _conclude(outcomes: Sequence[Outcome], request: Request) -> None:
    if len(outcomes) == 1 and outcomes[0].status == "unchanged":
        say(unchanged_line(outcomes[0]))
    elif outcomes:
        written = request.write or request.output is not None
        say(summary(outcomes, written=written))


def _exit_code(outcomes: Sequence[Outcome], request: Request) -> int:
    if any(outcome.fault is not None for outcome in outcomes):
        return 2
    if request.check and any(outcome.status == "rewritten" for outcome in outcomes):
        return 1
    if request.strict and any(outcome.refused for outcome in outcomes):
        return 1
    return 0
