"""Python files in and out: bytes to text and back, byte for byte, and atomic replacement.

Nothing here knows what a training step is. Text keeps its newlines exactly as they
stand in the file (`\\n`, `\\r\\n`, `\\r`, mixed); encoding and byte-order mark are
those of the file, and go back with it.
"""

from __future__ import annotations

import errno
import io
import tokenize
from dataclasses import dataclass

from ortwrap.atomic import replace


class SourceError(Exception):
    """A file that cannot be read, understood as text, or written back.

    Attributes:
        path: the file, named as the user named it.
        message: what is wrong and, where there is something to do, what.
        line: 1-based line of the fault, None when it has no place in the text.
        column: 1-based column of the fault, None likewise.
    """

    def __init__(
        self, path: str, message: str, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = [self.path, *(str(part) for part in (self.line, self.column) if part is not None)]
        return f"{':'.join(place)}: {self.message}"


@dataclass(frozen=True)
class Source:
    """The text of a Python file together with what it takes to write it back.

    Attributes:
        path: the file, named as the user named it.
        text: the decoded text, without a byte-order mark, newlines untouched.
        encoding: the codec of the file; `utf-8-sig` when it has a byte-order mark.
    """

    path: str
    text: str
    encoding: str

    def encode(self, text: str) -> bytes:
        """The bytes of `text` in this file's own encoding.

        Raises:
            SourceError: a character of `text` does not exist in that encoding.
        """
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start) + 1
            character = text[error.start]
            message = (
                f"the patched text has {character!r} (U+{ord(character):04X}) in its line {line}, "
                f"which {self.encoding} cannot express; save the file as UTF-8 first"
            )
            raise SourceError(self.path, message) from error


def decode(data: bytes, path: str) -> Source:
    """Understand the bytes of a Python file as Python itself would (PEP 263).

    Raises:
        SourceError: binary data, an unknown encoding, bytes that the encoding does
            not have, or text that would not come back as the same bytes.
    """
    if b"\0" in data:
        raise SourceError(path, "a binary file (it has NUL bytes), not Python source")
    encoding = _declared_encoding(data, path)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding, error) from error
    except (LookupError, UnicodeError) as error:
        raise SourceError(path, f"cannot be read as {encoding}: {error}", 1) from error
    source = Source(path, text, encoding)
    if source.encode(text) != data:
        raise SourceError(path, f"its {encoding} text would not be written back byte for byte", 1)
    return source


def read_bytes(path: str) -> bytes:
    """Read a file.

    Raises:
        SourceError: it is missing, a folder, or unreadable.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise SourceError(path, _reason(error)) from error
    except ValueError as error:  # a NUL in the path itself
        raise SourceError(path, str(error)) from error


def write(path: str, data: bytes) -> None:
    """Put `data` at `path`, which is afterwards either as it was or complete, never half.

    An existing file keeps its mode and owner; of a symbolic link the target is
    replaced and the link stays. What is no regular file (a pipe, a terminal) is
    written to as it is.

    Raises:
        SourceError: read-only file, missing folder, full disk, and so on.
    """
    try:
        replace(path, data)
    except FileNotFoundError as error:
        raise SourceError(path, "its folder does not exist; nothing was written") from error
    except OSError as error:
        raise SourceError(path, f"{_reason(error)}; nothing was written") from error


def _declared_encoding(data: bytes, path: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        # Without a coding line the codec is UTF-8, and then the place can be told.
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as undecodable:
            if "unknown encoding" not in str(error):
                raise _undecodable(path, "utf-8", undecodable) from error
        raise SourceError(path, str(error.msg), 1) from error
    return encoding


def _undecodable(path: str, encoding: str, error: UnicodeDecodeError) -> SourceError:
    data, start = error.object, error.start
    line = data.count(b"\n", 0, start) + 1
    column = start - data.rfind(b"\n", 0, start)
    byte = f"byte 0x{data[start]:02x}" if start < len(data) else "the end of the file"
    message = f"{byte} is not {encoding}; declare the file's encoding in its first line (PEP 263)"
    return SourceError(path, message, line, column)


def _reason(error: OSError) -> str:
    if error.errno == errno.EROFS:
        return "is read-only"
    known = {
        FileNotFoundError: "no such file or folder",
        IsADirectoryError: "is a folder, not a file",
        NotADirectoryError: "a part of the path is a file, not a folder",
        PermissionError: "permission denied",
    }
    return known.get(type(error), (error.strerror or str(error)).lower())
