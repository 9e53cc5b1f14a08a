"""TOML files, read only where they hold something that is asked for."""

from __future__ import annotations

import sys
from typing import Any


class TomlError(Exception):
    """A file that cannot be read, or is no TOML; the message has no path."""


def read_toml(path: str, words: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """The document in a file; empty when it has none of `words`, which spares an import.

    Raises:
        TomlError: unreadable, or no TOML.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise TomlError((error.strerror or str(error)).lower()) from error
    if words and not any(word in data for word in words):
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TomlError(f"is no valid TOML: {error}") from error
    return document
