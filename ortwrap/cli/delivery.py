"""`ortwrap rewrite` at work: files through the engine, results to where they were asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import click

from ortwrap import __version__
from ortwrap.cli.inputs import config_of, files_of
from ortwrap.cli.progress import files_shown
from ortwrap.cli.request import Request
from ortwrap.cli.terminal import emit, say, use_colour
from ortwrap.config import Config
from ortwrap.engine.options import Options
from ortwrap.files import check_file, is_costly, rewrite_bytes, rewrite_file, save
from ortwrap.originals import remember
from ortwrap.outcome import Outcome
from ortwrap.paired import is_pattern, paired
from ortwrap.report.text import (
    evidence_lines,
    note_lines,
    pending_line,
    problem_lines,
    step_lines,
    summary,
    unchanged_line,
    unkept_lines,
)

Job = Callable[[str, Options], Outcome]


def deliver(request: Request) -> int:
    """Do what a command line asks for and give its exit code."""
    config = config_of(request)
    request = request.in_project(config)
    outcomes: list[Outcome] = []
    for outcome in _outcomes(request, config):
        delivered = _put(_aimed(outcome, request), request)
        _show(delivered, request)
        outcomes.append(delivered.without_text())
    _report(outcomes, request.format)
    if not request.quiet:
        _conclude(outcomes, request)
    return _exit_code(outcomes, request)


def _outcomes(request: Request, config: Config) -> Iterator[Outcome]:
    options = request.options(config)
    if request.paths == ("-",):
        yield rewrite_bytes(sys.stdin.buffer.read(), request.stdin_filename, options)
        return
    found = list(files_of(request, config))
    files = [file for file in found if isinstance(file, str)]
    outcomes = _of_files(files, request, options)
    with files_shown(len(files), quiet=request.quiet) as on_file:
        for file in found:
            if isinstance(file, Outcome):
                yield file
            else:
                yield next(outcomes)
                on_file()


def _of_files(files: Sequence[str], request: Request, options: Options) -> Iterator[Outcome]:
    only_asked = request.check and not request.wants_diff and request.output is None
    job = check_file if only_asked else rewrite_file
    costly = [file for file in files if is_costly(file, options)] if len(files) > 1 else []
    if len(costly) > 1:  # spares the import of multiprocessing
        from ortwrap import workers

        if workers.pays(len(costly)):
            return _with_help(job, files, workers.run(job, costly, options), set(costly), options)
    return (job(file, options) for file in files)


def _with_help(
    job: Job, files: Sequence[str], helped: Iterator[Outcome], costly: set[str], options: Options
) -> Iterator[Outcome]:
    """Each file in its turn: those that cost most from the pool, the others meanwhile from here."""
    for file in files:
        yield next(helped) if file in costly else job(file, options)


def _aimed(outcome: Outcome, request: Request) -> Outcome:
    """The outcome with the place that its patched script belongs in."""
    if request.output is None or request.product_is_script:
        return outcome
    if is_pattern(request.output):
        return paired(outcome, request.output, __version__)
    return replace(outcome, target=request.output)


def _put(outcome: Outcome, request: Request) -> Outcome:
    """The patched script where it belongs; a failure to put it there is a fault."""
    if outcome.fault is not None or request.check:
        return outcome
    if request.product_is_script:
        emit(outcome.patched)
        return outcome
    if request.output is not None and not is_pattern(request.output):
        return save(outcome)  # also what is unchanged: who names one file expects it
    if not outcome.pending or not (request.write or request.output):
        return outcome
    return save(remember(outcome) if outcome.target is None else outcome)


def _show(outcome: Outcome, request: Request) -> None:
    """The diff on standard output, everything else on standard error."""
    if request.wants_diff and outcome.status == "rewritten":
        print_diff(outcome, explain=request.explain_diff)
    if outcome.fault is not None or not request.quiet:
        for line in problem_lines(outcome):
            say(line)
    if not request.quiet and not request.verbose:
        for line in note_lines(outcome):
            say(line)
    if request.check and outcome.pending and not request.quiet:
        say(pending_line(outcome))
    if request.verbose:
        for line in (*step_lines(outcome), *evidence_lines(outcome)):
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


def print_diff(outcome: Outcome, *, explain: bool) -> None:
    """The difference that a rewrite makes, on standard output."""
    from ortwrap.report.diff import coloured, unified, unified_bytes

    if outcome.source is None or outcome.result is None:
        return
    before, after = outcome.source.text, outcome.result.text
    changes = outcome.result.changes if explain else ()
    if use_colour():
        diff = coloured(unified(before, after, outcome.path, changes))
        click.echo(diff, file=sys.stdout, nl=False, color=True)
    else:
        encoding = outcome.source.encoding
        emit(unified_bytes(before, after, outcome.path, encoding, changes))


def _conclude(outcomes: Sequence[Outcome], request: Request) -> None:
    if len(outcomes) == 1 and outcomes[0].status == "unchanged":
        say(unchanged_line(outcomes[0]))
    elif outcomes:
        written = (request.write or request.output is not None) and not request.check
        say(summary(outcomes, written=written))
    for line in unkept_lines(outcomes):
        say(line)


def _exit_code(outcomes: Sequence[Outcome], request: Request) -> int:
    if any(outcome.fault is not None for outcome in outcomes):
        return 2
    if request.check and any(outcome.pending for outcome in outcomes):
        return 1
    if request.strict and any(outcome.refused or outcome.unused_skips for outcome in outcomes):
        return 1
    return 0
