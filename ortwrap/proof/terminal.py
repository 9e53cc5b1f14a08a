"""Something to read from for a script that expects a terminal and must not wait for one."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
from collections.abc import Iterator

_ROWS, _COLUMNS = 24, 80
_END_OF_FILE = b"\x04"
# A script may ask more than once; each answer is the end of the input.
_ANSWERS = 256


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
        os.write(master, _END_OF_FILE * _ANSWERS)
        yield slave
    finally:
        os.close(slave)
        os.close(master)
