"""The command line as users run it: a fresh process, bytes in and bytes out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_COLOUR = {"NO_COLOR", "FORCE_COLOR"}


@dataclass(frozen=True)
class Run:
    """What a command did."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


@pytest.fixture
def ortwrap(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Run `ortwrap ARGS...` in `tmp_path`, which is also where relative paths lie."""
    surroundings = {
        **{name: value for name, value in os.environ.items() if name not in _COLOUR},
        "PYTHONPATH": str(ROOT),
        "ORTWRAP_CACHE": str(tmp_path_factory.mktemp("cache")),
    }

    def run(*args: str, stdin: bytes = b"", **env: str) -> Run:
        process = subprocess.run(
            [sys.executable, "-m", "ortwrap", *args],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            env={**surroundings, **env},
            check=False,
        )
        err = process.stderr.decode(errors="replace")
        assert "Traceback" not in err, err
        return Run(process.returncode, process.stdout, err)

    return run


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `ortwrap` program of an environment that `pip install ortwrap` has made of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(build, check=True, env=quiet)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    programs = folder / "env" / "bin"
    subprocess.run(
        [str(programs / "pip"), "install", "ortwrap"],
        check=True,
        env={**quiet, "PIP_FIND_LINKS": str(folder)},
    )
    return programs / "ortwrap"
