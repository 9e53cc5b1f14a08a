"""Whatever Python it is: no crash, and no change to a file without a training step."""

from __future__ import annotations

import contextlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import InvalidSource

STDLIB = Path(sysconfig.get_path("stdlib"))
# A turtle goes `.backward()` too.
WITHOUT = {"site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo"}
EVERY = 7  # of some 700 files outside of the tests, one in so many: two seconds


def _files() -> Iterator[Path]:
    files = [path for path in sorted(STDLIB.rglob("*.py")) if not WITHOUT & set(path.parts)]
    yield from files[::EVERY]


def test_the_standard_library_stays_as_it_is() -> None:
    files = list(_files())
    assert len(files) > 60
    for path in files:
        text = path.read_text(encoding="utf-8")
        result = rewrite_source(text)
        assert (result.text, result.steps) == (text, ()), path


def test_the_standard_library_survives_the_whole_analysis() -> None:
    """With a sink appended no text test stands in front: every analysis runs on the file."""
    sink = "\n\nimport torch\nmodel = torch.nn.Linear(2, 1)\nmodel(torch.ones(2)).backward()\n"
    for path in list(_files())[::4]:
        text = path.read_text(encoding="utf-8") + sink
        result = rewrite_source(text)
        assert [step.status for step in result.steps] == ["rewritten"], path
        compile(result.text, str(path), "exec", dont_inherit=True)


BROKEN = {
    "an open bracket": ("loss.backward(\n", 1),
    "a wrong indentation": ("if True:\nloss.backward()\n", 2),
    "Python 2": ("print 'loss'\nloss.backward()\n", 1),
    "a null byte": ("loss.backward()\0\n", 1),
    "a string that does not end": ("x = 1\nloss = 'abc\nloss.backward()\n", 2),
    "a merge conflict": ("<<<<<<< HEAD\nloss.backward()\n", 1),
}


@pytest.mark.parametrize(("text", "line"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_python_is_said_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidSource) as error:
        rewrite_source(text)
    assert error.value.line == line
    assert error.value.column >= 1
    assert error.value.message


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "# only a comment", "\x0c\n"])
def test_a_file_of_nothing(text: str) -> None:
    assert rewrite_source(text).text == text


def test_code_that_nests_deeply_is_answered() -> None:
    """The parser's limit is an error of the file, never a crash of the engine."""
    text = "import torch\nloss = " + "(" * 150 + "1" + ")" * 150 + "\nloss.backward()\n"
    with contextlib.suppress(InvalidSource):
        assert rewrite_source(text).text == text
