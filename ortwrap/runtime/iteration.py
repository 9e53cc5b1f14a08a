"""Where Python takes a tensor apart into its rows, which fixes how many there are."""

from __future__ import annotations

import dis
import sys
import types

from torch import Tensor

from .reasons import is_user_code

_UNPACK = dis.opmap["UNPACK_SEQUENCE"]


def iterating() -> types.FrameType | None:
    """The user's frame that goes over a tensor now, for whoever is called by it; None if none."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None and not is_user_code(frame.f_code.co_filename):
        if frame.f_code is Tensor.__iter__.__code__:
            return frame.f_back
        frame = frame.f_back
    return None


def unpacks(frame: types.FrameType) -> bool:
    """Whether it takes a known number of rows, or raises: `row, column = edges`."""
    return frame.f_code.co_code[frame.f_lasti] == _UNPACK
