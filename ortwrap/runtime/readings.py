"""Numbers that forward reads off tensors to report them: `return loss, {"kld": kld.item()}`.

A trace would hold such a number for good. While the model is exported `.item()` gives a `Reading`
instead: the graph returns the tensor behind it, and each call takes the number off that. Whatever
needs the number itself, a branch or a multiplication with a tensor, is no report, and runs eagerly.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Protocol, Union

import torch
from torch import Tensor

Number = Union[int, float]


@dataclass(frozen=True)
class Late:
    """A number that is known once the graph has run.

    Attributes:
        compute: gives it.
        operands: what `compute` takes: further late ones, and numbers of the trace.
        output: the output of the graph that it is read off, if it is read and not computed.
        argument: which of the numbers that the graph takes as tensors it is, if it is one.
    """

    compute: Callable[..., Number]
    operands: tuple[Any, ...] = ()
    output: int | None = None
    argument: int | None = None

    def of(self, outputs: Sequence[Tensor], numbers: Sequence[Number]) -> Number:
        """The number for one run of the graph.

        Args:
            outputs: what the graph computed.
            numbers: the call's own, of those that the graph takes as tensors.
        """
        if self.output is not None:
            return self.compute(outputs[self.output])
        if self.argument is not None:
            return numbers[self.argument]
        values = (
            each.of(outputs, numbers) if type(each) is Late else each for each in self.operands
        )
        return self.compute(*values)


class Trace(Protocol):
    """What a reading asks of the trace that it belongs to."""

    def refuse(self) -> None:
        """Raises, if a number that is not known yet may not be used."""

    def is_size(self, tensor: Tensor) -> bool:
        """Whether a tensor is what a trace has in the place of a size, a Python int in eager."""

    def argument(self, tensor: Tensor) -> int | None:
        """Which of the numbers that are given as tensors it is, None if it is none of them."""


class Reading:
    """Stands for a number read off a tensor while its model is exported.

    Arithmetic with numbers gives further readings. In a trace everything else is refused; in the
    run before it, in which nothing is fixed, a reading serves as its number.
    """

    __slots__ = ("__weakref__", "_compute", "_operands", "_trace", "value")

    def __init__(
        self,
        value: Number,
        trace: Trace,
        compute: Callable[..., Number],
        operands: tuple[Any, ...],
    ) -> None:
        """
        Args:
            value: the number, of the batch that is traced.
            trace: the trace that it belongs to.
            compute: gives the number.
            operands: what `compute` takes: a tensor to read, or readings and numbers.
        """
        self.value = value
        self._trace = trace
        self._compute = compute
        self._operands = operands

    @classmethod
    def of_tensor(cls, tensor: Tensor, trace: Trace) -> Reading:
        """What `tensor.item()` gives."""
        with torch._C.DisableTorchFunction():
            return cls(Tensor.item(tensor), trace, Tensor.item, (tensor,))

    def late(self, outputs: list[Tensor]) -> Late:
        """How to get the number later; tensors that it is read off are added to `outputs`."""
        first = self._operands[0]
        if isinstance(first, Tensor):
            argument = self._trace.argument(first)
            if argument is not None:
                return Late(self._compute, argument=argument)
            outputs.append(first.detach())
            return Late(self._compute, output=len(outputs) - 1)
        operands = (
            each.late(outputs) if type(each) is Reading else each for each in self._operands
        )
        return Late(self._compute, tuple(operands))

    def compute(self, use: Callable[..., Any], *operands: Any) -> Any:
        """What `use` gives for numbers of which this is one: later, if that can wait."""
        known = [self._as_number(operand) for operand in operands]
        values = [each.value if type(each) is Reading else each for each in known]
        if use in _ARITHMETIC and all(type(each) in _NUMBERS for each in known):
            return Reading(use(*values), self._trace, use, tuple(known))
        self._trace.refuse()
        return use(*values)

    def _as_number(self, operand: Any) -> Any:
        if not isinstance(operand, Tensor):
            return operand
        known = self._trace.is_size(operand) or self._trace.argument(operand) is not None
        return Reading.of_tensor(operand, self._trace) if known else operand


def _operator(use: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *others: self.compute(use, self, *others)


def _reflected(use: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: self.compute(use, other, self)


_TWO_SIDED = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
_NUMBERS = (Reading, int, float, bool)
_ARITHMETIC = frozenset(
    [*(getattr(operator, name) for name in _TWO_SIDED), operator.neg, abs, round]
)
_OPERATORS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in _TWO_SIDED},
    **{name: getattr(operator, name) for name in "neg lt le gt ge eq ne index".split()},
    **{use.__name__: use for use in (abs, round, bool, float, int, hash, str, repr, format)},
}
for _name, _use in _OPERATORS.items():
    setattr(Reading, f"__{_name}__", _operator(_use))
for _name in _TWO_SIDED:
    setattr(Reading, f"__r{_name}__", _reflected(_OPERATORS[_name]))
