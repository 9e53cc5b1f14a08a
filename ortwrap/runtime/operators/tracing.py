"""What is done while a model is traced, so that the trace shows what gradients do.

The exporter traces without gradients: a trace of `x.detach()`, of `x.data` and of what runs under
`torch.no_grad()` looks like one that trains `x`. Here the model is traced with gradients, as it
trains, and wherever they stop the graph gets a node that stops them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from . import paths
from .aliases import Aliases
from .assignments import Assignments
from .pieces import in_other_words
from .size_numbers import SizeNumbers
from .stand_ins import standing_in
from .truths import as_numbers
from .windows import in_lists

_DATA = frozenset({Tensor.data.__get__})  # type: ignore[attr-defined]
_JOINS = frozenset({torch.cat, torch.concat, torch.concatenate})
_EMPTY = frozenset(
    {torch.zeros_like, torch.ones_like, torch.full_like, torch.empty_like, torch.rand_like}
)


@contextlib.contextmanager
def tracing(
    inputs: Sequence[Tensor] = (), trained: Sequence[bool] = (), state: Iterable[Tensor] = ()
) -> Iterator[Callable[[Sequence[Tensor]], None]]:
    """Surrounds the forward of the model that is traced; does nothing when it is not.

    Args:
        inputs: the tensors that enter the model.
        trained: for each of them, whether the call's own needs a gradient.
        state: the model's parameters and buffers.

    Yields:
        What is to be told the tensors that the model returns.
    """
    if torch._C._get_tracing_state() is None:
        yield lambda returned: None
        return
    from .families import STAND_INS

    in_double = any(tensor.dtype is torch.float64 for tensor in (*inputs, *state))
    with torch._C.DisableTorchFunction():
        paths.begin(trained, [list(map(int, tensor.shape)) for tensor in inputs])
    mode = _StopGradients(in_double)
    with torch.enable_grad(), standing_in(STAND_INS), mode:
        for tensor, needs_gradient in zip(inputs, trained):
            tensor.requires_grad_(needs_gradient)
        yield mode.return_


class _StopGradients(TorchFunctionMode):
    """Marks results that gradients do not flow through though they come from trained tensors."""

    def __init__(self, in_double: bool) -> None:
        """
        Args:
            in_double: whether the model computes in float64.
        """
        super().__init__()
        self._size_numbers = SizeNumbers() if in_double else None
        self._joined: dict[int, tuple[Tensor, Tensor | None]] = {}
        self._assignments = Assignments()
        self._assigned: Tensor | None = None
        self._aliases = Aliases(self._traced)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = kwargs or {}
        met = self._aliases.meet(func, args, keywords)
        self._assigned = None
        result = self._traced(func, args, keywords)
        if func is Tensor.__iter__:
            func, result = Tensor.unbind, list(result)
            self._aliases.follow(func, args, keywords, met, result, None)
            return iter(result)
        self._aliases.follow(func, args, keywords, met, result, self._assigned)
        return result

    def return_(self, tensors: Sequence[Tensor]) -> None:
        """Sees to it that the trace knows what the tensors hold that the model returns."""
        self._aliases.read(tensors)

    def _traced(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        if func in _DATA:
            # The getter leaves the trace: what it returns would be a constant.
            func = Tensor.detach
        if func in _JOINS and args and _is_trained(args):
            args = (tuple(map(self._joined_once, args[0])), *args[1:])
        if func is Tensor.__setitem__:
            self._assigned = self._assignments.make(self._aliases.bring_up_to_date, *args)
            if self._assigned is not None:
                return None
        asked, keywords = args, kwargs
        if self._size_numbers:
            args, keywords = self._size_numbers.of_call(func, asked, keywords)
        args, keywords = in_lists(func, *as_numbers(func, args, keywords))
        result = in_other_words(func, args, keywords)(*args, **keywords)
        if self._size_numbers:
            self._size_numbers.note(func, asked, result)
        if func is Tensor.__getitem__:
            self._assignments.note(result, *args)
        if func is torch.tensor and result.is_floating_point():
            # A constant of the trace by reference, which `total += loss` must not change.
            return result.clone()
        if func in _EMPTY or not _is_trained((*args, *keywords.values())):
            return result
        if isinstance(result, Tensor):
            return self._stopped(result, args)
        if type(result) in (tuple, list):
            return type(result)(self._stopped(part, args) for part in result)
        return result

    def _joined_once(self, tensor: Tensor) -> Tensor:
        """ORT names a gradient for every input of a Concat, for the same input twice the same.

        Each copy is made of the one before, since equal copies would be merged.
        """
        if tensor.requires_grad:
            return tensor
        kept, latest = self._joined.get(id(tensor), (tensor, None))
        if latest is None:
            latest = tensor
        else:
            with torch._C.DisableTorchFunction():
                latest = torch.ops.aten.detach_copy(latest)
        self._joined[id(tensor)] = (kept, latest)
        return latest

    def _stopped(self, result: Any, args: Sequence[Any]) -> Any:
        """`result`, marked if it is a new tensor that could have needed a gradient."""
        if not isinstance(result, Tensor) or result.requires_grad or not result.is_floating_point():
            return result
        if any(result is argument for argument in args):
            return result
        with torch._C.DisableTorchFunction():
            copy = torch.ops.aten.detach_copy(result)
        self._aliases.stands_for(copy, result)
        return copy


def _is_trained(values: Sequence[Any]) -> bool:
    for value in values:
        if isinstance(value, Tensor):
            if value.requires_grad:
                return True
        elif isinstance(value, (tuple, list)) and _is_trained(value):
            return True
    return False
