"""Thousands of steps of the smallest sample: nothing may grow, be exported again, or slow down.

    python -m benchmarks.endurance                     10,000 steps, a few minutes
    python -m benchmarks.endurance --steps 500

Rewrites the sample, trains it in this process, and reads between steps how much memory the process
holds, how many graphs were exported, and which share of a step's time the guards took. Exits with
1 if memory grew by more than `--growth` MB after the first tenth, if a graph was exported in it, or
if the guards took more than `--share` of a step: of each step by itself, the median of all after
the first tenth, so that a machine that is busy for a while slows both alike.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.runtime import TrainingStep, report
from ortwrap.runtime.plans import GraphPlan

SAMPLE = Path(__file__).parents[1] / "samples" / "vae.py"
MB = 2**20
_ROW = "{:>8}{:>10}{:>8}{:>10}{:>9}"


class Enough(Exception):
    """The steps that were asked for have been made."""


@dataclass
class Clock:
    """Seconds spent in calls of the wrapper, and in the graphs that they run."""

    calls: float = 0.0
    graphs: float = 0.0


@dataclass
class Watcher:
    """Reads the process after each optimizer step, a few times all in all.

    Attributes:
        wanted: steps to make.
        clock: see there.
        steps: made so far.
        rows: (steps, MB held, graphs, milliseconds per step, share of the guards) of each reading.
        since: when the last reading was.
        last: when the last step ended.
        shares: what the guards took of each step.
        guards: seconds that they took in all, so far.
    """

    wanted: int
    clock: Clock
    steps: int = 0
    rows: list[tuple[int, float, int, float, float]] = field(default_factory=list)
    since: float = field(default_factory=time.perf_counter)
    last: float = field(default_factory=time.perf_counter)
    guards: float = 0.0
    shares: array.array[float] = field(default_factory=lambda: array.array("d"))

    def __post_init__(self) -> None:
        # In its place from the start: what is measured here is no growth.
        self.shares.extend([0.0] * self.wanted)

    def __call__(self, *_: Any) -> None:
        now, before = time.perf_counter(), self.last
        guards = self.clock.calls - self.clock.graphs
        self.shares[self.steps] = (guards - self.guards) / (now - before)
        self.guards, self.last = guards, now
        self.steps += 1
        part = max(1, self.wanted // 10)
        if self.steps % part == 0:
            seconds = time.perf_counter() - self.since
            share = statistics.median(self.shares[self.steps - part : self.steps])
            self.rows.append((self.steps, held(), graphs(), 1000 * seconds / part, share))
            steps, megabytes, made, per_step, share = self.rows[-1]
            cells = (steps, f"{megabytes:.1f}", made, f"{per_step:.2f}", f"{share:.1%}")
            print(_ROW.format(*cells), file=sys.stderr)
            self.since = time.perf_counter()
        if self.steps >= self.wanted:
            raise Enough


def held() -> float:
    """Megabytes of memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def graphs() -> int:
    """How many graphs the process has exported; 0 also if any step runs eagerly."""
    rows = [row for wrapper in report.of_process()["wrappers"] for row in wrapper["signatures"]]
    return len(rows) if all(row["backend"] == "ort" for row in rows) else 0


def timed(clock: Clock) -> contextlib.ExitStack:
    """Counts, until it is closed, the time of the wrapper's calls and of the graphs in them."""
    stack = contextlib.ExitStack()
    for owner, name, counter in ((TrainingStep, "forward", "calls"), (GraphPlan, "run", "graphs")):
        original = getattr(owner, name)

        def counted(
            *args: Any, _original: Any = original, _counter: str = counter, **kw: Any
        ) -> Any:
            started = time.perf_counter()
            try:
                return _original(*args, **kw)
            finally:
                spent = time.perf_counter() - started
                setattr(clock, _counter, getattr(clock, _counter) + spent)

        setattr(owner, name, counted)
        stack.callback(setattr, owner, name, original)
    return stack


def train(watcher: Watcher, batch_size: int) -> None:
    """Trains the rewritten sample until `watcher` has seen enough."""
    text = rewrite_source(SAMPLE.read_text(), Options()).text
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, SAMPLE.name)
        script.write_text(text)
        sys.argv = [str(script), "--epochs", "1000000", "--batch-size", str(batch_size)]
        space = {"__name__": "__main__", "__file__": str(script)}
        with contextlib.suppress(Enough), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, str(script), "exec"), space)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--growth", type=float, default=5.0, help="MB, default 5")
    parser.add_argument("--share", type=float, default=0.05, help="of a step, default 0.05")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    clock = Clock()
    watcher = Watcher(chosen.steps, clock)
    print(_ROW.format("steps", "MB held", "graphs", "ms/step", "guards"), file=sys.stderr)
    hook = register_optimizer_step_post_hook(watcher)
    with timed(clock):
        train(watcher, chosen.batch_size)
    hook.remove()
    first, last = watcher.rows[0], watcher.rows[-1]
    growth, exported = last[1] - first[1], last[2] - first[2]
    share = statistics.median(watcher.shares[watcher.wanted // 10 : watcher.steps])
    print(
        f"{watcher.steps:,} steps of {SAMPLE.name}, torch {torch.__version__}: "
        f"{growth:+.1f} MB and {exported} more graphs after the first tenth; "
        f"guards {share:.1%} of a step"
    )
    broken = growth > chosen.growth or exported != 0 or last[2] == 0
    sys.exit(broken or share > chosen.share)


if __name__ == "__main__":
    main()
