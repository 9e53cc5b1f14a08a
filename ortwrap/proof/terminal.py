"""Something to read from for a script that expects a terminal and must not wait for one."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import threading
from collections.abc import Iterator

_ROWS, _COLUMNS = 24, 80
_END_OF_FILE = b"\x04"
# A script may ask more than once, and `getpass` throws away what was answered before it asked.
_SECONDS_BETWEEN_ANSWERS = 0.2


@contextlib.contextmanager
def silent_terminal() -> Iterator[int]:
    """A file descriptor that answers `stty size`, and whose every read is the end of file.

    Progress bars ask the terminal for its width and fail without one. Where there are no
    terminals to be had, the null device stands in.
    """
    try:
        import fcntl
        import termios

        master, slave = os.openpty()
    except (ImportError, OSError):
        yield subprocess.DEVNULL
        return
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        os.set_blocking(master, False)
        with _answering(master):
            yield slave
    finally:
        os.close(slave)
        os.close(master)


@contextlib.contextmanager
def _answering(master: int) -> Iterator[None]:
    """Answer again and again, so that whatever waits for input gets the end of it."""
    is_over = threading.Event()

    def answer() -> None:
        while not is_over.wait(_SECONDS_BETWEEN_ANSWERS):
            with contextlib.suppress(BlockingIOError):  # enough answers wait
                os.write(master, _END_OF_FILE)

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    try:
        yield
    finally:
        is_over.set()
        answering.join()
