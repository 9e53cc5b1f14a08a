"""What a command line of `ortwrap rewrite` asks for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ortwrap.config import Config
from ortwrap.engine.options import Options
from ortwrap.paired import is_pattern


@dataclass(frozen=True)
class Request:
    """The arguments and options, named as click names them; None where not given."""

    paths: tuple[str, ...]
    write: bool
    output: str | None
    check: bool
    revert: bool
    diff: bool
    explain_diff: bool
    interactive: bool
    strict: bool
    format: str
    stdin_filename: str
    quiet: bool
    verbose: bool
    class_name: str | None
    template: Path | None
    sinks: tuple[str, ...]
    wrappers: tuple[str, ...]
    standalone: bool
    config: Path | None
    force_exclude: bool

    def in_project(self, config: Config) -> Request:
        """The same where the project keeps patched scripts beside the originals."""
        if config.output is None or self.output is not None or self.paths == ("-",):
            return self
        if self.write or self.check:
            return replace(self, output=config.output, write=False)
        return self

    @property
    def product_is_script(self) -> bool:
        """Whether standard output carries the patched script itself."""
        return self.output == "-" or (self.write and "-" in self.paths)

    @property
    def wants_diff(self) -> bool:
        """A diff is what one gets who asks for nothing else."""
        otherwise = self.write or self.check or self.output is not None
        return self.format == "text" and (self.diff or self.explain_diff or not otherwise)

    def options(self, config: Config) -> Options:
        """The engine's options: what the command line says, else the project."""
        of_project = config.options()
        return Options(
            class_name=self.class_name or of_project.class_name,
            template=self.template or of_project.template,
            sinks=(*of_project.sinks, *self.sinks),
            wrappers=(*of_project.wrappers, *self.wrappers),
            standalone=self.standalone or of_project.standalone,
            line_length=of_project.line_length,
        )


def reject_contradictions(request: Request) -> None:
    """Stop before any work where the options cannot all be meant.

    Raises:
        click.UsageError: saying which.
    """
    exclusive = {
        "--write": request.write,
        "-o": request.output is not None and not request.check,
        "--check": request.check,
        "--revert": request.revert,
        "--interactive": request.interactive and not request.write,
    }
    chosen = [name for name, given in exclusive.items() if given]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} cannot be combined.")
    if "" in request.paths:
        raise click.UsageError("a path is empty; is a variable of your shell not set?")
    if request.quiet and request.verbose:
        raise click.UsageError("--quiet and --verbose cannot be combined.")
    if request.interactive:
        _reject_without_terminal(request)
    if "-" in request.paths and len(request.paths) > 1:
        raise click.UsageError("- stands alone: standard input is one script.")
    if request.product_is_script and (request.diff or request.format != "text"):
        raise click.UsageError("standard output can carry the script or a report, not both.")
    if request.output is not None and not is_pattern(request.output):
        _reject_single_output(request)


def _reject_without_terminal(request: Request) -> None:
    if request.format != "text" or request.quiet or "-" in request.paths:
        raise click.UsageError("--interactive asks on a terminal: no -, --quiet or other --format.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("--interactive needs a terminal; --write rewrites without asking.")


def _reject_single_output(request: Request) -> None:
    if len(request.paths) > 1 or os.path.isdir(request.paths[0]):
        raise click.UsageError(
            "-o FILE takes one script; for several use --write, or -o '{stem}_ort.py'."
        )
    if request.check:
        raise click.UsageError("--check and -o FILE cannot be combined.")
