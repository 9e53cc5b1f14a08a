"""Which paths a script is about to change, read off Python's audit events."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

# Audit events that change what is at a path, and which of their arguments name it.
_CHANGES = {
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}
# Of these, the ones after which a folder may be gone; others fail on one, or write into it.
_REMOVES = frozenset({"os.rename", "os.rmdir", "shutil.rmtree"})
# And the ones that write through a link instead of replacing it.
_WRITES_THROUGH = frozenset({"os.truncate", "sqlite3.connect"})
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Write:
    """One path that is about to be changed.

    Attributes:
        path: as the script gives it.
        keep_content: what is there now will be needed.
        through: a link is written through, not replaced or removed.
        removes_folder: if a folder is there, it may go with all that it holds.
    """

    path: Any
    keep_content: bool
    through: bool
    removes_folder: bool = False


def writes(event: str, args: tuple[Any, ...]) -> Iterator[Write]:
    """What an audit event says is about to be changed."""
    if event == "open":
        path, mode, flags = args
        if flags & _WRITING_FLAGS if mode is None else set(mode) & set("wax+"):
            yield Write(path, keep_content="w" not in (mode or ""), through=True)
    elif event in _CHANGES:
        for position in _CHANGES[event]:
            yield Write(
                args[position],
                keep_content=True,
                through=event in _WRITES_THROUGH,
                removes_folder=event in _REMOVES,
            )


def when_written(callback: Callable[[Write], None]) -> None:
    """Call `callback` before each change, in this process and its forks."""

    def on_event(event: str, args: tuple[Any, ...]) -> None:
        for write in writes(event, args):
            callback(write)

    sys.addaudithook(on_event)


def when_saved(module: Any, function: str, place: int, callback: Callable[[Write], None]) -> None:
    """The same for a function of `module` whose native code raises no audit event.

    Args:
        module: what has the function.
        function: its name, as of `torch.save`.
        place: which of its arguments is the path.
        callback: what to call.
    """
    save = getattr(module, function)

    @functools.wraps(save)
    def saved(*args: Any, **kwargs: Any) -> Any:
        for path in (*args[place : place + 1], kwargs.get("f"), kwargs.get("filename")):
            callback(Write(path, keep_content=False, through=True))
        return save(*args, **kwargs)

    setattr(module, function, saved)


def absolute(path: Any) -> str | None:
    """A path as text from the root; None for a file descriptor and for what is no path."""
    if isinstance(path, int):
        return None
    try:
        text = os.fsdecode(path)
    except TypeError:
        return None
    # abspath would resolve `..` behind a link differently from the system; below a sandbox's own
    # root no link points upwards, so the two agree.
    return os.path.abspath(text)
