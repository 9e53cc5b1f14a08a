"""Compiles a copy of ORTModule's extension sources with the setup scripts that come with them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_TAIL_LINES = 25


class BuildFailed(RuntimeError):
    """The compiler, or what drives it, failed; the message ends with the end of its output."""


def compile_extensions(
    names: Iterable[str], sources: Path, work: Path, out: Path, optional: Iterable[str] = ()
) -> None:
    """Builds the extensions `names` from `sources/cpu/<name>` into `out`, at the same time.

    Args:
        names: those that must be had.
        sources: where they lie.
        work: for what comes between.
        out: gets the binaries.
        optional: those whose failure is no failure.

    Raises:
        BuildFailed: with the tail of the compiler's output.
    """
    needed = [_Compilation.start(name, sources, work, out) for name in names]
    others = [_Compilation.start(name, sources, work, out) for name in optional]
    try:
        for compilation in needed:
            compilation.finish()
        for compilation in others:
            with contextlib.suppress(BuildFailed):
                compilation.finish()
    finally:
        for compilation in (*needed, *others):
            compilation.stop()


class _Compilation:
    """One setup script in a process of its own, its output in a file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self._name = name
        self._process = process
        self._log = log

    @classmethod
    def start(cls, name: str, sources: Path, work: Path, out: Path) -> _Compilation:
        setup_script = sources / "cpu" / name / "setup.py"
        log = work / f"{name}.log"
        command = [sys.executable, str(setup_script), "build_ext"]
        command += ["--build-lib", str(out), "--build-temp", str(work / name)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=work,
                env=_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # The compilers that it starts belong to it, and end with it.
                start_new_session=True,
            )
        return cls(name, process, log)

    def finish(self) -> None:
        code = self._process.wait()
        if code == 0:
            return
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
        raise BuildFailed(f"building '{self._name}' failed with exit status {code}:\n{tail}")

    def stop(self) -> None:
        if self._process.poll() is not None:
            return
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
        else:
            self._process.terminate()
        self._process.wait()


def _environment() -> dict[str, str]:
    """The caller's environment, with the tools of this interpreter's own environment in reach.

    ninja from pip lies beside the interpreter, which is not on PATH unless the virtual
    environment was activated. Python's own flags ask for debug information, of which nobody
    here has a use and which is most of the binary.
    """
    path = os.pathsep.join(filter(None, (str(tools_dir()), os.environ.get("PATH"))))
    cflags = " ".join(filter(None, (os.environ.get("CFLAGS"), "-g0")))
    return {**os.environ, "PATH": path, "CFLAGS": cflags}


def tools_dir() -> Path:
    """Where pip puts the programs of this interpreter's environment."""
    return Path(sys.executable).parent
