"""Builds ORTModule's C++ extensions once per set of versions, and puts them where it looks.

The sources come with onnxruntime. They are copied, patched for the installed torch, compiled, and
kept in a cache; a second environment of the same versions only copies two files. Nothing that
pip installed is changed: files are added beside it, and a manifest remembers which.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Callable

from .compat import source_patches_for
from .compat.cache import NotWritable, cache_dir, explaining_refusal, locked, make_once
from .compat.compiler import BuildFailed, compile_extensions
from .compat.manifest import Manifest, add_files, digest_of, remove_added_files
from .compat.packages import OrtPackage, TorchBuild, installed_ort, installed_torch
from .compat.sources import SourcePatch, patch_files

__all__ = [
    "EXTENSIONS",
    "BuildFailed",
    "NotInstallable",
    "NotWritable",
    "State",
    "Target",
    "cache_dir",
    "ensure_built",
    "install",
    "is_cached",
    "is_installed",
    "own_kernels",
    "state",
    "uninstall",
]

EXTENSIONS = ("aten_op_executor", "torch_interop_utils")
# Kernels of ours, built along with them; ORTModule does without.
_OWN = "ortwrap_kernels"
_OWN_SOURCES = Path(__file__).with_name("native")

_ASK_THE_DOCTOR = "`ortwrap doctor` says what to install"

Progress = Callable[[str], None]

_BINARY_SUFFIXES = (".so", ".pyd", ".dll", ".dylib")
_SOURCE_SUFFIXES = (".cc", ".h", ".py")


class State(Enum):
    """What lies where ORTModule looks."""

    MISSING = "missing"
    """No extension, or not all of them: ORTModule refuses to start."""
    BEHIND = "behind"
    """Built for the versions installed now, by an ortwrap with other kernels: ORTModule runs."""
    STALE = "stale"
    """Built by ortwrap for other versions than those installed now."""
    FOREIGN = "foreign"
    """Not built by ortwrap (`python -m torch_ort.configure`): versions unknown."""
    READY = "ready"
    """Built by ortwrap for the versions installed now."""


class NotInstallable(RuntimeError):
    """The extensions cannot be built or installed here; the message says what is in the way."""


@dataclass(frozen=True)
class Target:
    """The pair of packages that extensions are built for."""

    torch: TorchBuild
    ort: OrtPackage

    @classmethod
    def of_this_environment(cls) -> Target:
        """The installed pair.

        Raises:
            NotInstallable: torch, or an onnxruntime with ORTModule, is not installed.
        """
        torch_build, ort = installed_torch(), installed_ort()
        if torch_build is None:
            raise NotInstallable(f"torch is not installed; {_ASK_THE_DOCTOR}")
        if ort is None or not ort.has_ortmodule:
            raise NotInstallable(f"no onnxruntime with ORTModule is installed; {_ASK_THE_DOCTOR}")
        return cls(torch_build, ort)

    @property
    def patches(self) -> tuple[SourcePatch, ...]:
        return source_patches_for(self.torch)

    @property
    def key(self) -> str:
        """Names the binaries: whatever would change them changes the key."""
        return f"{self.ortmodules_key}_{_fingerprint(_sources_in(_OWN_SOURCES))}"

    @property
    def ortmodules_key(self) -> str:
        """The part of it that ORTModule's extensions depend on."""
        python = str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag)
        parts = [self.torch.git_version, str(self.torch.cuda), str(self.torch.hip)]
        parts += [f"{patch.file}\n{patch.old}\n{patch.new}" for patch in self.patches]
        parts += _sources_in(self.ort.extensions_dir / "cpu")
        return f"torch-{self.torch.version}_ort-{self.ort.version}_{python}_{_fingerprint(parts)}"


def _sources_in(folder: Path) -> list[str]:
    """The digests of the files in a folder that a compiler gets to see."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in _SOURCE_SUFFIXES)
    return [digest_of(path) for path in files]


def _fingerprint(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def state() -> State:
    """What lies where ORTModule looks, judged by the versions that are installed.

    Raises:
        NotInstallable: torch, or an onnxruntime with ORTModule, is not installed.
    """
    target = Target.of_this_environment()
    folder = target.ort.extensions_dir
    if not all(_binaries(folder, name) for name in EXTENSIONS):
        return State.MISSING
    manifest = Manifest.read(folder)
    if manifest is None:
        return State.FOREIGN
    if manifest.key == target.key:
        return State.READY
    return State.BEHIND if manifest.key.startswith(target.ortmodules_key) else State.STALE


def is_installed() -> bool:
    """Whether ORTModule finds extensions that ortwrap built for the installed versions."""
    try:
        return state() is State.READY
    except NotInstallable:
        return False


def own_kernels() -> Path | None:
    """The library of ortwrap's own kernels; None where it could not be built, or nobody has."""
    ort = installed_ort()
    found = _binaries(ort.extensions_dir, _OWN) if ort is not None and is_installed() else ()
    return found[0] if found else None


def is_cached() -> bool:
    """Whether a build for the installed versions lies in the cache.

    Raises:
        NotInstallable: torch, or an onnxruntime with ORTModule, is not installed.
    """
    target = Target.of_this_environment()
    try:
        return _cached(target).is_dir()
    except NotWritable:
        return False


def ensure_built(progress: Progress = lambda message: None) -> Path:
    """The cached folder that holds the extensions for this environment, built if need be.

    Raises:
        NotInstallable: torch, or an onnxruntime with ORTModule, is not installed.
        NotWritable: the cache cannot be written to.
        BuildFailed: the compiler failed; the message holds the end of its output.
        PatchMismatch: the sources are not those that the patches were written for.
    """
    target = Target.of_this_environment()

    def make(scratch: Path) -> None:
        progress(f"building ORTModule's extensions for torch {target.torch.version}")
        _build(target, scratch)

    make_once(_cached(target), make)
    return _cached(target)


def install(progress: Progress = lambda message: None) -> tuple[Path, ...]:
    """Puts the extensions, built if need be, where ORTModule looks for them.

    Returns:
        The files that were added; empty when they were there already.

    Raises:
        NotInstallable, NotWritable, BuildFailed, PatchMismatch: see `ensure_built`.
    """
    if is_installed():
        return ()
    files = sorted(ensure_built(progress).iterdir())
    target = Target.of_this_environment()
    folder = target.ort.extensions_dir
    with locked("install"), explaining_refusal(folder):
        # Another process may have done it while this one waited.
        if is_installed():
            return ()
        remove_added_files(folder)
        in_the_way = [path for name in EXTENSIONS for path in _binaries(folder, name)]
        add_files(folder, files, target.key, in_the_way)
    return tuple(folder / path.name for path in files)


def uninstall() -> tuple[Path, ...]:
    """Takes back what `install` added to this environment; the cache stays.

    Returns:
        The files that were removed.

    Raises:
        NotWritable: the installed package or the cache cannot be written to.
    """
    ort = installed_ort()
    if ort is None:
        return ()
    with locked("install"), explaining_refusal(ort.extensions_dir):
        return remove_added_files(ort.extensions_dir)


def _cached(target: Target) -> Path:
    return cache_dir() / "extensions" / target.key


def _binaries(folder: Path, name: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"{name}.*") if path.suffix in _BINARY_SUFFIXES)


def _build(target: Target, scratch: Path) -> None:
    """Compiles what is to be the cached folder into `scratch/out`."""
    sources, out = scratch / "sources", scratch / "out"
    shutil.copytree(target.ort.extensions_dir / "cpu", sources / "cpu")
    shutil.copytree(_OWN_SOURCES, sources / "cpu" / _OWN)
    patch_files(sources, target.patches)
    compile_extensions(EXTENSIONS, sources, scratch, out, optional=(_OWN,))
    _check_that_they_load(out, EXTENSIONS)
    try:
        _check_that_they_load(out, (_OWN,))
    except BuildFailed:
        for path in _binaries(out, _OWN):
            path.unlink()


def _check_that_they_load(folder: Path, names: Iterable[str]) -> None:
    """Imports the new binaries in a process of its own: a wrong one must not enter the cache."""
    code = f"import torch, {', '.join(names)}"
    paths = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        tail = "\n".join(result.stderr.splitlines()[-5:])
        raise BuildFailed(f"the extensions were built and do not load:\n{tail}")
