"""Every command of the README and of the docs runs as printed, from the built wheel.

What rewrites runs in an environment that `pip install ortwrap` has made, what trains in one that
`pip install 'ortwrap[runtime]'` has: both as printed, and nothing of this checkout in them.
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
import torch
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
# What would take many minutes runs in a shorter form, in the checkout where it belongs there.
MODULE = r"\.venv/bin/python -m "
SHORTER = {
    r"make (.*)": r"make --dry-run \1",
    rf"{MODULE}ortwrap\.runtime\.zoo": f"{sys.executable} -m ortwrap.runtime.zoo --only mlp",
    rf"{MODULE}ortwrap\.runtime\.operators\.coverage": (
        f"{sys.executable} -m ortwrap.runtime.operators.coverage --only smooth"
    ),
    rf"{MODULE}benchmarks\.fuzz --minutes 10": (
        f"{sys.executable} -m benchmarks.fuzz --minutes 10 --turns 100"
    ),
    # `ortwrap bench` three times over, which stands below.
    rf"{MODULE}benchmarks\.masked_lm": f"{sys.executable} -m benchmarks.masked_lm --help",
    r"ortwrap bench ": "ortwrap bench --steps 2 --repeat 1 --way 'ORTModule(model)' ",
}
IN_CHECKOUT = re.compile(r"make |\.venv/")
TRAINS = re.compile(
    r"pip install 'ortwrap\[runtime\]'|ortwrap (?:doctor|verify|bench)|.*\.ipynb|\.venv/"
)


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


def run(command: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A command as a shell runs it, in the short form where it has one."""
    for pattern, shorter in SHORTER.items():
        command = re.sub(rf"^{pattern}", shorter, command)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT if IN_CHECKOUT.match(command) or str(sys.executable) in command else folder,
        env={**environment, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def surroundings(programs: Path, wheels: Path) -> dict[str, str]:
    """An environment's programs first, and pip told of the wheel, which is on no index yet."""
    links = " ".join(filter(None, (str(wheels), os.environ.get("PIP_FIND_LINKS"))))
    return {"PATH": f"{programs}:{os.environ['PATH']}", "PIP_FIND_LINKS": links}


def check(command: str, page: str, done: subprocess.CompletedProcess[str]) -> None:
    may_find = "--check" in command and "tutorial" not in page
    assert done.returncode in ((0, 1) if may_find else (0,)), (
        f"{page}: {command}\n{done.stdout}\n{done.stderr}"
    )
    assert "Traceback" not in done.stderr, command


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_rewrite_run_as_printed(page: str, installed: Path, project: Path) -> None:
    here = surroundings(installed.parent, installed.parents[2])
    for command in commands(page):
        if not TRAINS.match(command):
            if "--revert" not in command:
                prepare(project, page)
            check(
                command, page, run(command, project, ORTWRAP_CACHE=str(project / "cache"), **here)
            )


@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="torch-ort has no release for it")
@pytest.mark.skipif(bool(torch.version.cuda), reason="gigabytes of CUDA libraries once more")
def test_commands_that_train_run_as_printed(
    installed: Path, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runtime")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    # The same build as here: without a word, pip takes the newest torch, which is for GPUs.
    (folder / "constraints.txt").write_text(f"torch=={torch.__version__}\n")
    here = {
        **surroundings(folder / "env" / "bin", installed.parents[2]),
        "PIP_CONSTRAINT": str(folder / "constraints.txt"),
    }
    printed = [(page, command) for page in PAGES for command in commands(page)]
    training = [(page, command) for page, command in printed if TRAINS.match(command)]
    assert training[0] == ("README.md", "pip install 'ortwrap[runtime]'")
    notebooks = ("docs/command-line.md", "pip install 'ortwrap[notebook]'")
    assert notebooks[1] in (ROOT / notebooks[0]).read_text(encoding="utf-8")
    prepare(project, "README.md")
    try:
        for page, command in [training[0], notebooks, *training[1:]]:
            check(command, page, run(command, project, **here))
    finally:
        shutil.rmtree(folder)  # two gigabytes


def test_what_is_shortened_is_still_printed() -> None:
    printed = [command for page in PAGES for command in commands(page)]
    for pattern in SHORTER:
        assert any(re.match(pattern, command) for command in printed), pattern


def test_ci_runs_what_make_is_only_asked_for_here() -> None:
    printed = [command for page in PAGES for command in commands(page)]
    targets = {
        target for line in printed if line.startswith("make ") for target in line.split()[1:]
    }
    by_ci = set(re.findall(r"make --no-print-directory (\w+)", (ROOT / ".ci" / "run").read_text()))
    # `setup` is a part of the others; `benchmarks` times other tools for minutes.
    assert targets - by_ci == {"setup", "benchmarks"}


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_the_library_runs_as_printed(page: str, installed: Path, project: Path) -> None:
    prepare(project, page)
    blocks = re.findall(
        r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S
    )
    (example,) = (block for block in blocks if "from ortwrap import" in block)
    done = subprocess.run(
        [str(installed.parent / "python"), "-c", example],
        cwd=project,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "rewritten" in done.stdout


def test_the_extras_hold_what_the_pages_say(installed: Path) -> None:
    (library,) = (installed.parents[1] / "lib").glob("python*/site-packages/ortwrap-*/METADATA")
    wanted = re.findall(r"^Requires-Dist: (\S+?)[=>].* extra == '(.*)'$", library.read_text(), re.M)
    line = r"pip install 'ortwrap\[runtime\]' +# (?:to train: )?(.*)"
    for page in ("README.md", "docs/index.md"):
        for said in re.findall(line, (ROOT / page).read_text(encoding="utf-8")):
            assert {(name, "runtime") for name in said.split(", ")} <= set(wanted)
    assert ("onnxruntime-training-cpu", "runtime-cpu") in wanted
