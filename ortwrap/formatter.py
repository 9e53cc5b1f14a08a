"""What a project tells its formatter, so that generated lines are no longer than it allows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ortwrap.toml import TomlError, read_toml

_OWN_FILES = (".ruff.toml", "ruff.toml")
# Of black and of ruff alike.
_DEFAULT = 88


def configured_line_length(folder: str, pyproject: Mapping[str, Any]) -> int | None:
    """The line length that ruff or black use in a folder; None when neither is configured there.

    Args:
        folder: where the configuration lies.
        pyproject: the document of its pyproject.toml, empty without one.
    """
    tools = pyproject.get("tool", {})
    tables = [_ruff(folder), *(tools.get(name) for name in ("ruff", "black"))]
    for table in tables:
        if isinstance(table, Mapping):
            length = table.get("line-length", _DEFAULT)
            return length if isinstance(length, int) and length > 0 else None
    return None


def _ruff(folder: str) -> Mapping[str, Any] | None:
    for name in _OWN_FILES:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            try:
                return read_toml(path)
            except TomlError:
                return None  # ruff will tell
    return None
