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
    """The `ortwrap` program of an environment that has nothing but the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("ortwrap-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    program = folder / "env" / "bin" / "python"
    subprocess.run([*pip, "--python", str(program), "install", str(wheel)], check=True)
    return folder / "env" / "bin" / "ortwrap"
