"""One file through the engine, in three layers: bytes, a file on disk, its replacement.

No exception leaves these functions: whatever goes wrong with a file becomes the
`Fault` of its outcome, so that the other files go on.
"""

from __future__ import annotations

import os
from dataclasses import replace

from ortwrap import checked
from ortwrap.engine import rewrite_source
from ortwrap.engine.names.neighbours import Neighbours
from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource
from ortwrap.engine.templating import InvalidTemplate
from ortwrap.neighbours import ProjectFiles
from ortwrap.outcome import Fault, Outcome
from ortwrap.source import SourceError, decode, read_bytes, write


def rewrite_bytes(
    data: bytes, path: str, options: Options, neighbours: Neighbours | None = None
) -> Outcome:
    """Rewrite the bytes of a Python file or notebook; pure, `path` tells which and names it.

    Only `neighbours`, where given, may read other files of its project.
    """
    source = None
    try:
        if path.endswith(".ipynb"):
            from ortwrap.notebook import rewrite_notebook

            return rewrite_notebook(data, path, options, neighbours)
        source = decode(data, path)
        result = rewrite_source(source.text, options, neighbours)
        patched = data if result.text == source.text else source.encode(result.text)
        return Outcome(path, source, result, data, patched)
    except SourceError as error:
        fault = Fault(error.message, error.line, error.column)
    except InvalidSource as error:
        fault = Fault(error.message, error.line, error.column)
    except InvalidTemplate as error:
        fault = Fault(str(error))
    except RecursionError:
        fault = Fault("nested too deeply to be analysed")
    except Exception as error:
        fault = Fault(internal_error(error))
    return Outcome(path, source, fault=fault)


def rewrite_file(path: str, options: Options) -> Outcome:
    """Rewrite a file in memory; the disk is only read, other files where a step needs them."""
    try:
        data = read_bytes(path)
    except SourceError as error:
        return Outcome(path, fault=Fault(error.message))
    return rewrite_bytes(data, path, options, ProjectFiles(path))


def check_file(path: str, options: Options) -> Outcome:
    """The steps of a file without its patched text, from an earlier run where there was one."""
    try:
        data = read_bytes(path)
    except SourceError as error:
        return Outcome(path, fault=Fault(error.message))
    neighbours = ProjectFiles(path)
    if not checked.worth_keeping(data, options):
        return rewrite_bytes(data, path, options, neighbours).without_text()
    key = checked.key(data, path, options)
    result = checked.recall(key, neighbours)
    if result is not None:
        return Outcome(path, result=result)
    outcome = rewrite_bytes(data, path, options, neighbours).without_text()
    if outcome.result is not None:
        checked.keep(key, outcome.result, neighbours)
    return outcome


def is_costly(path: str, options: Options) -> bool:
    """Whether a file looks as if it needed more of the engine than a look at its words."""
    if not os.path.isfile(path):
        return False  # a pipe can be read only once
    try:
        return checked.worth_keeping(read_bytes(path), options)
    except SourceError:
        return False


def save(outcome: Outcome) -> Outcome:
    """Write the patched bytes to the target; a fault takes the place of the result."""
    target = outcome.target or outcome.path
    try:
        write(target, outcome.patched)
    except SourceError as error:
        message = error.message if target == outcome.path else f"{target}: {error.message}"
        return replace(outcome, result=None, fault=Fault(message))
    return outcome


def internal_error(error: BaseException) -> str:
    """One line that a bug report can start with: what was raised, and where in ortwrap."""
    import textwrap
    import traceback

    home = os.path.dirname(os.path.abspath(__file__))
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if os.path.abspath(frame.filename).startswith(home)]
    place = ""
    if ours:
        file = os.path.relpath(ours[-1].filename, os.path.dirname(home))
        place = f" at {file}:{ours[-1].lineno}"
    # LibCST puts whole trees into its messages, too deep ones as well.
    try:
        said = str(error)[:2000]
    except RecursionError:
        said = "on something nested deeply"
    reason = textwrap.shorten(said, 200, placeholder=" ...")
    what = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return f"internal error{place}: {what}; please report this line"
