"""Atomic replacement of a file's content: afterwards it is old or new, never half.

A process may be killed at any moment of it. Mode, owner and symbolic links survive.
Only a new name can replace an old one in one step, and a kill between the two steps
(name the new content, rename it) would leave that name behind: a child that a kill of
this process or of its group does not reach takes both.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_TEMPORARY_MARK = ".ortwrap-tmp"


def replace(path: str, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path`.

    An existing file keeps its mode and owner; of a symbolic link the target is
    replaced and the link stays. What is no regular file (a pipe, a terminal) is
    written to as it is.

    Args:
        path: the file, or a link to it.
        data: its new content.
        durable: wait for the disk, so that not even a power cut can lose the file.

    Raises:
        OSError: with `errno.EROFS` for a file that is read-only; any other as the
            system gives it. The file is then as it was.
    """
    target = os.path.realpath(path)
    before = _stat_or_none(target)
    if before is None:
        _replace_regular(target, _Content(data, None, durable))
    elif not stat.S_ISREG(before.st_mode):
        with open(target, "wb", buffering=0) as file:
            file.write(data)
    elif _is_writable(target, before):
        _replace_regular(target, _Content(data, before, durable))
    else:
        raise OSError(errno.EROFS, "is read-only", path)


@dataclass(frozen=True)
class _Content:
    """What a file is to become: its bytes, whose mode and owner it takes over, how surely."""

    data: bytes
    before: os.stat_result | None
    durable: bool


def _stat_or_none(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_writable(path: str, status: os.stat_result) -> bool:
    # os.access says yes to root whatever the mode; a file without any write bit is
    # meant to stay as it is, whoever asks.
    return bool(status.st_mode & 0o222) and os.access(path, os.W_OK)


def _replace_regular(target: str, content: _Content) -> None:
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{_short(name)}.{os.getpid()}{_TEMPORARY_MARK}")
    _sweep(folder, name)
    try:
        if not _replace_unnamed(target, temporary, content):
            _write_named(temporary, content)
            os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    if content.durable:
        _sync_folder(folder)


def _replace_unnamed(target: str, temporary: str, content: _Content) -> bool:
    """Fill a file that has no name until it is complete; False where the system has none.

    A process killed while it writes then leaves nothing behind at all.
    """
    if not hasattr(os, "O_TMPFILE"):
        return False
    folder = os.path.dirname(target)
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
    except OSError:
        return False  # the file system (NFS, older overlays) has no unnamed files
    with open(descriptor, "wb") as file:
        _fill(file, content)
        # A directory descriptor is what makes Python follow the /proc link (linkat).
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

        def name_and_rename() -> None:
            unnamed = f"/proc/self/fd/{descriptor}"
            os.link(unnamed, temporary, src_dir_fd=directory, follow_symlinks=True)
            try:
                os.replace(temporary, target)
            except OSError:
                os.unlink(temporary)
                raise

        try:
            # No /proc, or a target that cannot be replaced: the other way will say which.
            return _beyond_a_kill(name_and_rename)
        finally:
            os.close(directory)


def _beyond_a_kill(action: Callable[[], None]) -> bool:
    """Whether `action` succeeded in a child that a kill of this process group leaves alone."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    succeeded = False
    try:
        os.setsid()
        action()
        succeeded = True
    finally:
        # Never back into the caller's code, whatever happened.
        os._exit(0 if succeeded else 1)


def _write_named(temporary: str, content: _Content) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    with open(os.open(temporary, flags, 0o666), "wb") as file:
        _fill(file, content)


def _fill(file: io.BufferedWriter, content: _Content) -> None:
    file.write(content.data)
    file.flush()
    before = content.before
    if before is not None and hasattr(os, "fchmod"):
        now = os.fstat(file.fileno())
        if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
            # Only root may give files away; for others the file becomes their own.
            with suppress(OSError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
    if content.durable:
        os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _short(name: str) -> str:
    # 50 characters are 200 bytes at most: with what is added, a name that every system takes.
    return name[:50]


def _sweep(folder: str, name: str) -> None:
    """Remove what a killed run left of this very file between naming and replacing it."""
    if os.name != "posix":  # elsewhere os.kill(pid, 0) is no question but a kill
        return
    prefix = f".{_short(name)}."
    with suppress(OSError):
        for entry in os.listdir(folder):
            if entry.startswith(prefix) and entry.endswith(_TEMPORARY_MARK):
                owner = entry[len(prefix) : -len(_TEMPORARY_MARK)]
                if owner.isdigit() and not _is_alive(int(owner)):
                    with suppress(OSError):
                        os.unlink(os.path.join(folder, entry))


def _is_alive(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
