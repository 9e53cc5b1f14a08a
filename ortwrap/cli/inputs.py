"""From the paths of a command line to the files they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from ortwrap.cli.request import Request
from ortwrap.config import Config, ConfigError, find_config, load_config
from ortwrap.outcome import Fault, Outcome


def config_of(request: Request) -> Config:
    """The project's configuration.

    Raises:
        click.ClickException: it is wrong.
    """
    try:
        return load_config(str(request.config)) if request.config else find_config(request.paths)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def files_of(request: Request, config: Config) -> Iterator[str | Outcome]:
    """Each file once, in order; an outcome stands for a path that gives none."""
    from ortwrap.walk import Selection, python_files

    selection = Selection(config.root, config.include, config.exclude)
    seen: set[str] = set()
    for given in request.paths:
        if os.path.isdir(given):
            files = list(python_files(given, selection))
            if not files:
                yield Outcome(given, fault=Fault("there is no Python file in this folder"))
        elif request.force_exclude and selection.excludes(given):
            continue
        else:
            files = [given]
        for file in files:
            if os.path.abspath(file) not in seen:
                seen.add(os.path.abspath(file))
                yield file
