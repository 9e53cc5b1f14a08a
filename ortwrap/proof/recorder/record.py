"""The recorder: hooks backward and the optimizers, and stops the script after enough steps."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
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

from ortwrap.proof.recorder.by_hand import UpdatedByHand
from ortwrap.proof.recorder.config import RecorderConfig
from ortwrap.proof.recorder.nudge import Nudge
from ortwrap.proof.recorder.optimizers import when_optimizer_is_made
from ortwrap.proof.recorder.tape import Tape

# So many backwards may come before the first step of an optimizer that is there.
_ACCUMULATED_AT_MOST = 256


class EnoughSteps(SystemExit):
    """Ends the script once its steps are recorded; `except Exception` does not catch it."""


class Recorder:
    """Records one process. Everything it costs is taken off the step times."""

    def __init__(self, config: RecorderConfig) -> None:
        self._config = config
        self._nudge = Nudge(config.nudge)
        self._has_optimizer = False
        self._is_fork = False
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._tape = Tape(self._config.transparent, self._config.only_time)
        # Until an optimizer steps, every backward may turn out to be a step.
        self._by_hand: UpdatedByHand | None = UpdatedByHand(self._tape.roots)
        self._is_updating = False
        self._stepping: list[Optimizer] = []
        self._backward_depth = 0
        self._exception: str | None = None
        self._written = False
        self._own_seconds = 0.0
        self._clock_from = time.perf_counter()

    # ------------------------------------------------------------------ hooks

    def install(self) -> None:
        """Hook backward, every optimizer, forks, uncaught exceptions and the exit."""
        # Tensor.backward looks this function up at each call, so one hook sees both.
        torch.autograd.backward = self._recording(torch.autograd.backward)
        if self._config.nudge:
            self._nudge.at_every_step()
        when_optimizer_is_made(self._on_optimizer)
        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)
        sys.excepthook = self._noting(sys.excepthook)
        atexit.register(self._finish)
        setattr(os, "_exit", self._finishing(os._exit))  # noqa: B010
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_as_fork)

    def _begin_as_fork(self) -> None:
        """The runtime's own report is that of the process that imported it."""
        self._is_fork = True
        self._reset()

    def _recording(self, backward: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(backward)
        def recorded(tensors: Any, *args: Any, **kwargs: Any) -> None:
            # Checkpointing runs a backward inside the backward; it is no loss of the script's.
            if self._backward_depth == 0:
                with self._off_the_clock():
                    self._end_step_by_hand()
                    self._tape.note_losses(tensors)
            self._backward_depth += 1
            try:
                backward(tensors, *args, **kwargs)
            finally:
                self._backward_depth -= 1
            if self._backward_depth == 0:
                with self._off_the_clock():
                    self._begin_step_by_hand()

        return recorded

    def _finishing(self, leave: Callable[[int], Any]) -> Callable[[int], Any]:
        @functools.wraps(leave)
        def left(status: int) -> Any:
            """`os._exit` runs no exit functions; those of ours shall run all the same."""
            self._finish()
            self._write_report()
            return leave(status)

        return left

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

    # ------------------------------------------------------------------ steps by hand

    def _on_optimizer(self, optimizer: Optimizer) -> None:
        self._has_optimizer = True

    def _begin_step_by_hand(self) -> None:
        """A backward is over: what changes the weights until the next one makes its step."""
        if self._by_hand is None:
            return
        self._by_hand.after_backward()
        self._tape.note_start(self._by_hand)
        self._tape.note_gradients(self._by_hand)
        self._tape.note_modes()
        self._is_updating = True

    def _end_step_by_hand(self) -> None:
        if self._by_hand is None or not self._is_updating:
            return
        if self._written:
            self._leave_at_once()
        self._is_updating = False
        self._tape.note_step(self._by_hand, self._lap())
        if self._has_optimizer:
            patience = _ACCUMULATED_AT_MOST
        else:
            patience = 0
            self._nudge(self._by_hand)
            self._show_progress()
        if self._tape.steps >= self._config.steps + patience:
            self._stop()

    # ------------------------------------------------------------------ steps of optimizers

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        # A step that raised never came to its post hook.
        if optimizer in self._stepping:
            del self._stepping[self._stepping.index(optimizer) :]
        self._stepping.append(optimizer)
        if len(self._stepping) > 1:
            return  # an optimizer inside another's step: the outer one counts
        with self._off_the_clock():
            if self._by_hand is not None:
                self._by_hand = None
                # All backwards before it belong to this one step.
                self._clock_from -= self._tape.seconds
                self._tape.forget_steps()
            self._tape.note_start(optimizer)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        _wait_for_devices()
        if self._stepping:
            self._stepping.pop()
        if self._stepping:
            return
        if self._written:
            self._leave_at_once()
        seconds = self._lap()
        with self._off_the_clock():
            self._tape.note_gradients(optimizer)
            self._tape.note_step(optimizer, seconds)
            self._tape.find_owners()
            self._tape.note_modes()
            self._show_progress()
            if self._tape.steps >= self._config.steps:
                self._stop()

    # ------------------------------------------------------------------ the clock

    def _lap(self) -> float:
        """Seconds of the script's own since the last step."""
        now = time.perf_counter()
        seconds = now - self._clock_from - self._own_seconds
        self._own_seconds = 0.0
        self._clock_from = now
        return seconds

    @contextlib.contextmanager
    def _off_the_clock(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        # Of a time before the last lap, only what came after it counts.
        self._own_seconds += time.perf_counter() - max(start, self._clock_from)

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
        if os.getpid() != self._pid or self._written or self._tape.is_empty:
            return
        if self._by_hand is not None and self._is_updating:
            self._is_updating = False
            self._tape.note_step(self._by_hand, self._lap())
        self._write()

    def _show_progress(self) -> None:
        with open(self._path("progress"), "ab") as progress:
            progress.write(b".")

    def _path(self, kind: str) -> Path:
        return Path(self._config.out, f"{_rank()}-{self._pid}.{kind}")

    def _write(self) -> None:
        self._written = True
        self._tape.write(
            self._path("recording"),
            rank=_rank(),
            steps_by="optimizer" if self._by_hand is None else "backward",
            peak_memory=_peak_memory(),
            threads=torch.get_num_threads(),
            compiled_frames=_compiled_frames(),
            exception=self._exception,
        )
        # A process of several may be killed by its launcher before its exit functions ran.
        self._write_report()

    def _write_report(self) -> None:
        """`$ORTWRAP_REPORT`, which the runtime writes at exit."""
        report = sys.modules.get("ortwrap.runtime.report")
        if report is None:
            return
        if self._is_fork and not self._tape.is_empty:
            self._path("report").write_text(json.dumps(report.of_process()), encoding="utf-8")
        report.write()


def _wait_for_devices() -> None:
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()


def _compiled_frames() -> int:
    """How many functions torch.compile has compiled in this process."""
    utils = sys.modules.get("torch._dynamo.utils")
    return int(utils.counters["frames"]["ok"]) if utils is not None else 0


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
