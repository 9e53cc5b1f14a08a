"""Runs many cases under a backend, in a process that is started again when it dies."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from .outcome import Outcome, Verdict

_PATIENCE = 240.0


class Worker:
    """The process that runs the cases of one backend."""

    def __init__(self, backend: str, module: str = f"{__package__}.worker") -> None:
        """
        Args:
            backend: a name in `trial.BACKENDS`.
            module: what the process runs.
        """
        self._command = [sys.executable, "-m", module, backend]
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def run(self, name: str) -> Outcome:
        """What came of the case `name` ("family/number")."""
        process = self._started()
        assert process.stdin is not None, "the process was started with a pipe"
        process.stdin.write(f"{name}\n")
        process.stdin.flush()
        try:
            answer = self._answers.get(timeout=_PATIENCE)
        except queue.Empty:
            self.stop()
            return Outcome(Verdict.DIES, f"no answer within {_PATIENCE:.0f} s")
        if answer:
            return Outcome.from_json(json.loads(answer))
        code = process.wait()
        self._process = None
        return Outcome(Verdict.DIES, f"signal {-code}" if code < 0 else f"exit code {code}")

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            )
            self._answers = queue.Queue()
            threading.Thread(
                target=_listen, args=(self._process, self._answers), daemon=True
            ).start()
        return self._process


def _listen(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    """Passes the lines of `process` on; an empty one says that it ended."""
    assert process.stdout is not None, "the process was started with a pipe"
    for line in process.stdout:
        answers.put(line)
    answers.put("")


def survey(
    names: Sequence[str], backends: Sequence[str], module: str
) -> Iterator[tuple[str, dict[str, Outcome]]]:
    """Runs each case under each backend by the workers of `module`; yields as they are done."""
    workers = {backend: Worker(backend, module) for backend in backends}
    try:
        for name in names:
            yield name, {backend: worker.run(name) for backend, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.stop()
