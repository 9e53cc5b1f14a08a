"""The recorder: hooks backward and the optimizers, and stops the script after enough steps."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Callable

import torch
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from ortwrap.proof.recorder.config import RecorderConfig
from ortwrap.proof.recorder.executed import loss_computed_in_graph, ran_on_ort
from ortwrap.proof.recorder.modules import Roots, snapshot
from ortwrap.proof.recorder.trained import Trained


class EnoughSteps(SystemExit):
    """Ends the script once its steps are recorded; `except Exception` does not catch it."""


class Recorder:
    """Records one process. Everything it costs is taken off the step times."""

    def __init__(self, config: RecorderConfig) -> None:
        self._config = config
        self._roots = Roots(config.transparent)
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._trained = Trained()
        self._losses: list[torch.Tensor] = []
        self._loss_steps: list[int] = []
        self._loss_on_ort: list[bool] = []
        self._loss_in_graph: list[bool] = []
        self._step_seconds: list[float] = []
        self._grad_norms: list[tuple[int, torch.Tensor]] = []
        self._stepping: list[Optimizer] = []
        self._backward_depth = 0
        self._exception: str | None = None
        self._written = False
        self._started = time.time()
        self._own_seconds = 0.0
        self._clock_from = time.perf_counter()

    # ------------------------------------------------------------------ hooks

    def install(self) -> None:
        """Hook backward, every optimizer, forks, uncaught exceptions and the exit."""
        # Tensor.backward looks this function up at each call, so one hook sees both.
        torch.autograd.backward = self._recording(torch.autograd.backward)
        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)
        sys.excepthook = self._noting(sys.excepthook)
        atexit.register(self._finish)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _recording(self, backward: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(backward)
        def recorded(tensors: Any, *args: Any, **kwargs: Any) -> None:
            # Checkpointing runs a backward inside the backward; it is no loss of the script's.
            if self._backward_depth == 0:
                with self._off_the_clock():
                    self._note_loss(tensors)
            self._backward_depth += 1
            try:
                backward(tensors, *args, **kwargs)
            finally:
                self._backward_depth -= 1

        return recorded

    def _noting(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        def noted(
            kind: type[BaseException], error: BaseException, trace: TracebackType | None
        ) -> None:
            text = "".join(traceback.format_exception_only(kind, error)).strip()
            frames = traceback.extract_tb(trace)
            mine = bool(frames) and Path(frames[-1].filename).parent == Path(__file__).parent
            self._exception = f"an error of ortwrap's recorder: {text}" if mine else text
            hook(kind, error, trace)

        return noted

    # ------------------------------------------------------------------ events

    def _note_loss(self, tensors: Any) -> None:
        each = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        for tensor in each:
            value = tensor.detach()
            self._losses.append(value.clone() if value.numel() == 1 else value.mean())
            self._loss_steps.append(len(self._step_seconds))
            self._loss_on_ort.append(ran_on_ort(tensor))
            self._loss_in_graph.append(loss_computed_in_graph(tensor))

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        # A step that raised never came to its post hook.
        if optimizer in self._stepping:
            del self._stepping[self._stepping.index(optimizer) :]
        self._stepping.append(optimizer)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        _wait_for_devices()
        now = time.perf_counter()
        if self._stepping:
            self._stepping.pop()
        if self._stepping:
            return  # an optimizer inside another's step: the outer one counts
        if self._written:
            self._leave_at_once()
        self._step_seconds.append(now - self._clock_from - self._own_seconds)
        self._note_step(optimizer)
        if len(self._step_seconds) >= self._config.steps:
            self._stop()
        self._own_seconds = 0.0
        self._clock_from = time.perf_counter()

    def _note_step(self, optimizer: Optimizer) -> None:
        if self._trained.is_new(optimizer):
            self._trained.add(optimizer)
            self._roots.add_owners(self._trained.parameters())
        self._grad_norms.append(self._trained.grad_norms(optimizer))
        self._show_progress()

    @contextlib.contextmanager
    def _off_the_clock(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._own_seconds += time.perf_counter() - start

    # ------------------------------------------------------------------ the end

    def _stop(self) -> None:
        self._write()
        if threading.current_thread() is not threading.main_thread():
            self._leave_at_once()
        raise EnoughSteps(0)

    def _leave_at_once(self) -> None:
        """For a script that swallowed `EnoughSteps`, or trains in a thread."""
        sys.stdout.flush()
        sys.stderr.flush()
        # ORTWRAP_REPORT is written at exit.
        atexit._run_exitfuncs()
        os._exit(0)

    def _finish(self) -> None:
        recorded = bool(self._losses or self._step_seconds)
        if os.getpid() == self._pid and not self._written and recorded:
            self._write()

    def _show_progress(self) -> None:
        with open(self._path("progress"), "ab") as progress:
            progress.write(b".")

    def _path(self, kind: str) -> Path:
        return Path(self._config.out, f"{_rank()}-{self._pid}.{kind}")

    def _write(self) -> None:
        self._written = True
        content = {
            "rank": _rank(),
            "started": self._started,
            "losses": [float(loss) for loss in self._losses],
            "loss_dtypes": [str(loss.dtype) for loss in self._losses],
            "loss_steps": self._loss_steps,
            "loss_on_ort": self._loss_on_ort,
            "loss_in_graph": self._loss_in_graph,
            "step_seconds": self._step_seconds,
            "grad_norms": [(index, snapshot(norms)) for index, norms in self._grad_norms],
            "peak_memory": _peak_memory(),
            "threads": torch.get_num_threads(),
            "exception": self._exception,
            **self._trained.state(dict(self._roots.named())),
        }
        unfinished = self._path("unfinished")
        torch.save(content, unfinished)
        os.replace(unfinished, self._path("recording"))


def _wait_for_devices() -> None:
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()


def _rank() -> int:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    return int(os.environ.get("RANK", "0"))


def _peak_memory() -> int | None:
    """Largest resident size of this process in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
