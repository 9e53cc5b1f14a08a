"""Runs a command under the recorder, and leaves no process behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Callable

import ortwrap.proof.inject
from ortwrap.proof.background import Background
from ortwrap.proof.guardian import end, guarded
from ortwrap.proof.printed import Printed, PrintedLosses
from ortwrap.proof.recorder.config import VARIABLE, RecorderConfig
from ortwrap.proof.terminal import silent_terminal

_INJECTED = str(Path(ortwrap.proof.inject.__file__).parent)
_TAIL_BYTES = 2**16
_POLL_SECONDS = 0.05
# How long a script whose steps are recorded may take to end by itself.
_GRACE_SECONDS = 30.0
_TERM_SECONDS = 3.0
_DRAIN_SECONDS = 10.0

OnSteps = Callable[[int], None]


@dataclass(frozen=True)
class Ended:
    """How a recorded process ended.

    Attributes:
        returncode: as subprocess gives it; negative for a signal.
        timed_out: it was killed for taking longer than it was allowed.
        output: the last lines of its standard output and error, as they came.
        seconds: how long it ran.
        printed: the losses in its output.
    """

    returncode: int
    timed_out: bool
    output: str
    seconds: float
    printed: tuple[Printed, ...] = ()

    @property
    def signal_name(self) -> str | None:
        """`SIGFPE` and the like when a signal ended it."""
        if self.returncode >= 0:
            return None
        try:
            return signal.Signals(-self.returncode).name
        except ValueError:
            return f"signal {-self.returncode}"


def run_recorded(
    command: Sequence[str],
    *,
    cwd: Path,
    config: RecorderConfig,
    search_first: Path | None = None,
    timeout: float | None = None,
    on_steps: OnSteps = lambda steps: None,
    translate: Callable[[str], str] = lambda path: path,
) -> Ended:
    """Run `command` until it ends, is stopped by its recorder, or takes too long.

    Args:
        command: what its user would type.
        cwd: the folder to start it in.
        config: what its recorder shall do; recordings land in `config.out`.
        search_first: folder that imports are looked up in before installed packages;
            an installed package must not hide the copy of it that is run.
        timeout: seconds after which it is killed.
        on_steps: called now and then with the number of steps made so far.
        translate: where the copy of a folder on PYTHONPATH is.

    Raises:
        KeyboardInterrupt: after everything started here was ended.
    """
    out = Path(config.out)
    config.write(out / "config.json")
    started = time.monotonic()
    losses = PrintedLosses()
    mark = f"{VARIABLE}={out / 'config.json'}"
    with silent_terminal() as terminal, guarded(mark) as guard:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=_environment(out / "config.json", search_first, translate),
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
        with _tail_of(process.stdout, losses) as tail, _ended_at_last(process, mark):
            guard(process.pid)
            background = Background(out, mark)
            timed_out = _wait(process, background, out, config.steps, timeout, on_steps)
    return Ended(
        returncode=process.returncode,
        timed_out=timed_out,
        output=tail.decode("utf-8", "replace"),
        seconds=time.monotonic() - started,
        printed=losses.all(),
    )


def _environment(
    config: Path, search_first: Path | None, translate: Callable[[str], str]
) -> dict[str, str]:
    environment = dict(os.environ)
    inherited = map(translate, filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
    path = [_INJECTED, *([str(search_first)] if search_first else []), *inherited]
    environment.update(
        {
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONHASHSEED": "0",
            VARIABLE: str(config),
        }
    )
    # A run that is only compared opens no window and is no experiment to log.
    for name, value in {"MPLBACKEND": "Agg", "WANDB_MODE": "disabled"}.items():
        environment.setdefault(name, value)
    return environment


def _wait(
    process: subprocess.Popen[bytes],
    background: Background,
    out: Path,
    steps: int,
    timeout: float | None,
    on_steps: OnSteps,
) -> bool:
    """Wait for the end; whether it had to be forced for taking too long."""
    deadline = time.monotonic() + timeout if timeout else float("inf")
    recorded_by = float("inf")
    while process.poll() is None or (process.returncode == 0 and background.trains()):
        time.sleep(_POLL_SECONDS)
        now = time.monotonic()
        on_steps(_steps_made(out))
        if recorded_by == float("inf") and _steps_made(out) >= steps:
            recorded_by = now + _GRACE_SECONDS
        if now > deadline:
            return True
        if now > recorded_by:
            return False  # everything is recorded; it only does not want to end
    on_steps(_steps_made(out))
    return False


def _steps_made(out: Path) -> int:
    """Steps made by the process that is furthest behind."""
    return min((path.stat().st_size for path in out.glob("*.progress")), default=0)


def steps_of_the_lost(out: Path) -> int | None:
    """Steps that a process made which left no recording; None when all did."""
    lost = [path for path in out.glob("*.progress") if not path.with_suffix(".recording").exists()]
    return min((path.stat().st_size for path in lost), default=None)


@contextlib.contextmanager
def _tail_of(stream: IO[bytes] | None, losses: PrintedLosses) -> Iterator[bytearray]:
    """Drain a pipe in a thread, keeping its end only: a script may print without limit."""
    tail = bytearray()

    def drain() -> None:
        assert stream is not None
        for chunk in iter(lambda: os.read(stream.fileno(), 2**16), b""):
            losses.feed(chunk)
            tail.extend(chunk)
            del tail[:-_TAIL_BYTES]

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    yield tail
    # A process that nobody can find any more may hold the pipe open for ever.
    thread.join(timeout=_DRAIN_SECONDS)


@contextlib.contextmanager
def _ended_at_last(process: subprocess.Popen[bytes], mark: str) -> Iterator[None]:
    """Whatever happens inside, end the process and all it started, which `mark` tells."""
    try:
        yield
    finally:
        if process.poll() is None:
            _ask_to_end(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_TERM_SECONDS)
        if os.name == "posix":
            end(process.pid, mark)
        else:
            process.kill()
        process.wait()


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()
