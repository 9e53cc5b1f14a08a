"""Why a step ran eagerly, said once and with the line of the user's code."""

from __future__ import annotations

import linecache
import os
import re
import traceback
import types
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

_PACKAGES = ("torch", "onnxruntime", "onnx", "torch_ort", "ortwrap")


class OrtwrapWarning(UserWarning):
    """A training step runs eagerly, or is exported again and again."""


class BackwardFailed(RuntimeError):
    """A graph failed in backward: says what its user can do; its cause is what went wrong."""


@dataclass(frozen=True)
class Reason:
    """Why a call or a signature runs eagerly.

    Attributes:
        text: the cause, one line.
        place: `file:line` of the user's code, where it is known.
    """

    text: str
    place: str | None = None

    def __str__(self) -> str:
        return f"{self.text} ({self.place})" if self.place else self.text

    @classmethod
    def of_failure(cls, stage: str, error: BaseException, place: str | None = None) -> Reason:
        """The reason for an exception raised by the exporter or by ONNX Runtime.

        Args:
            stage: what went wrong, in a few words.
            error: the exception.
            place: the line of the user's code, if the exception does not tell.
        """
        where = place_of_failure(error) or place
        said = _summary(error)
        if _READING.search(said):
            return cls(f"forward computes with the value of a tensor (item){_quoted(where)}", where)
        return cls(f"{stage}: {said}", where)


def warn(name: str, text: str) -> None:
    """Warns about the wrapper `name`, at the line of the user's code that is being run."""
    frame = user_frame(frame for frame, _ in traceback.walk_stack(None))
    path, line = (frame.f_code.co_filename, frame.f_lineno) if frame else ("ortwrap", 1)
    warnings.warn_explicit(f"ortwrap: {name} {text}", OrtwrapWarning, path, line)


def place_of_failure(error: BaseException) -> str | None:
    """`file:line` of the innermost frame of the user's code in the traceback of `error`.

    The deepest cause wins: ORTModule wraps what the exporter raised.
    """
    place: str | None = None
    for one in chain_of(error):
        for frame, line in traceback.walk_tb(one.__traceback__):
            if is_user_code(frame.f_code.co_filename):
                place = f"{frame.f_code.co_filename}:{line}"
        place = _place_in_trace(one) or place
    return place


def chain_of(error: BaseException) -> list[BaseException]:
    """The error, its causes and contexts, the outermost first."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def current_place() -> str | None:
    """`file:line` of the innermost frame of the user's code that is being run."""
    frame = user_frame(frame for frame, _ in traceback.walk_stack(None))
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else None


def current_frame() -> types.FrameType | None:
    """The innermost frame that is being run of code that may be the user's."""
    frames = (frame for frame, _ in traceback.walk_stack(None))
    return next((frame for frame in frames if may_be_user_code(frame.f_code.co_filename)), None)


def user_frame(frames: Iterable[types.FrameType]) -> types.FrameType | None:
    """The innermost of `frames`, given from the inside outwards, that runs the user's code."""
    return next((frame for frame in frames if is_user_code(frame.f_code.co_filename)), None)


def is_user_code(path: str) -> bool:
    """Whether `path` is neither of torch, onnxruntime or ortwrap, nor of Python's own library."""
    if path.startswith(("<", *_INTERNAL)):
        return False
    return not path.startswith(_STANDARD_LIBRARY) or "site-packages" in path


def may_be_user_code(path: str) -> bool:
    """Whether code is the user's, or was typed or made without a file, as in a notebook."""
    return is_user_code(path) or (path.startswith("<") and not path.startswith("<frozen"))


_SITE = Path(torch.__file__).resolve().parent.parent
_STANDARD_LIBRARY = str(Path(traceback.__file__).resolve().parent) + os.sep
_INTERNAL = (
    *(str(_SITE / package) + os.sep for package in _PACKAGES),
    str(Path(__file__).resolve().parent.parent) + os.sep,
)


def _summary(error: BaseException) -> str:
    """The part of the message that says what went wrong, in one line.

    ORTModule puts the exporter's whole traceback, and torch its graph, into the message.
    """
    if isinstance(error, BackwardFailed) and error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if _ERROR.match(line)]
    text = telling[-1] if telling else next(iter(lines), "")
    text = _without_signature(_NOISE.split(text, maxsplit=1)[0])[:400]
    text += next((advice for said, advice in _ADVICE.items() if said in text), "")
    return text if _ERROR.match(text) else f"{type(error).__name__}: {text}"


def _quoted(place: str | None) -> str:
    """The user's line, where it can be read."""
    path, _, line = (place or "").rpartition(":")
    text = linecache.getline(path, int(line)).strip() if path else ""
    return f": `{text}`" if text else ""


def _without_signature(text: str) -> str:
    """ONNX Runtime's words, without the file and the C++ function that it puts before them."""
    found = _CPP_PLACE.search(text)
    begins = text.find("(", found.end()) if found else -1
    if found is None or begins < 0:
        return text
    depth = 0
    for index in range(begins, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            said = _REST_OF_SIGNATURE.sub("", text[index + 1 :])
            return f"{text[: found.start()]}{said}" if said else text
    return text


def _place_in_trace(error: BaseException) -> str | None:
    """The innermost line of the user's code among those that torch lists for a traced value."""
    for path, line in _TRACED_LINE.findall(str(error)):
        if is_user_code(path):
            return f"{path}:{line}"
    return None


_ERROR = re.compile(
    r"[\w.]*(Error|Exception|Unsupported\w*|NotSupported|Fail)\b:|\[ONNXRuntimeError\]"
)
# The exporter notes the file of each traced line, which is no text where Python takes names for
# ASCII and they are not.
_ADVICE = {
    "error unpacking string as utf-8": " (a script's path is not ASCII, and this Python reads "
    "names of files as ASCII: set PYTHONUTF8=1)"
}
# What stands for a number while a step is traced, in the words of who wants the number.
_READING = re.compile(r"\bReading\b")
_CPP_PLACE = re.compile(r"/onnxruntime_src/\S+:\d+ ")
_REST_OF_SIGNATURE = re.compile(r"^(?:::<lambda\(.*?\)>)?(?: const)?\s*")
_NOISE = re.compile(r"\. Please feel free|  \[Caused by| with: ")
_TRACED_LINE = re.compile(r"^(?:.*# )?(/.*?\.py)\((\d+)\): ", re.MULTILINE)
