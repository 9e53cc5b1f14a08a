"""Every command of the README and of the docs runs as printed, from the built wheel.

What needs torch or nbformat runs in the environment of the tests, whose libraries are those of
`ortwrap[runtime-cpu]`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from cli_scripts import PLAIN, TRAINING
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/index.md",
    "docs/tutorial.md",
    "docs/command-line.md",
    "docs/standalone.md",
)
PROGRAMS = ("ortwrap", "cat", "cp", "eval", "make", "pip", ".venv/bin/python")
# Patterns of what is not run here, each with the reason.
NOT_RUN = {
    r"pip install 'ortwrap\[runtime\]'$": "gigabytes for GPUs; see the test of the extras",
    r"ortwrap (?:verify|bench) train.py$": "as in the README, with arguments",
}
# What would take minutes runs in a shorter form, in the checkout where it belongs there.
SHORTER = {
    r"make (.*)": r"make --dry-run \1",  # CI itself runs all of them but `demo` and `benchmarks`
    r"\.venv/bin/python -m (.*)": rf"{sys.executable} -m \1 --help",
    r"ortwrap bench ": "ortwrap bench --steps 2 --repeat 1 --way 'ORTModule(model)' ",
}
IN_CHECKOUT = re.compile(r"make |\.venv/")
NEEDS_TORCH = re.compile(r"ortwrap (?:doctor|verify|bench)|\.ipynb")


def commands(page: str) -> Iterator[str]:
    """The commands of a page, without comments; a block of code in a language has none."""
    fenced = False
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        fenced = fenced != line.startswith("```")
        if not fenced and line.startswith("    ") and line.split()[0] in PROGRAMS:
            yield re.sub(r"\s+# .*", "", line.strip())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files that the pages speak of."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "plain.py").write_text(PLAIN)
    nbformat.write(new_notebook(cells=[new_code_cell(TRAINING)]), tmp_path / "train.ipynb")
    return tmp_path


def prepare(folder: Path, page: str) -> None:
    """The scripts as a reader of a page has them; the tutorial says itself how to get one."""
    if "tutorial" not in page:
        shutil.copy(ROOT / "samples" / "image_classifier.py", folder / "train.py")
        (folder / "src" / "train.py").write_text(TRAINING)


def shell(command: str, folder: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={
            **environment,
            "PIP_FIND_LINKS": str(programs.parents[1]),  # of the wheel, which is on no index yet
            "ORTWRAP_CACHE": str(folder / "cache"),
            "PATH": f"{programs}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("page", PAGES)
def test_commands_run_as_printed(page: str, installed: Path, project: Path) -> None:
    for command in commands(page):
        if any(re.match(pattern, command) for pattern in NOT_RUN):
            continue
        if "--revert" not in command:
            prepare(project, page)
        here = Path(sys.executable).parent if NEEDS_TORCH.search(command) else installed.parent
        folder = ROOT if IN_CHECKOUT.match(command) else project
        for pattern, shorter in SHORTER.items():
            command = re.sub(rf"^{pattern}", shorter, command)
        run = shell(command, folder, here)
        check = "--check" in command and "tutorial" not in page
        allowed = (0, 1) if check else (0,)
        assert run.returncode in allowed, f"{command}\n{run.stdout}\n{run.stderr}"
        assert "Traceback" not in run.stderr, command


def test_what_is_not_run_is_still_printed() -> None:
    printed = [command for page in PAGES for command in commands(page)]
    for pattern in (*NOT_RUN, *SHORTER):
        assert any(re.match(pattern, command) for command in printed), pattern


def test_the_extras_hold_what_the_pages_say(installed: Path) -> None:
    (library,) = (installed.parents[1] / "lib").glob("python*/site-packages/ortwrap-*/METADATA")
    wanted = re.findall(r"^Requires-Dist: (\S+?)[=>].* extra == '(.*)'$", library.read_text(), re.M)
    line = r"pip install 'ortwrap\[runtime\]' +# (?:to train: )?(.*)"
    for page in ("README.md", "docs/index.md"):
        for said in re.findall(line, (ROOT / page).read_text(encoding="utf-8")):
            assert {(name, "runtime") for name in said.split(", ")} <= set(wanted)
    assert ("onnxruntime-training-cpu", "runtime-cpu") in wanted
