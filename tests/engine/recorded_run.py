"""Run a script as `python script.py` does, in this process, and keep what its training did."""

from __future__ import annotations

import contextlib
import linecache
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from ortwrap.runtime.module import TrainingStep


@dataclass
class Run:
    """What a script's training did.

    Attributes:
        losses: the value of every tensor that `backward` was called on.
        steps: the parameters after every optimizer step.
        state: state_dict of the modules that are left in the script's globals.
        printed: what the script wrote to standard output.
    """

    losses: list[torch.Tensor] = field(default_factory=list)
    steps: list[list[torch.Tensor]] = field(default_factory=list)
    state: dict[str, torch.Tensor] = field(default_factory=dict)
    printed: str = ""


def run(text: str, path: Path) -> Run:
    """Execute a script's text as `__main__`, from a fixed seed, beside the files it imports.

    Args:
        text: the script.
        path: where it stands, for its imports and for tracebacks.
    """
    torch.manual_seed(0)
    random.seed(0)
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
    # Who asks for the source of a function is to find it in this text.
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    # A file, since ORTModule by itself redirects the descriptor behind standard output.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        with _recorded() as recorded, _imports_beside(path), contextlib.redirect_stdout(printed):
            exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
        printed.seek(0)
        recorded.printed = printed.read()
    recorded.state = dict(_state(namespace))
    return recorded


@contextlib.contextmanager
def _recorded() -> Iterator[Run]:
    record = Run()
    backward = torch.autograd.backward
    running = []

    def recording_backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        # Checkpointing runs a backward inside the backward; it is no loss of the script's.
        if not running:
            losses = [tensors] if isinstance(tensors, torch.Tensor) else tensors
            record.losses.extend(loss.detach().clone() for loss in losses)
        running.append(tensors)
        try:
            backward(tensors, *args, **kwargs)
        finally:
            running.pop()

    def after_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        groups = (group["params"] for group in optimizer.param_groups)
        record.steps.append([param.detach().clone() for group in groups for param in group])

    handle = register_optimizer_step_post_hook(after_step)
    # Tensor.backward looks it up at each call, so one hook sees both.
    torch.autograd.backward = recording_backward
    try:
        yield record
    finally:
        torch.autograd.backward = backward
        handle.remove()


@contextlib.contextmanager
def _imports_beside(path: Path) -> Iterator[None]:
    """The script's folder is importable, and what it imports from there is forgotten again."""
    known = set(sys.modules)
    sys.path.insert(0, str(path.parent))
    try:
        yield
    finally:
        sys.path.remove(str(path.parent))
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and path.parent in Path(file).parents:
                del sys.modules[name]


def _state(namespace: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in namespace.items():
        owners = {name: value} if isinstance(value, nn.Module) else getattr(value, "__dict__", {})
        if isinstance(value, (nn.Module, type)) or type(value).__module__ == "__main__":
            for place, owner in dict(owners).items():
                # A step owns nothing of what it trains.
                if isinstance(owner, nn.Module) and not isinstance(owner, TrainingStep):
                    for key, tensor in owner.state_dict().items():
                        yield f"{name}.{place}.{key}", tensor.detach().clone()


def assert_same(before: Run, after: Run, tolerance: float) -> None:
    """The two runs trained alike.

    Args:
        before: of the script as it was.
        after: of the patched script.
        tolerance: absolute and relative, 0 for bit by bit.
    """
    assert before.losses, "the script runs no backward: it tests nothing"
    assert before.steps, "the script takes no optimizer step: it tests nothing"
    close = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    torch.testing.assert_close(after.losses, before.losses, **close)
    torch.testing.assert_close(after.steps, before.steps, **close)
    torch.testing.assert_close(after.state, before.state, **close)
