"""Where sizes of tensors become Python numbers without that anyone asked for the number."""

from __future__ import annotations

import inspect
import os
import sys
import warnings

import torch
import torch.nn.functional as F
from torch.jit._trace import TracerWarning

from .reasons import may_be_user_code

_LAYERS = os.path.join(os.path.dirname(torch.__file__), "nn") + os.sep


def is_check_of_torch(name: str) -> bool:
    """Whether a layer of torch looks at a size: only to reject arguments that do not fit."""
    frame = sys._getframe(2)
    while frame.f_back is not None and not frame.f_code.co_filename.startswith(_LAYERS):
        if may_be_user_code(frame.f_code.co_filename):
            return False
        frame = frame.f_back
    return name == "__bool__" and frame.f_back is not None


def says_shape(warning: warnings.WarningMessage) -> bool:
    """Whether the tracer warns of a size that became a number."""
    if not issubclass(warning.category, TracerWarning) or _is_own(warning.filename):
        return False
    check = warning.filename.startswith(_LAYERS) and "Python boolean" in str(warning.message)
    return not check and not _is_size_of_heads(warning)


def says_value(warning: warnings.WarningMessage) -> bool:
    """The same of any tensor, which may be no size."""
    return says_shape(warning) and str(warning.message).startswith("Converting a tensor")


def first_sentence(warning: warnings.WarningMessage) -> str:
    return str(warning.message).split(".", 1)[0].splitlines()[0]


def _is_size_of_heads(warning: warnings.WarningMessage) -> bool:
    """Whether it is of the one float that attention makes of a size: its weights fix that."""
    if "Python float" not in str(warning.message) or warning.filename != F.__file__:
        return False
    lines, first = inspect.getsourcelines(F.multi_head_attention_forward)
    return 0 <= warning.lineno - first < len(lines)


def _is_own(path: str) -> bool:
    return f"{os.sep}onnxruntime{os.sep}" in path or f"{os.sep}ortwrap{os.sep}" in path
