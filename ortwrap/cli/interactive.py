"""`ortwrap rewrite --interactive`: one step after the other, as the user answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import click

from ortwrap.cli.delivery import print_diff
from ortwrap.cli.inputs import config_of, files_of
from ortwrap.cli.request import Request
from ortwrap.cli.terminal import say, use_colour
from ortwrap.engine.options import Options
from ortwrap.engine.result import Step
from ortwrap.engine.text.lines import lines_of
from ortwrap.files import rewrite_bytes, save
from ortwrap.neighbours import ProjectFiles
from ortwrap.originals import remember
from ortwrap.outcome import Fault, Outcome
from ortwrap.report.text import count, problem_lines, step_message, unkept_lines
from ortwrap.source import SourceError, read_bytes

_HELP = """\
y  rewrite this step
n  leave it as it is
v  view the whole file as it would become
a  rewrite this step and all that follow
q  leave this step and all that follow
"""


@dataclass
class _Mood:
    """What has been answered for everything that follows."""

    all: bool = False
    quit: bool = False


def walk_through(request: Request) -> int:
    """Ask about each step, write what was agreed to, and give the exit code."""
    config = config_of(request)
    if config.output is not None:
        raise click.UsageError(
            f"this project keeps patched scripts beside the originals ({config.output}), "
            "and --interactive would change the originals."
        )
    options = request.options(config)
    mood = _Mood()
    outcomes: list[Outcome] = []
    for file in files_of(request, config):
        if mood.quit:
            break
        outcome = file if isinstance(file, Outcome) else _file(file, options, mood)
        for line in problem_lines(outcome):
            say(line)
        outcomes.append(outcome.without_text())
    changed = [outcome for outcome in outcomes if outcome.pending]
    steps = sum(len(outcome.rewritten) for outcome in changed)
    say(f"Rewrote {count(steps, 'step')} in {count(len(changed), 'file')}.")
    for line in unkept_lines(outcomes):
        say(line)
    return 2 if any(outcome.fault is not None for outcome in outcomes) else 0


def _file(path: str, options: Options, mood: _Mood) -> Outcome:
    try:
        data = read_bytes(path)
    except SourceError as error:
        return Outcome(path, fault=Fault(error.message))
    neighbours = ProjectFiles(path)
    whole = rewrite_bytes(data, path, options, neighbours)
    steps = whole.rewritten_by_line
    left = tuple(steps)
    agreed = rewrite_bytes(data, path, replace(options, leave=left), neighbours)
    for number, (line, step) in enumerate(steps.items(), start=1):
        trial = tuple(each for each in left if each != line)
        with_it = rewrite_bytes(data, path, replace(options, leave=trial), neighbours)
        if line not in with_it.rewritten_by_line:
            continue  # it stands or falls with one that was left
        _show(agreed, with_it, step, f"{number} of {len(steps)}")
        if _agrees(with_it, mood):
            left, agreed = trial, with_it
    if agreed.status != "rewritten":
        return agreed
    return save(remember(agreed))


def _show(agreed: Outcome, with_it: Outcome, step: Step, place: str) -> None:
    """What one step changes besides what was agreed to before, and why it may be."""
    where = f" in {step.function}" if step.function else ""
    head = click.style(f"{with_it.path}:{step.line}{where} (step {place})", bold=True)
    click.echo(f"\n{head}: {step_message(step)}", color=use_colour())
    for reason in step.evidence:
        click.echo(f"  {reason}")
    if agreed.source is not None and agreed.result is not None and with_it.result is not None:
        before = replace(agreed.source, text=agreed.result.text)
        # Reasons belong to lines of the file as it is: only the first step has the same ones.
        changes = with_it.result.changes if agreed.status != "rewritten" else ()
        result = replace(with_it.result, changes=changes)
        print_diff(replace(with_it, source=before, result=result), explain=True)


def _agrees(with_it: Outcome, mood: _Mood) -> bool:
    while not (mood.all or mood.quit):
        click.echo("Rewrite this step? [y,n,v,a,q,?] ", nl=False)
        answer = _answer()
        if answer in ("y", "n"):
            return answer == "y"
        mood.all, mood.quit = answer == "a", answer == "q"
        if answer == "v" and with_it.result is not None:
            click.echo_via_pager(_numbered(with_it.result.text))
        elif answer not in ("a", "q", "v"):
            click.echo(_HELP, nl=False)
    return mood.all


def _answer() -> str:
    try:
        return input().strip().lower()[:1]
    except EOFError:
        click.echo()
        return "q"


def _numbered(text: str) -> Iterator[str]:
    for number, line in enumerate(lines_of(text), start=1):
        yield f"{number:>5}  {line}"
