"""What may be printed in colour, and where messages go."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click


def use_colour(stream: TextIO | None = None) -> bool:
    """Colour only on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def say(line: str) -> None:
    """A message for people: standard output is kept for the product."""
    # The stream as it is now: a progress bar puts itself in front of it.
    click.echo(line, file=sys.stderr, color=use_colour(sys.stderr))


def emit(data: bytes) -> None:
    """Bytes of the product to standard output, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
