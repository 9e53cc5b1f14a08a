"""Compiling, tried on an extension of a few lines that needs no torch."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from ortwrap.runtime.compat.compiler import BuildFailed, compile_extensions

_SETUP = """
from pathlib import Path
from setuptools import Extension, setup

source = Path(__file__).with_name("answer.c")
setup(name="answer", ext_modules=[Extension("answer", [str(source)])])
"""

_SOURCE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "answer", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_answer(void) {
  PyObject* result = PyModule_Create(&module);
  PyModule_AddIntConstant(result, "value", 42);
  return result;
}
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources" / "cpu" / "answer"
    folder.mkdir(parents=True)
    (folder / "setup.py").write_text(_SETUP)
    (folder / "answer.c").write_text(_SOURCE)
    return tmp_path / "sources"


def test_a_compiled_extension_can_be_imported(sources: Path, tmp_path: Path) -> None:
    compile_extensions(["answer"], sources, work=tmp_path, out=tmp_path / "out")
    command = [sys.executable, "-c", "import answer; print(answer.value)"]
    result = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, check=True)
    assert result.stdout.strip() == b"42"


def test_the_compilers_own_words_are_in_the_error(sources: Path, tmp_path: Path) -> None:
    (sources / "cpu/answer/answer.c").write_text('#include "no_such_header.h"\n')
    with pytest.raises(BuildFailed, match="building 'answer' failed") as failure:
        compile_extensions(["answer"], sources, work=tmp_path, out=tmp_path / "out")
    assert "no_such_header.h" in str(failure.value)
    assert not list((tmp_path).glob("out/*"))


_WAITS_FOR_A_COMPILER = """
import sys, time
from pathlib import Path

while not Path("started").exists():
    time.sleep(0.01)
sys.exit("no more")
"""

_STARTS_A_COMPILER = """
import subprocess, sys

compiler = "import time; held = open('alive', 'wb'); open('started', 'w').close(); time.sleep(600)"
subprocess.run([sys.executable, "-c", compiler])
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_compilers_end_with_what_started_them(sources: Path, tmp_path: Path) -> None:
    (sources / "cpu/answer/setup.py").write_text(_WAITS_FOR_A_COMPILER)
    (sources / "cpu/slow").mkdir()
    (sources / "cpu/slow/setup.py").write_text(_STARTS_A_COMPILER)
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(BuildFailed, match="no more"):
        compile_extensions(["answer", "slow"], sources, work=tmp_path, out=tmp_path / "out")
    ready, _, _ = select.select([reader], [], [], 30)
    assert ready, "the compiler still holds its end of the pipe"
    assert os.read(reader, 1) == b""
    os.close(reader)
