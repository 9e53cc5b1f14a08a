"""The folders of `cases/`: one idiom each, a script as people write it and its rewrite."""

from __future__ import annotations

import io
import tokenize
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.result import Result
from ortwrap.neighbours import ProjectFiles

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

    def rewritten(self, options: Options | None = None) -> Result:
        """What the engine makes of `before`, at its place beside the files it imports."""
        return rewrite_beside(self.path, self.before, options)


def rewrite_beside(path: Path, text: str, options: Options | None = None) -> Result:
    """What the engine makes of a text, with the files that Python would find from its place."""
    return rewrite_source(text, options or Options(), ProjectFiles(str(path), str(path.parent)))


def _read(folder: Path) -> Case:
    before, after = (
        (folder / name).read_bytes().decode("utf-8") for name in ("before.py", "after.py")
    )
    return Case(folder.name, before, after)


CASES = [_read(path.parent) for path in sorted(FOLDER.glob("*/after.py"))]

# Idioms that are refused so far, each with the code: their folders have no after.py.
REFUSED_SO_FAR: dict[str, str] = {}

# Libraries that some cases are written for and that an environment may lack.
_LIBRARIES = ("lightning", "ignite", "accelerate")


def need_libraries(case: Case) -> None:
    """Skip a case that cannot run here: a library is not installed, or the syntax is newer."""
    try:
        compile(case.before, case.name, "exec")
    except SyntaxError:
        pytest.skip("its syntax is newer than this Python's")
    for name in _LIBRARIES:
        if f"import {name}" in case.before or f"from {name}" in case.before:
            pytest.importorskip(name)


each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def comments(text: str) -> Counter[str]:
    """The comments of a script; one that moves into forward with its statement is not lost."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def ordered_comments(text: str) -> list[tuple[int, str]]:
    """The comments of a script from top to bottom, each with its line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
