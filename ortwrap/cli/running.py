"""What the commands that run scripts have in common: `verify` and `bench`."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, Callable, TypeVar

import click

from ortwrap.config import ConfigError, find_config
from ortwrap.engine.options import Options

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

SCRIPT = click.Path(exists=True, dir_okay=False, path_type=Path)


_RUN_OPTIONS = (
    click.option("--patched", type=SCRIPT, help="Run this script instead of rewriting."),
    click.option(
        "--also",
        multiple=True,
        type=SCRIPT,
        help="A file it imports that is rewritten too, where the step is in another one.",
    ),
    click.option(
        "--json",
        "json_file",
        metavar="FILE",
        help="Write everything as JSON; - is standard output.",
    ),
    click.option(
        "--html",
        "html_file",
        metavar="FILE",
        help="Write a report with pictures that opens offline.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of every run."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long a run may take.",
    ),
    click.option(
        "--launcher",
        default="",
        metavar="COMMAND",
        help="Instead of python: 'torchrun --nproc_per_node 2'.",
        callback=lambda context, option, value: shlex.split(value),
    ),
)


def run_options(command: Decorated) -> Decorated:
    """The options of every command that runs scripts."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def need_torch(command: str) -> None:
    """Say at once that nothing can be run.

    Raises:
        click.ClickException: torch is not installed.
    """
    if find_spec("torch") is None:
        raise click.ClickException(
            f"{command} runs the script, which needs torch; `ortwrap doctor` says what to install."
        )


def options_for(script: Path) -> Options:
    """The choices for the rewrite in the `pyproject.toml` that `script` belongs to."""
    try:
        config = find_config([str(script)])
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    return config.options()


def command_line() -> str:
    """What was typed, to be typed again."""
    return shlex.join(["ortwrap", *sys.argv[1:]])


def write_document(path: str, document: str) -> None:
    """Write a file whole or not at all; `-` is standard output."""
    from ortwrap.source import SourceError, write

    if path == "-":
        click.echo(document)
        return
    try:
        write(path, f"{document}\n".encode())
    except SourceError as error:
        raise click.ClickException(str(error)) from error


def can_report() -> None:
    """Find out before hours of training that the report cannot be drawn.

    Raises:
        click.ClickException: a library of the extra `report` is missing.
    """
    missing = [name for name in ("matplotlib", "pygments") if find_spec(name) is None]
    if missing:
        raise click.ClickException(f"{missing[0]} is missing: pip install 'ortwrap[report]'")


class Terminated(SystemExit):
    """Somebody asked this process to end; what it started ends first."""


@contextmanager
def ended_tidily() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind like Ctrl-C: processes end and folders go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def unwind(number: int, frame: FrameType | None) -> None:
        raise Terminated(128 + number)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, unwind) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
