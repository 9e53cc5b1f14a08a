"""A unified diff that `patch` and `git apply -p0` accept, and its colours."""

from __future__ import annotations

import difflib

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(before: str, after: str, path: str) -> str:
    """The difference between two texts of one file; empty when there is none."""
    lines = difflib.unified_diff(_lines(before), _lines(after), path, path)
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def unified_bytes(before: str, after: str, path: str, encoding: str) -> bytes:
    """The same in the file's own encoding, so that `patch` can apply it to the file."""
    diff = unified(before, after, path)
    header = len(f"--- {path}\n+++ {path}\n")
    body = diff[header:].encode(encoding.replace("utf-8-sig", "utf-8"))
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
