"""Which pairs of Python and torch work, tried one after the other in environments of their own.

    python -m benchmarks.compatibility 3.10:2.9.1 3.12:2.13.0
    python -m benchmarks.compatibility --keep /tmp/pairs 3.9:2.8.0

For each pair it makes a virtual environment with that torch from the package index (of some, a
build with several GB of CUDA packages), onnxruntime-training-cpu and this checkout; lets `ortwrap
doctor --fix` build the extensions; runs the tests of the engine; proves two samples with `ortwrap
verify`; and trains the models and operators of a few families beside eager. It prints a row of
docs/compatibility.md for each and deletes the environment. Exits with 1 if anything failed.
A Python is `python3.10` on the path, or pyenv's.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LIMIT_SECONDS = 3_600
_ENGINE = ("tests/engine/test_cases.py", "tests/engine/test_any_python.py")
_SAMPLES = ("vae.py", "image_classifier.py")
_MODELS = ("VAE", "LSTM tagger", "TransformerEncoder LM", "U-Net")
_OPERATORS = ("losses",)
_HEAD = (
    "| Python | torch | doctor | engine tests | verify | models | operators | minutes |\n"
    "|---|---|---|---|---|---|---|---:|"
)
_VERSIONS = "import torch; print(torch.__version__, torch.version.cuda or 'CPU')"


@dataclass(frozen=True)
class Check:
    """What one command came to, in a few words."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Environment:
    """A virtual environment with one torch in it."""

    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment, in the checkout."""
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        }
        return subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            cwd=ROOT,
            env={**variables, "PYTHONNOUSERSITE": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_SECONDS,
            check=False,
        )

    def install(self, torch: str) -> Check:
        """torch and what is needed beside it."""
        for packages in ((f"torch=={torch}", "numpy"), ("onnxruntime-training-cpu==1.19.2",), ()):
            more = packages or ("-e", ".", "onnx", "ninja", "setuptools", "pytest")
            done = self.run("pip", "install", "-q", *more)
            if done.returncode:
                return Check(False, _last_line(done))
        return Check(True, self.run("python", "-c", _VERSIONS).stdout.strip())

    def checks(self) -> Iterator[Check]:
        """What docs/compatibility.md says of a pair, column by column."""
        yield _by_exit(self.run("ortwrap", "doctor", "--fix"))
        yield _by_exit(self.run("pytest", "-q", "-m", "not ort", *_ENGINE))
        yield self._verified()
        for module, names in (("zoo", _MODELS), ("operators.coverage", _OPERATORS)):
            command = ("-m", f"ortwrap.runtime.{module}", "--backend", "ortwrap", "--only", *names)
            yield _counted(self.run("python", *command), r"ortwrap(?:, float64)? +(.*)")

    def _verified(self) -> Check:
        words = []
        for sample in _SAMPLES:
            done = self.run("ortwrap", "verify", "--steps", "5", f"samples/{sample}")
            words.append(_by_exit(done).text)
        return Check(set(words) == {"ok"}, ", ".join(dict.fromkeys(words)))


def _by_exit(done: subprocess.CompletedProcess[str]) -> Check:
    return Check(True, "ok") if done.returncode == 0 else Check(False, _last_line(done))


def _counted(done: subprocess.CompletedProcess[str], pattern: str) -> Check:
    found = re.findall(pattern, done.stdout)
    return Check(done.returncode == 0, "; ".join(found) or _last_line(done))


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines() or [f"exit {done.returncode}"]
    return lines[-1].replace("|", "/")[:160]


def _interpreter(version: str) -> str:
    """The Python of that version.

    Raises:
        LookupError: there is none.
    """
    found = shutil.which(f"python{version}")
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if pyenv:
        return str(pyenv[-1])
    if found is None:
        raise LookupError(f"no Python {version} here")
    return found


def row(python: str, torch: str, folder: Path) -> tuple[str, bool]:
    """A row of the table, and whether all of it worked."""
    started = time.monotonic()
    try:
        subprocess.run([_interpreter(python), "-m", "venv", str(folder)], check=True)
        environment = Environment(folder)
        installed = environment.install(torch)
        checks = list(environment.checks()) if installed.ok else []
    except (LookupError, OSError, subprocess.SubprocessError) as error:
        installed, checks = Check(False, f"{type(error).__name__}: {error}"), []
    minutes = (time.monotonic() - started) / 60
    cells = [python, torch if not installed.ok else installed.text]
    cells += [check.text for check in checks] or [installed.text, *["-"] * 4]
    return f"| {' | '.join(cells)} | {minutes:.0f} |", installed.ok and all(
        check.ok for check in checks
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", nargs="+", metavar="PYTHON:TORCH")
    parser.add_argument("--keep", type=Path, help="leave the environments in this folder")
    chosen = parser.parse_args()
    print(_HEAD, flush=True)
    all_worked = True
    for pair in chosen.pairs:
        python, _, torch = pair.partition(":")
        with tempfile.TemporaryDirectory(prefix="ortwrap-pair-") as scratch:
            folder = Path(chosen.keep or scratch) / pair.replace(":", "-")
            text, worked = row(python, torch, folder)
        print(text, flush=True)
        all_worked = all_worked and worked
    sys.exit(not all_worked)


if __name__ == "__main__":
    main()
