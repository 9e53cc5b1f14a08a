"""The steps of a file that an earlier run has found, for runs that only ask about them."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from importlib.util import find_spec

from ortwrap import engine
from ortwrap.cache import key_of, load, store
from ortwrap.engine.options import Options
from ortwrap.engine.result import Result, Step
from ortwrap.neighbours import Answer, ProjectFiles

_KIND = "steps"


def worth_keeping(data: bytes, options: Options) -> bool:
    """Whether a file looks as if something in it ran backward, which few do: all else is quick."""
    words = (*engine.SINK_WORDS, *options.sinks, *engine.RETURNS_LOSS)
    if not any(word.encode() in data for word in words):
        return False  # the pattern takes ten times as long
    called = "|".join(map(re.escape, (*engine.SINK_WORDS, *options.sinks)))
    defined = "|".join(engine.RETURNS_LOSS)
    # An autograd function defines `backward` and runs none; whatever else comes by is harmless.
    pattern = rf"(?<!def )\b\w*(?:{called})\w*\s*\(|def (?:{defined})\b"
    return re.search(pattern.encode(), data) is not None


def key(data: bytes, path: str, options: Options) -> str:
    """A name for a file's bytes at their place, under these options, engine and Python."""
    template = b""
    if options.template is not None:
        with suppress(OSError):  # a template that cannot be read is the engine's to report
            template = options.template.read_bytes()
    surroundings = f"{sys.version_info[:2]} {os.path.abspath(path)} {options} {_engine()}"
    return key_of([surroundings.encode(), template, data])


def recall(key: str, neighbours: ProjectFiles) -> Result | None:
    """What was kept under a key, without texts; None when there is nothing or it is damaged.

    Nor does it count where another file of the project that was looked at is a different one now.
    """
    content = load(_KIND, key)
    try:
        if content is None:
            return None
        kept = json.loads(content)
        answers = [Answer.of_row(row) for row in kept["answers"]]
        if not all(map(neighbours.still_holds, answers)):
            return None
        steps = tuple(Step(**row) for row in kept["steps"])
        return Result("", "", steps, tuple(kept["unused_skips"]))
    except (ValueError, TypeError, KeyError):
        return None


def keep(key: str, result: Result, neighbours: ProjectFiles) -> None:
    """Keep what was found in a file; a cache that cannot be written to is no error."""
    found = {
        "steps": [asdict(step) for step in result.steps],
        "unused_skips": result.unused_skips,
        "answers": [answer.as_row() for answer in neighbours.answers],
    }
    with suppress(OSError):
        store(_KIND, key, json.dumps(found).encode())


@lru_cache(maxsize=1)
def _engine() -> str:
    """The engine and its parser as installed; sizes and times tell a changed checkout too."""
    files = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(os.path.dirname(engine.__file__))
        for name in names
        if name.endswith(".py")
    ]
    parser = find_spec("libcst")  # found, not imported
    files += [parser.origin] if parser is not None and parser.origin is not None else []
    stats = [(path, os.stat(path)) for path in sorted(files)]
    return " ".join(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in stats)
