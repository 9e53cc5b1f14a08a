"""`ortwrap rewrite --revert`: take back what `--write` did, where nobody has edited since."""

from __future__ import annotations

import os

from ortwrap.cli.inputs import config_of, files_of
from ortwrap.cli.request import Request
from ortwrap.cli.terminal import say
from ortwrap.originals import original_of
from ortwrap.outcome import Outcome
from ortwrap.report.text import count, problem_lines
from ortwrap.source import SourceError, read_bytes, write

_NOT_OURS = "is not as `ortwrap rewrite --write` left it (or that was forgotten); nothing reverted"


def revert(request: Request) -> int:
    """Put originals back and give the exit code: 2 when a named file could not be reverted."""
    reverted = failed = 0
    named = {os.path.abspath(path) for path in request.paths}
    for file in files_of(request, config_of(request)):
        if isinstance(file, Outcome):
            error: str | None = next(iter(problem_lines(file)))
        else:
            error = _revert(file, named=os.path.abspath(file) in named)
            reverted += error == ""
        if error:
            failed += 1
            say(error)
    if not request.quiet:
        say(f"Reverted {count(reverted, 'file')}.")
    return 2 if failed else 0


def _revert(path: str, *, named: bool) -> str | None:
    """Empty when done, None when there was nothing to do, else what was wrong."""
    try:
        original = original_of(read_bytes(path))
        if original is None:
            # In a folder most files are none that ortwrap rewrote; a named one should be.
            return f"{path}: error: {_NOT_OURS}" if named else None
        write(path, original)
    except SourceError as error:
        return f"{path}: error: {error.message}"
    return ""
