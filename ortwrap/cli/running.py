"""What the commands that run scripts have in common: `verify` and `bench`."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property, wraps
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Callable

import click

from ortwrap.config import ConfigError, find_config
from ortwrap.engine.options import Options

if TYPE_CHECKING:
    from rich.console import Console

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ANY_PATH = click.Path(readable=False)

_GIVEN = (
    click.argument("script", type=_FILE),
    click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS...]"),
    click.option("--patched", type=_FILE, help="Run this script instead of rewriting."),
    click.option(
        "--also",
        multiple=True,
        type=_FILE,
        help="A file it imports that is rewritten too, where the step is in another one.",
    ),
    click.option(
        "--json",
        "json_file",
        metavar="FILE",
        type=_ANY_PATH,
        help="Write everything as JSON; - is standard output.",
    ),
    click.option(
        "--html",
        "html_file",
        metavar="FILE",
        type=_ANY_PATH,
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
        help="What starts a script instead of python, such as 'torchrun --nproc_per_node 2'.",
        callback=lambda context, option, value: tuple(shlex.split(value)),
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print the conclusion only."),
)


@dataclass(frozen=True)
class Run:
    """What every command that runs scripts is given; fields are named as click names them."""

    script: Path
    args: tuple[str, ...]
    patched: Path | None
    also: tuple[Path, ...]
    json_file: str | None
    html_file: str | None
    seed: int
    timeout: float | None
    launcher: tuple[str, ...]
    quiet: bool

    def check(self, command: str) -> None:
        """Find out before hours of training that something is missing.

        Raises:
            click.ClickException: torch, what draws the report, the launcher or a place to write.
        """
        if find_spec("torch") is None:
            raise click.ClickException(
                f"{command} runs the script, which needs torch; `ortwrap doctor` says what to "
                "install."
            )
        for path in (self.json_file, self.html_file):
            _check_writable(path)
        missing = [name for name in ("matplotlib", "pygments") if find_spec(name) is None]
        if self.html_file is not None and missing:
            raise click.ClickException(f"{missing[0]} is missing: pip install 'ortwrap[report]'")
        from ortwrap.proof.trial import found_launcher

        if shutil.which(found_launcher(self.launcher)[0]) is None:
            raise click.ClickException(f"the launcher {self.launcher[0]!r} was not found")

    @cached_property
    def options(self) -> Options:
        """The choices for the rewrite in the `pyproject.toml` that the script belongs to."""
        try:
            return find_config([str(self.script)]).options()
        except ConfigError as error:
            raise click.ClickException(str(error)) from error

    def for_proof(self) -> dict[str, Any]:
        """What `verify` and `bench` are called with alike."""
        return {
            "script": self.script,
            "args": self.args,
            "patched": self.patched,
            "also": self.also,
            "seed": self.seed,
            "timeout": self.timeout,
            "launcher": self.launcher,
            "options": self.options,
        }

    def write(self, document: dict[str, Any], report: Callable[[], str]) -> None:
        """The files that were asked for; a report takes its time, and is made only then."""
        if self.json_file is not None:
            _write(self.json_file, json.dumps(document, indent=2))
        if self.html_file is not None:
            _write(self.html_file, report())

    def console(self) -> Console:
        """Where people read, which standard output is not when JSON goes there."""
        from rich.console import Console

        # Rich leaves long lines whole only where it is told to; a pipe has no width.
        return Console(stderr=self.json_file == "-", highlight=False, soft_wrap=True)


def runs_scripts(command: Callable[..., int]) -> Callable[..., int]:
    """Let a command that takes a `Run`, and options of its own, be called by click."""

    @wraps(command)
    def called(**given: Any) -> int:
        run = Run(**{field.name: given.pop(field.name) for field in fields(Run)})
        return command(run, **given)

    for parameter in reversed(_GIVEN):
        called = parameter(called)
    return called


def command_line() -> str:
    """What was typed, to be typed again."""
    return shlex.join(["ortwrap", *sys.argv[1:]])


def _check_writable(path: str | None) -> None:
    if path is None or path == "-":
        return
    if os.path.isdir(path):
        raise click.ClickException(f"{path} is a folder; name a file to write")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise click.ClickException(f"{path} cannot be written: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise click.ClickException(f"{path} cannot be written: {folder} is read-only")


def _write(path: str, document: str) -> None:
    """A file whole or not at all; `-` is standard output."""
    from ortwrap.source import SourceError, write

    if path == "-":
        click.echo(document)
        return
    try:
        write(path, f"{document}\n".encode())
    except SourceError as error:
        raise click.ClickException(str(error)) from error


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
