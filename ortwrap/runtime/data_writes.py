"""Writes to parameters through `.data`: torch counts no versions of them, and no graph keeps them.

What a call has written shows in the bits of the weights; what it may write another time, such as a
norm that is limited only once it is too large, shows in a trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

WRITES = "writes to parameters in place"
_SET = Tensor.data.__set__  # type: ignore[attr-defined]
_ACCESSES = frozenset({Tensor.data.__get__, _SET, Tensor.detach})  # type: ignore[attr-defined]
_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def bits_of(parameter: Tensor) -> int | None:
    """A sum over the bits of all values, in no memory of its own; None where there are none."""
    raw = None if is_lazy(parameter) else parameter.detach()
    if raw is None or type(raw) not in (Tensor, nn.Parameter) or raw.device.type == "meta":
        return None
    if raw.layout is not torch.strided or raw.is_quantized:
        return None
    real = torch.view_as_real(raw) if raw.is_complex() else raw
    return int(real.view(_INTEGERS[real.element_size()]).sum(dtype=torch.int64))


class DataWrites:
    """Follows the `.data` of parameters and arguments through a trace."""

    def __init__(self, arguments: Sequence[Tensor] = ()) -> None:
        self._arguments = {id(tensor) for tensor in arguments}
        # What it is to write there.
        self._storages: dict[int, str] = {}

    def meet(
        self, func: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> str | None:
        """What a call that the trace is about to make does to one of them, None if nothing."""
        if func in _ACCESSES and (what := self._what(args[0])) is not None:
            self._storages.update((place, what) for place in _storage(args[0]))
            return what if func == _SET else None
        if not self._storages:
            return None
        written = written_by(getattr(func, "__name__", ""), args, keywords)
        places = (place for one in written for place in _storage(one))
        return next((self._storages[place] for place in places if place in self._storages), None)

    def _what(self, tensor: Tensor) -> str | None:
        if isinstance(tensor, nn.Parameter):
            return WRITES
        return "changes its arguments" if id(tensor) in self._arguments else None


def written_by(name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Iterator[Any]:
    """What a function of torch writes to, by its name."""
    in_place = name.endswith("_") and not name.endswith("__")
    if args and (in_place or name == "__setitem__" or name.startswith("__i")):
        yield from args[0] if isinstance(args[0], (tuple, list)) else (args[0],)
    out = keywords.get("out")
    yield from out if isinstance(out, (tuple, list)) else (out,)


def _storage(value: Any) -> tuple[int, ...]:
    """Where the values of a tensor are, if it is one that has such a place."""
    if not isinstance(value, Tensor) or value.layout is not torch.strided:
        return ()
    return (value.untyped_storage().data_ptr(),)
