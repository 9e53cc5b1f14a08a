"""Lines as Python counts them."""

from __future__ import annotations

import io


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends: `str.splitlines` also breaks at form feeds and more."""
    return io.StringIO(text, newline="").readlines()
