"""Where the time of a step goes: a row for each part, beside the same step run eagerly.

    python -m benchmarks.step [--steps N]

Each part is timed without those inside of it, step by step; a row is the median over the steps, in
microseconds. The timers themselves cost about one microsecond each. What grows with the model is
what ONNX Runtime and torch compute; the rest is the fixed cost of a step.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Callable

import torch
from torch import Tensor, nn

from ortwrap.runtime import dispatch, ort_module, signature
from ortwrap.runtime.export import Graph
from ortwrap.runtime.guards import Guards
from ortwrap.runtime.operators.calls import TorchCall
from ortwrap.runtime.plans import GraphPlan

from .guards import MODELS, Batch, Step

# Part -> what it is, in the order in which a step goes through them.
PARTS = {
    "call": "the call of the module, and all that has no row of its own",
    "arguments": "taking the arguments apart: their signature",
    "guards": "looking for changes of Python state, and for the graph that fits",
    "labels": "looking at the labels",
    "plan": "checks of the graph, copies of buffers, putting the result together",
    "binding": "torch's autograd, and handing the inputs to ONNX Runtime and its outputs back",
    "forward graph": "ONNX Runtime's forward",
    "torch in forward": "operators of torch inside of it, called from Python",
    "backward": "torch's engine, handing gradients over, adding them to the parameters'",
    "backward graph": "ONNX Runtime's backward, operators of torch inside of it included",
}


class Timers:
    """The time of each part, without the parts inside of it."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What runs inside is `name`, but for parts inside of that."""
        self._inside.append(0.0)
        started = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - started
            self.spent[name] += took - self._inside.pop()
            if self._inside:
                self._inside[-1] += took

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, timed as `name`."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        return timed


class TimedAgent:
    """ONNX Runtime's training agent, its two halves timed."""

    def __init__(self, agent: Any, timers: Timers) -> None:
        self.run_forward = timers.around("forward graph", agent.run_forward)
        self.run_backward = timers.around("backward graph", agent.run_backward)


@contextmanager
def timed(timers: Timers, graphs: list[Graph]) -> Iterator[None]:
    """Times the parts of every step inside."""
    rows: list[tuple[Any, str, str]] = [
        (signature, "of_arguments", "arguments"),
        (Guards, "look", "guards"),
        (dispatch.Dispatcher, "_family", "guards"),
        (dispatch, "look_at", "labels"),
        (GraphPlan, "run", "plan"),
        (Graph, "__call__", "binding"),
        (TorchCall, "__call__", "torch in forward"),
    ]
    with ExitStack() as undo:
        for owner, attribute, name in rows:
            original = getattr(owner, attribute)
            undo.callback(setattr, owner, attribute, original)
            setattr(owner, attribute, timers.around(name, original))
        for graph in graphs:
            executor = graph._manager._execution_agent
            undo.callback(setattr, executor, "_training_agent", executor._training_agent)
            executor._training_agent = TimedAgent(executor._training_agent, timers)
        yield


def measure(make: Callable[[], tuple[nn.Module, Batch]], steps: int) -> dict[str, float]:
    """Seconds of each part, of all of them, and of the step run eagerly."""
    model, batch = make()
    step = ort_module(Step, model, nn.CrossEntropyLoss())
    eager = Step(model, nn.CrossEntropyLoss())
    for _ in range(4):
        step(*batch).backward()
        eager(*batch).backward()
    plans = [plan for plan in step._dispatcher.plans() if isinstance(plan, GraphPlan)]
    if not plans:
        sys.exit(f"it does not run on ONNX Runtime here: {step.report()}")
    found: defaultdict[str, list[float]] = defaultdict(list)
    with timed(timers := Timers(), [plan.graph for plan in plans]):
        for _ in range(steps):
            model.zero_grad()
            timers.spent.clear()
            _one(timers, step, batch)
            for name in PARTS:
                found[name].append(timers.spent[name])
            found["sum"].append(sum(timers.spent.values()))
            model.zero_grad()
            started = time.perf_counter()
            eager(*batch).backward()
            found["eager"].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in found.items()}


def _one(timers: Timers, step: Callable[..., Tensor], batch: Batch) -> None:
    with timers.part("call"):
        loss = step(*batch)
    with timers.part("backward"):
        loss.backward()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="steps to time (default: 200)")
    steps = parser.parse_args().steps
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, median of {steps} steps")
    columns = {name: measure(make, steps) for name, make in MODELS.items()}
    print(f"{'microseconds':<18}" + "".join(f"{name:>26}" for name in columns))
    for part in (*PARTS, "sum", "eager"):
        cells = "".join(f"{column[part] * 1e6:>26.0f}" for column in columns.values())
        print(f"{part:<18}{cells}  {PARTS.get(part, '')}".rstrip())


if __name__ == "__main__":
    main()
