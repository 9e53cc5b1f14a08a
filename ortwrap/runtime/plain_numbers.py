"""Numbers of Python, which tensors stand for while a model is traced, never change themselves.

`rows *= 2` gives the name another number: whoever else holds the first one has it as it was. Done
to a tensor it would change that too, and what has been traced of it.
"""

from __future__ import annotations

from typing import Any, Callable

from torch import Tensor

_NAMES = "add sub mul div floor_divide remainder pow".split()
_RESULTS: dict[Any, Callable[..., Any]] = {
    getattr(Tensor, f"{name}_"): getattr(Tensor, name) for name in _NAMES
}
# Of these Python's own name is another function.
_RESULTS[Tensor.__ipow__] = Tensor.pow


def of_number(function: Callable[..., Any]) -> Callable[..., Any]:
    """What `function` does to a number: an augmented assignment computes a new one."""
    return _RESULTS.get(function, function)
