"""Why a step ran eagerly, said once and with the line of the user's code."""

from __future__ import annotations

import os
import traceback
import types
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import torch

_PACKAGES = ("torch", "onnxruntime", "onnx", "torch_ort", "ortwrap")


class OrtwrapWarning(UserWarning):
    """A training step runs eagerly, or is exported again and again."""


@dataclass(frozen=True)
class Reason:
    """Why a call or a signature runs eagerly.

    Attributes:
        text: the cause, one line.
        place: `file:line` of the user's code, where it is known.
    """

    text: str
    place: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.text} ({self.place})" if self.place else self.text

    @classmethod
    def of_failure(cls, stage: str, error: BaseException) -> Reason:
        """The reason for an exception raised by the exporter or by ONNX Runtime in `stage`."""
        return cls(f"{stage}: {_summary(error)}", place_of_failure(error))


def warn(name: str, text: str) -> None:
    """Warns about the wrapper `name`, at the line of the user's code that is being run."""
    frame = user_frame(frame for frame, _ in traceback.walk_stack(None))
    path, line = (frame.f_code.co_filename, frame.f_lineno) if frame else ("ortwrap", 1)
    warnings.warn_explicit(f"ortwrap: {name} {text}", OrtwrapWarning, path, line)


def place_of_failure(error: BaseException) -> Optional[str]:
    """`file:line` of the innermost frame of the user's code in the traceback of `error`.

    The deepest cause wins: ORTModule wraps what the exporter raised.
    """
    place: Optional[str] = None
    seen: set[int] = set()
    cause: Optional[BaseException] = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        for frame, line in traceback.walk_tb(cause.__traceback__):
            if is_user_code(frame.f_code.co_filename):
                place = f"{frame.f_code.co_filename}:{line}"
        cause = cause.__cause__ or cause.__context__
    return place


def current_place() -> Optional[str]:
    """`file:line` of the innermost frame of the user's code that is being run."""
    frame = user_frame(frame for frame, _ in traceback.walk_stack(None))
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else None


def user_frame(frames: Iterable[types.FrameType]) -> Optional[types.FrameType]:
    """The innermost of `frames`, given from the inside outwards, that runs the user's code."""
    return next((frame for frame in frames if is_user_code(frame.f_code.co_filename)), None)


def is_user_code(path: str) -> bool:
    """Whether `path` is neither of torch, onnxruntime or ortwrap, nor of Python's own library."""
    if path.startswith(("<", *_INTERNAL)):
        return False
    return not path.startswith(_STANDARD_LIBRARY) or "site-packages" in path


_SITE = Path(torch.__file__).resolve().parent.parent
_STANDARD_LIBRARY = str(Path(traceback.__file__).resolve().parent) + os.sep
_INTERNAL = (
    *(str(_SITE / package) + os.sep for package in _PACKAGES),
    str(Path(__file__).resolve().parent.parent) + os.sep,
)


def _summary(error: BaseException) -> str:
    """The first line of the message that says what went wrong, without ORT's own wrapping."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    informative = [line for line in lines if _says_something(line)]
    chosen = (informative or lines or [""])[-1 if _is_wrapped(lines) else 0]
    text = chosen[:300]
    return text if _names_type(text) else f"{type(error).__name__}: {text}"


def _is_wrapped(lines: list[str]) -> bool:
    return any(line.startswith("Traceback (most recent call last)") for line in lines)


def _says_something(line: str) -> bool:
    return not line.startswith(("Traceback", "File ", "^", "There was an error while exporting"))


def _names_type(text: str) -> bool:
    head = text.split(":", 1)[0]
    return head.endswith(("Error", "Exception", "Fail")) or "[ONNXRuntimeError]" in head
