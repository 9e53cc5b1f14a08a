"""Everything that the doctor looks at, observed once and then immutable."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .. import extensions
from ..extensions import State
from .compiler import tools_dir
from .packages import OrtPackage, Release, TorchBuild, installed_ort, installed_torch
from .probe import ProbeResult, try_training

ORT_DISTRIBUTIONS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-training",
    "onnxruntime-training-cpu",
)
"""All of these install into the one folder `onnxruntime`."""


@dataclass(frozen=True)
class Environment:
    """One Python environment, as far as ORTModule is concerned.

    Attributes:
        python: major and minor version of the interpreter.
        executable: the interpreter, for commands that act on this very environment.
        onnx: version of the onnx package, None when it is not installed.
        ort: the onnxruntime folder that is imported, whoever wrote it last.
        ort_distributions: name -> version of what pip believes to have put there.
        extensions: None when torch or ORTModule is missing, so that there is nothing to judge.
        extensions_cached: whether a build for these versions lies in the cache.
        compiler: path of the C++ compiler that would be used, None when there is none.
        python_headers: whether `Python.h` is there to compile against.
        probe: what a training step in a process of its own came to; None when not tried.
    """

    python: Release
    executable: str
    torch: TorchBuild | None
    onnx: str | None
    ort: OrtPackage | None
    ort_distributions: Mapping[str, str]
    extensions: State | None
    extensions_cached: bool
    compiler: str | None
    python_headers: bool
    ninja: bool
    setuptools: bool
    probe: ProbeResult | None


def observe() -> Environment:
    """Looks at this environment; tries a training step only where one can be expected to work."""
    state = _extension_state()
    usable = state in (State.READY, State.BEHIND, State.FOREIGN)
    onnx = _version_of("onnx")
    return Environment(
        python=(sys.version_info[0], sys.version_info[1]),
        executable=sys.executable,
        torch=installed_torch(),
        onnx=onnx,
        ort=installed_ort(),
        ort_distributions=_installed_ort_distributions(),
        extensions=state,
        extensions_cached=state is not None and extensions.is_cached(),
        compiler=_compiler(),
        python_headers=(Path(sysconfig.get_path("include")) / "Python.h").is_file(),
        ninja=_find_program("ninja") is not None,
        setuptools=_version_of("setuptools") is not None,
        probe=try_training() if usable and onnx is not None else None,
    )


def _extension_state() -> State | None:
    try:
        return extensions.state()
    except extensions.NotInstallable:
        return None


def _installed_ort_distributions() -> dict[str, str]:
    found = {name: _version_of(name) for name in ORT_DISTRIBUTIONS}
    return {name: version for name, version in found.items() if version is not None}


def _version_of(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _compiler() -> str | None:
    """The compiler that torch's build of extensions takes: `$CXX`, else `c++`."""
    return _find_program(os.environ.get("CXX", "c++").split(" ")[0])


def _find_program(name: str) -> str | None:
    path = os.pathsep.join((str(tools_dir()), os.environ.get("PATH", "")))
    return shutil.which(name, path=path)
