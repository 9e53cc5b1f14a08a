"""The steps of a file that an earlier run has found, for runs that only ask about them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache

from ortwrap import engine
from ortwrap.cache import key_of, load, store
from ortwrap.engine.options import Options
from ortwrap.engine.result import Step

_KIND = "steps"


def worth_keeping(data: bytes, options: Options) -> bool:
    """Whether a file may cost more than a look into the cache: few do."""
    words = (b"backward", b"scaler", *(sink.encode() for sink in options.sinks))
    return any(word in data for word in words)


def key(data: bytes, options: Options) -> str:
    """A name for a file's bytes under these options, this engine and this Python."""
    template = b""
    if options.template is not None:
        with suppress(OSError):  # a template that cannot be read is the engine's to report
            template = options.template.read_bytes()
    surroundings = f"{sys.version_info[:2]} {options} {_engine()}"
    return key_of([surroundings.encode(), template, data])


def recall(key: str) -> tuple[Step, ...] | None:
    """The steps kept under a key; None when there are none or they cannot be read."""
    content = load(_KIND, key)
    try:
        return None if content is None else tuple(Step(**row) for row in json.loads(content))
    except (ValueError, TypeError):
        return None


def keep(key: str, steps: tuple[Step, ...]) -> None:
    """Keep the steps of a file; a cache that cannot be written to is no error."""
    with suppress(OSError):
        store(_KIND, key, json.dumps([asdict(step) for step in steps]).encode())


@lru_cache(maxsize=1)
def _engine() -> str:
    """The engine as installed; its files' sizes and times tell a changed checkout too."""
    home = os.path.dirname(engine.__file__)
    stats = sorted((entry.name, entry.stat()) for entry in os.scandir(home))
    return " ".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)
