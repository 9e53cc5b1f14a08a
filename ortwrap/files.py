"""One file through the engine, in three layers: bytes, a file on disk, its replacement.

No exception leaves these functions: whatever goes wrong with a file becomes the
`Fault` of its outcome, so that the other files go on.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import replace

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource
from ortwrap.outcome import Fault, Outcome
from ortwrap.source import SourceError, decode, read_bytes, write


def rewrite_bytes(data: bytes, path: str, options: Options) -> Outcome:
    """Rewrite the bytes of a Python file; pure, `path` only names it in messages."""
    source = None
    try:
        source = decode(data, path)
        result = rewrite_source(source.text, options)
        patched = data if result.text == source.text else source.encode(result.text)
        return Outcome(path, source, result, patched)
    except SourceError as error:
        fault = Fault(error.message, error.line, error.column)
    except InvalidSource as error:
        fault = Fault(error.message, error.line, error.column)
    except RecursionError:
        fault = Fault("nested too deeply to be analysed")
    except Exception as error:
        fault = Fault(internal_error(error))
    return Outcome(path, source, fault=fault)


def rewrite_file(path: str, options: Options) -> Outcome:
    """Rewrite a file in memory; the disk is only read."""
    try:
        data = read_bytes(path)
    except SourceError as error:
        return Outcome(path, fault=Fault(error.message))
    return rewrite_bytes(data, path, options)


def save(outcome: Outcome, path: str) -> Outcome:
    """Write the patched bytes of an outcome to `path`; a fault takes the place of its result."""
    try:
        write(path, outcome.patched)
    except SourceError as error:
        # The fault may be that of another file than the one read (`-o`).
        message = error.message if path == outcome.path else f"{path}: {error.message}"
        return replace(outcome, result=None, fault=Fault(message))
    return outcome


def internal_error(error: BaseException) -> str:
    """One line that a bug report can start with: what was raised, and where in ortwrap."""
    home = os.path.dirname(os.path.abspath(__file__))
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if os.path.abspath(frame.filename).startswith(home)]
    place = ""
    if ours:
        file = os.path.relpath(ours[-1].filename, os.path.dirname(home))
        place = f" at {file}:{ours[-1].lineno}"
    reason = " ".join(str(error).split())
    what = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return f"internal error{place}: {what}; please report this line"
