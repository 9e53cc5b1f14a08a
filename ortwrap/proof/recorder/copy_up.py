"""Keeps a script from writing through the links of its sandbox onto its user's files.

Large files and neighbouring folders are symbolic links in the sandbox. As an overlay file
system does, a link is replaced by a copy the moment something under it is written.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from ortwrap.proof.recorder.writes import absolute


def copy_up(path: Any, root: str, *, keep_content: bool, last: bool = True) -> None:
    """Replace the links on the way to `path` by real folders, and the file by a copy.

    Args:
        path: what is about to be written; ignored unless it is a path below `root`.
        root: the sandbox, with a trailing separator.
        keep_content: the file's old content will be needed.
        last: the file itself is written through, not only replaced or removed.
    """
    whole = absolute(path)
    if whole is None or not whole.startswith(root):
        return
    here = root.rstrip(os.sep)
    parts = whole[len(root) :].split(os.sep)
    for part in parts[:-1]:
        here = os.path.join(here, part)
        if os.path.islink(here) and os.path.isdir(here):
            _unfold(here)
    if last and os.path.islink(whole):
        _detach(whole, keep_content=keep_content)


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
