"""What is public, and what shells are told: nothing by accident."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ortwrap
from ortwrap.toml import read_toml

ROOT = Path(__file__).parents[2]


def names_after_import() -> set[str]:
    """What a fresh `import ortwrap` shows, its own modules left out."""
    code = (
        "import types, ortwrap\n"
        "print([name for name, value in vars(ortwrap).items() if not name.startswith('__') "
        "and not isinstance(value, types.ModuleType)])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(re.findall(r"'(\w+)'", run.stdout)) - {"annotations"}


def test_only_what_is_documented_is_public() -> None:
    public = set(ortwrap.__all__) - {"__version__"}
    assert names_after_import() == public
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert all(name in page for name in public)


@pytest.mark.parametrize("name", ["Options", "Result", "Step"])
def test_every_field_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    (mine,) = (part for part in section if part.startswith(f"{name}\n"))
    fields = getattr(ortwrap, name).__dataclass_fields__
    assert all(f"`{field}" in mine for field in fields), set(fields)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    def complete(words: str, position: str) -> str:
        variables = {
            "_ORTWRAP_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": position,
            "PYTHONPATH": str(ROOT),
        }
        program = "import sys; sys.argv[0] = 'ortwrap'; from ortwrap.cli import main; main()"
        run = subprocess.run(
            [sys.executable, "-c", program], env=variables, capture_output=True, text=True
        )
        return run.stdout

    position = {"bash": "1", "zsh": "1", "fish": "re"}[shell]
    assert "rewrite" in complete("ortwrap re", position)
    position = {"bash": "2", "zsh": "2", "fish": "--exp"}[shell]
    assert "--explain-diff" in complete("ortwrap rewrite --exp", position)


@pytest.mark.parametrize(
    "words",
    ["rewrite tra", "rewrite train.py -o tra", "verify tra", "bench train.py --json tra"],
)
def test_shells_are_told_where_files_go(ortwrap: Callable, words: str) -> None:
    asked = {"COMP_WORDS": f"ortwrap {words}", "COMP_CWORD": str(len(words.split()))}
    assert ortwrap(_ORTWRAP_COMPLETE="bash_complete", **asked).text == "file,tra\n"


@pytest.mark.parametrize("command", ["", "rewrite", "verify", "bench", "doctor", "explain"])
def test_help_fits_a_terminal_of_80_columns(ortwrap: Callable, command: str) -> None:
    lines = ortwrap(*command.split(), "--help", COLUMNS="80").text.splitlines()
    assert [line for line in lines if len(line) > 80] == []


def test_every_dependency_is_explained() -> None:
    project = read_toml(str(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for requirement in [*project["dependencies"], *(each for extra in extras for each in extra)]:
        (name,) = re.findall(r"^[\w-]+", requirement)
        assert re.search(rf"^\| [^|]*\b{name}\b", page, re.MULTILINE), name
