"""A named pipe that tells when the last process that holds it has ended, without a clock."""

from __future__ import annotations

import os
import select
from pathlib import Path


class Fifo:
    """Made by a test, held open by the processes that a script starts.

    Attributes:
        held_by_helpers: a line of a script that starts two helpers, one of them a session of
            its own as the workers of torchrun are, which hold the pipe for as long as they live.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.held_by_helpers = (
            "import os, subprocess; "
            f"fifo = os.open({str(path)!r}, os.O_WRONLY); "
            "[subprocess.Popen(['sleep', '600'], pass_fds=[fifo], start_new_session=alone)"
            " for alone in (False, True)]; os.write(fifo, b'held'); os.close(fifo)"
        )

    def wait_until_held(self) -> None:
        """Until the helpers have been started."""
        select.select([self._end], [], [])

    def wait_until_nobody_holds_it(self) -> None:
        """Until the last of them has ended; where one lives on, the test runs out of time."""
        os.set_blocking(self._end, True)
        said = b""
        while part := os.read(self._end, 64):
            said += part
        assert said.startswith(b"held"), "no helpers were started"
        os.close(self._end)
