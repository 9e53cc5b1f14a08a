"""The folders of `cases/`: one idiom each, a script as people write it and its rewrite."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One idiom.

    Attributes:
        name: what the idiom is.
        before: the script as people write it.
        after: the script as a careful colleague would rewrite it.
    """

    name: str
    before: str
    after: str

    @property
    def path(self) -> Path:
        """Where `before` stands; `after` runs from there too, beside the same imports."""
        return FOLDER / self.name / "before.py"


def _read(folder: Path) -> Case:
    before, after = (
        (folder / name).read_bytes().decode("utf-8") for name in ("before.py", "after.py")
    )
    return Case(folder.name, before, after)


CASES = [_read(path.parent) for path in sorted(FOLDER.glob("*/after.py"))]

# Idioms that are refused so far: their folders have no after.py.
REFUSED_SO_FAR: dict[str, str] = {}

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def comments(text: str) -> list[str]:
    """The comments of a script, in order."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def is_subsequence(short: list[str], long: list[str]) -> bool:
    """All of `short` occurs in `long`, in the same order."""
    rest = iter(long)
    return all(item in rest for item in short)
