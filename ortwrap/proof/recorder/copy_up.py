"""Keeps a script from writing through the links of its sandbox onto its user's files.

Large files and neighbouring folders are symbolic links in the sandbox. As an overlay file
system does, a link is replaced by a copy the moment something under it is written.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
from typing import Any

# Audit events that change what is at a path, and which of their arguments name it.
_CHANGES = {
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "sqlite3.connect": (0,),
}
# Of these, the ones that write through a link instead of replacing it.
_WRITES_THROUGH = frozenset({"os.truncate", "sqlite3.connect"})
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def keep_writes_inside(sandbox: str) -> None:
    """From now on, writes below `sandbox` stay there, for this process and its forks."""
    root = os.path.realpath(sandbox) + os.sep

    def on_event(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = args
            writes = flags & _WRITING_FLAGS if mode is None else set(mode) & set("wax+")
            if writes:
                copy_up(path, root, keep_content="w" not in (mode or ""))
        elif event in _CHANGES:
            for position in _CHANGES[event]:
                copy_up(args[position], root, keep_content=True, last=event in _WRITES_THROUGH)

    sys.addaudithook(on_event)


def keep_torch_saves_inside(sandbox: str) -> None:
    """The same for `torch.save`, whose C++ writer raises no audit event."""
    import torch

    root = os.path.realpath(sandbox) + os.sep
    save = torch.save

    @functools.wraps(save)
    def saved(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
        copy_up(f, root, keep_content=False)
        save(obj, f, *args, **kwargs)

    torch.save = saved


def copy_up(path: Any, root: str, *, keep_content: bool, last: bool = True) -> None:
    """Replace the links on the way to `path` by real folders, and the file by a copy.

    Args:
        path: what is about to be written; ignored unless it is a path below `root`.
        root: the sandbox, with a trailing separator.
        keep_content: the file's old content will be needed.
        last: the file itself is written through, not only replaced or removed.
    """
    absolute = _absolute(path)
    if absolute is None or not absolute.startswith(root):
        return
    here = root.rstrip(os.sep)
    parts = absolute[len(root) :].split(os.sep)
    for part in parts[:-1]:
        here = os.path.join(here, part)
        if os.path.islink(here) and os.path.isdir(here):
            _unfold(here)
    if last and os.path.islink(absolute):
        _detach(absolute, keep_content=keep_content)


def _absolute(path: Any) -> str | None:
    if isinstance(path, int):
        return None
    try:
        text = os.fsdecode(path)
    except TypeError:
        return None
    # abspath would resolve `..` behind a link differently from the system; below the
    # sandbox's own root no link points upwards, so the two agree.
    return os.path.abspath(text)


def _unfold(link: str) -> None:
    """Make a linked folder a real one whose entries are links."""
    target = os.path.realpath(link)
    os.remove(link)
    os.mkdir(link)
    for name in os.listdir(target):
        os.symlink(os.path.join(target, name), os.path.join(link, name))


def _detach(link: str, *, keep_content: bool) -> None:
    target = os.path.realpath(link)
    if not os.path.isfile(target):
        return
    os.remove(link)
    if keep_content:
        shutil.copy2(target, link)
