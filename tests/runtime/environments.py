"""Python environments for tests, made of links into this one, so that packages can be missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))


class LinkedEnvironment:
    """A folder that shows this environment's packages but for those left out.

    `onnxruntime` is a copy, so that a test may add files to it.
    """

    def __init__(self, root: Path, without: Iterable[str] = ()) -> None:
        self.site_packages = root / "site-packages"
        self.site_packages.mkdir(parents=True)
        left_out = tuple(without)
        for entry in SITE_PACKAGES.iterdir():
            name = entry.name.lower().replace("_", "-")
            if any(name == out or name.startswith(f"{out}-") for out in left_out):
                continue
            if entry.name == "onnxruntime":
                shutil.copytree(entry, self.site_packages / entry.name, ignore=_not_from_wheel)
            else:
                (self.site_packages / entry.name).symlink_to(entry)

    @property
    def extensions_dir(self) -> Path:
        return self.site_packages / "onnxruntime/training/ortmodule/torch_cpp_extensions"

    def run(self, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs `code` with this environment's packages and the checkout's ortwrap, no others."""
        paths = os.pathsep.join((str(CHECKOUT), str(self.site_packages)))
        return subprocess.run(
            [sys.executable, "-S", "-c", code],
            env={**os.environ, "PYTHONPATH": paths, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


def _not_from_wheel(folder: str, names: list[str]) -> set[str]:
    """Leaves behind the extensions, and what remembers them, that were added to the original."""
    if Path(folder).name != "torch_cpp_extensions":
        return set()
    return {name for name in names if name.endswith((".so", ".json"))}


def run_python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` in a fresh interpreter of this environment."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
