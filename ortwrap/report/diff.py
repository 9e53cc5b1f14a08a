"""A unified diff that `patch` and `git apply -p0` accept, and its colours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ortwrap.engine.result import Change

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? ")
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m", "#": "\x1b[33m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(before: str, after: str, path: str, changes: Sequence[Change] = ()) -> str:
    """The difference between two texts of one file; empty when there is none.

    Args:
        before: the one text.
        after: the other.
        path: what both are called.
        changes: reasons, each put as a comment above the hunk that it speaks of.
    """
    lines = difflib.unified_diff(_lines(before), _lines(after), path, path)
    whole = (line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)
    left = list(changes)
    # To patch, a file that ends its lines in "\r" alone is one line, and has one hunk.
    few = "\r" in before.replace("\r\n", "")
    return "".join(f"{_reasons(line, left, everything=few)}{line}" for line in whole)


def _reasons(line: str, left: list[Change], *, everything: bool) -> str:
    """The comments above a hunk, taken out of those that are left."""
    hunk = _HUNK.match(line)
    if hunk is None:
        return ""
    last = int(hunk.group(1)) + int(hunk.group(2) or 1)
    mine = [change for change in left if everything or change.line <= last]
    del left[: len(mine)]
    return "".join(f"# line {change.line}: {change.why}\n" for change in mine)


def unified_bytes(
    before: str, after: str, path: str, encoding: str, changes: Sequence[Change] = ()
) -> bytes:
    """The same in the file's own encoding, so that `patch` can apply it to the file."""
    diff = unified(before, after, path, changes)
    header = len(f"--- {path}\n+++ {path}\n")
    body = diff[header:].encode(encoding.replace("utf-8-sig", "utf-8"), "replace")
    return diff[:header].encode("utf-8", "surrogateescape") + body


def coloured(diff: str) -> str:
    """The same diff for a terminal, as git colours it."""
    return "".join(_colour(line, index) for index, line in enumerate(_lines(diff)))


def _lines(text: str) -> list[str]:
    # Only "\n" ends a line for patch; str.splitlines also breaks at form feeds and "\r".
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _colour(line: str, index: int) -> str:
    start = _BOLD if index < 2 else _COLOURS.get(line[:1], "")
    if not start:
        return line
    body = line.rstrip("\r\n")
    return f"{start}{body}{_RESET}{line[len(body) :]}"
