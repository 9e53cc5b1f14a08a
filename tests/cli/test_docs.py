"""Every `ortwrap rewrite` and `ortwrap explain` of the docs runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from cli_scripts import PLAIN, TRAINING
from nbformat.v4 import new_code_cell, new_notebook
from test_streams import shell

DOCS = Path(__file__).parents[2] / "docs" / "command-line.md"
COMMANDS = [
    re.sub(r"\s+# .*", "", line.strip())
    for line in DOCS.read_text().splitlines()
    if re.match(r"    (?:cat \S+ \| )?ortwrap (?:rewrite|explain)\b", line)
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "src").mkdir()
    for script in (folder / "train.py", folder / "src" / "train.py"):
        script.write_text(TRAINING)
    (folder / "src" / "plain.py").write_text(PLAIN)
    nbformat.write(new_notebook(cells=[new_code_cell(TRAINING)]), folder / "train.ipynb")
    return folder


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_docs(project: Path, command: str) -> None:
    run = shell(command, project)
    assert run.returncode in ((0, 1) if "--check" in command else (0,)), run.stderr
