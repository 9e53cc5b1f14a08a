"""What is installed, read from the files of the packages without importing them.

Importing torch takes seconds, and importing onnxruntime beside a torch that it does not fit
fails: both would keep the doctor from telling what is wrong.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Release = tuple[int, int]


def release_of(version: str) -> Release:
    """Major and minor of a version string; local and pre-release parts do not matter here.

    >>> release_of("2.13.0a0+cpu")
    (2, 13)

    Raises:
        ValueError: the string does not begin with `<number>.<number>`.
    """
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None:
        raise ValueError(f"not a version: {version!r}")
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class TorchBuild:
    """The installed torch: which release, and what it was compiled for."""

    root: Path
    version: str
    git_version: str
    cuda: str | None
    hip: str | None

    @property
    def release(self) -> Release:
        return release_of(self.version)

    @property
    def cpu_only(self) -> bool:
        return self.cuda is None and self.hip is None


@dataclass(frozen=True)
class OrtPackage:
    """The onnxruntime that `import onnxruntime` finds, whichever distribution it came from."""

    root: Path
    version: str
    distribution: str
    cuda: str | None

    @property
    def has_ortmodule(self) -> bool:
        return (self.root / "training" / "ortmodule" / "__init__.py").is_file()

    @property
    def extensions_dir(self) -> Path:
        """Where ORTModule looks for its compiled extensions, and keeps their sources."""
        return self.root / "training" / "ortmodule" / "torch_cpp_extensions"


def installed_torch() -> TorchBuild | None:
    """The torch that would be imported, or None."""
    root = _package_root("torch")
    if root is None:
        return None
    facts = _constants(root / "version.py")
    version = facts.get("__version__")
    if version is None:
        return None
    return TorchBuild(
        root=root,
        version=str(version),
        git_version=str(facts.get("git_version", "")),
        cuda=facts.get("cuda"),
        hip=facts.get("hip"),
    )


def installed_ort() -> OrtPackage | None:
    """The onnxruntime that would be imported, or None."""
    root = _package_root("onnxruntime")
    if root is None:
        return None
    facts = _constants(root / "capi" / "build_and_package_info.py")
    version = facts.get("__version__")
    if version is None:
        return None
    return OrtPackage(
        root=root,
        version=str(version),
        distribution=str(facts.get("package_name", "onnxruntime")),
        cuda=facts.get("cuda_version"),
    )


def _package_root(name: str) -> Path | None:
    """Folder of a regular package; None when absent, or when only a stray folder is left."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def _constants(path: Path) -> dict[str, Any]:
    """Globals of a generated file that holds nothing but assignments."""
    return runpy.run_path(str(path)) if path.is_file() else {}
