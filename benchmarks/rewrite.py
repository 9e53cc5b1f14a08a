"""How long `ortwrap rewrite` takes, beside public tools that read the same files.

    python -m benchmarks.rewrite                 one script, cold
    python -m benchmarks.rewrite --tree          300 files of a library as well

The runs of all tools alternate, so that a busy machine is as bad for all of them. Each has run once
before, so that all have their bytecode, as pip leaves it. A tool that is not installed is left out
and named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "samples" / "accumulate_and_checkpoint.py"
TREE_FILES = 300

_NO_OP = """\
from libcst.codemod import VisitorBasedCodemodCommand


class NoOp(VisitorBasedCodemodCommand):
    DESCRIPTION = "changes nothing"
"""


@dataclass(frozen=True)
class Tool:
    """A command to time.

    Attributes:
        name: as the table shows it.
        command: its arguments before the files.
        exit_codes: of a run that did its work.
    """

    name: str
    command: tuple[str, ...]
    exit_codes: tuple[int, ...] = (0,)

    @property
    def installed(self) -> bool:
        """Whether the program is there."""
        return shutil.which(self.command[0]) is not None

    def seconds(self, files: Sequence[str], cwd: Path) -> float:
        """Wall time of one run in a fresh process."""
        start = time.perf_counter()
        done = subprocess.run(
            [*self.command, *files],
            cwd=cwd,
            env={
                **{key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"},
                "PYTHONPATH": str(ROOT),
                "PYTHONPYCACHEPREFIX": str(cwd / "bytecode"),
                "ORTWRAP_CACHE": tempfile.mkdtemp(dir=cwd),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - start
        if done.returncode not in self.exit_codes or "No module named" in done.stderr:
            raise RuntimeError(f"{self.name} failed with {done.returncode}:\n{done.stderr[-2000:]}")
        return took


def tools(*, many: bool) -> list[Tool]:
    """ortwrap first; for many files as its hook runs it, without its cache's help."""
    here = Path(sys.executable).parent
    ours = (sys.executable, "-m", "ortwrap", "rewrite", *(("--check",) if many else ()))
    no_op = (sys.executable, "-m", "libcst.tool", "codemod", "no_op.NoOp")
    return [
        Tool("ortwrap rewrite --check" if many else "ortwrap rewrite", ours, (0, 1)),
        *([] if many else [Tool("libcst codemod, no-op", no_op)]),
        Tool("torchfix", (str(here / "torchfix"),), (0, 1)),
        Tool("pyupgrade", (str(here / "pyupgrade"),), (0, 1)),
    ]


def measure(
    candidates: Sequence[Tool], files: Sequence[str], cwd: Path, runs: int
) -> dict[str, list[float]]:
    """Seconds of each run of each tool; they take turns."""
    times: dict[str, list[float]] = {tool.name: [] for tool in candidates}
    for tool in candidates:
        tool.seconds(files[:1], cwd)
    for _ in range(runs):
        for tool in candidates:
            times[tool.name].append(tool.seconds(files, cwd))
    return times


def report(title: str, times: dict[str, list[float]]) -> None:
    """A table of medians, and ratios to the first tool."""
    ours = statistics.median(next(iter(times.values())))
    print(f"\n{title}")
    print(f"{'':28}{'median':>10}{'fastest':>10}{'to ours':>10}")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:28}{median:>8.2f} s{min(seconds):>8.2f} s{median / ours:>9.2f}x")


def one_script(runs: int) -> None:
    """Cold runs over one training script."""
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        shutil.copy(SCRIPT, cwd / "train.py")
        (cwd / ".libcst.codemod.yaml").write_text("modules: ['commands']\n")
        (cwd / "commands").mkdir()
        (cwd / "commands" / "__init__.py").touch()
        (cwd / "commands" / "no_op.py").write_text(_NO_OP)
        lines = SCRIPT.read_text().count("\n")
        times = measure(_installed(many=False), ["train.py"], cwd, runs)
    report(f"{SCRIPT.name}, {lines} lines, cold, median of {runs} runs", times)


def a_tree(runs: int) -> None:
    """Check-only runs over a library's files: the installed torch's own."""
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        names, lines = [], 0
        for index, path in enumerate(_library()):
            name = f"{index:03}_{path.name}"
            shutil.copy(path, cwd / name)
            names.append(name)
            lines += path.read_text(encoding="utf-8").count("\n")
        times = measure(_installed(many=True), names, cwd, runs)
    report(f"{len(names)} files, {lines:,} lines, median of {runs} runs", times)


def _installed(*, many: bool) -> list[Tool]:
    candidates = tools(many=many)
    for tool in candidates:
        if not tool.installed:
            print(f"not installed, left out: {tool.name}", file=sys.stderr)
    return [tool for tool in candidates if tool.installed]


def _library() -> Iterator[Path]:
    """A part of torch that holds training code too, the same files on every run."""
    from importlib.util import find_spec

    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        raise SystemExit("--tree needs torch, whose files it reads")
    home = Path(spec.origin).parent
    folders = ("optim", "nn", "distributed", "autograd", "utils", "ao", "fx", "testing")
    found = [path for name in folders for path in sorted((home / name).rglob("*.py"))]
    usual = [path for path in found if 7_000 < path.stat().st_size < 40_000]
    yield from usual[:TREE_FILES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=7, help="of one script (default 7)")
    parser.add_argument("--tree", action="store_true", help="also 300 files, which takes minutes")
    args = parser.parse_args()
    one_script(args.runs)
    if args.tree:
        a_tree(runs=1)


if __name__ == "__main__":
    main()
