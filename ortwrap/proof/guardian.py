"""Ends all that a run started, also when whoever started the run was killed.

The runner keeps a guardian beside each run: a small process that reads from a pipe whose other
end only the runner holds. When the pipe closes before the guardian is dismissed, the runner is
gone, and the run goes too. Nothing of ortwrap is imported here, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Callable

# A process that was killed may take a moment to be gone, and may just have started another.
_ROUNDS = 200
_ROUND_SECONDS = 0.01


@contextlib.contextmanager
def guarded(mark: str) -> Iterator[Callable[[int], None]]:
    """While inside, a run dies with this process.

    Args:
        mark: `NAME=value`, which every process of the run has in its environment.

    Yields:
        A function that is to be told the process group of the run.
    """
    if os.name != "posix":
        yield lambda group: None
        return
    guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, mark],
        stdin=subprocess.PIPE,
        start_new_session=True,  # what a terminal sends to this process is not for it
    )
    assert guardian.stdin is not None

    def told(group: int) -> None:
        assert guardian.stdin is not None
        guardian.stdin.write(b"%d\n" % group)
        guardian.stdin.flush()

    try:
        yield told
    except BaseException:
        end(0, mark)  # it may have been interrupted between starting a process and holding it
        raise
    finally:
        guardian.kill()
        guardian.wait()
        guardian.stdin.close()


def end(group: int, mark: str) -> None:
    """Kill a process group, and every process that has `mark` in its environment.

    Those that left the group are found by their environment: the workers of `torchrun` lead
    sessions of their own, and a helper may be a daemon.
    """
    for _ in range(_ROUNDS):
        if group:
            _kill(lambda: os.killpg(group, signal.SIGKILL))
        left = marked(mark)
        for process in left:
            _kill(lambda process=process: os.kill(process, signal.SIGKILL))  # type: ignore[misc]
        if not left:
            return
        time.sleep(_ROUND_SECONDS)


def _kill(kill: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill()


def marked(mark: str) -> list[int]:
    """The processes with `mark` in their environment, where the system tells."""
    found = []
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:
                if os.fsencode(mark) in environ.read().split(b"\0"):
                    found.append(int(name))
    return found


def _guard(mark: str) -> None:
    group = 0
    for line in sys.stdin:  # ends when the runner does
        group = int(line)
    end(group, mark)


if __name__ == "__main__":
    _guard(sys.argv[1])
