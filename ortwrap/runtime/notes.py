"""What one run of a script leaves for the next: a step whose backward failed runs eagerly then.

A failure in backward comes too late to be undone, so it is remembered, until the file that defines
the step, or torch, changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
from pathlib import Path

import torch
from torch import nn

from .compat.cache import NotWritable, cache_dir


def recall(wrapper_class: type[nn.Module]) -> str | None:
    """What went wrong in backward the last time, None if nothing that still holds."""
    path = _path(wrapper_class)
    if path is None or not path.is_file():
        return None
    with contextlib.suppress(OSError, ValueError, KeyError):
        return f"{json.loads(path.read_text('utf-8'))['error']}; to try again, delete {path}"
    return None


def remember(wrapper_class: type[nn.Module], error: BaseException) -> None:
    """Notes that a backward of `wrapper_class` failed, if the cache can be written."""
    path = _path(wrapper_class)
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = str(error).splitlines()[0][:300].rstrip(".") if str(error) else type(error).__name__
        path.write_text(json.dumps({"class": wrapper_class.__qualname__, "error": text}), "utf-8")


def _path(wrapper_class: type[nn.Module]) -> Path | None:
    """The note of this class as it is written now; None where none can be kept."""
    try:
        folder = cache_dir() / "notes"
        source = Path(inspect.getfile(wrapper_class)).resolve()
        written = source.stat().st_mtime_ns
    except (OSError, TypeError, NotWritable):
        return None
    identity = [str(source), written, wrapper_class.__qualname__, torch.__version__]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]
    return folder / f"{name}.json"
