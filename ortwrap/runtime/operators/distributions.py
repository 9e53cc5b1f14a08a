"""The checks that `torch.distributions` makes of what it is given, as operators of the graph.

torch looks at the data ("is every scale positive?") and raises; a trace would freeze the answer.
Here the check becomes part of the graph, in which it fails as it does in eager.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from . import library
from .registry import as_torch
from .stand_ins import StandIn

_ORIGINAL = Distribution.__init__
_NO_SHAPE = torch.Size()


def _checked(value: Tensor, valid: Tensor) -> Tensor:
    """`value`, if all is valid.

    Raises:
        ValueError: something is not.
    """
    if not valid.is_meta and not bool(valid.all()):
        raise ValueError("a distribution was given values outside of its support")
    return value.view_as(value)


library.define("checked(Tensor value, Tensor valid) -> Tensor", _checked, of_autograd=True)


def _init(
    distribution: Distribution,
    batch_shape: torch.Size = _NO_SHAPE,
    event_shape: torch.Size = _NO_SHAPE,
    validate_args: bool | None = None,
) -> None:
    """Stands in for `Distribution.__init__`, which asks whether the parameters are valid."""
    validates = distribution._validate_args if validate_args is None else validate_args
    if validates:
        for name in _own_parameters(distribution):
            constraint: Any = distribution.arg_constraints[name]
            if not constraints.is_dependent(constraint):  # type: ignore[no-untyped-call]
                _tie(distribution, name, constraint.check(getattr(distribution, name)))
    _ORIGINAL(distribution, batch_shape, event_shape, validate_args=False)
    distribution._validate_args = validates


def _validate_sample(distribution: Distribution, value: Tensor) -> None:
    """Stands in for torch's, which asks whether a value can be drawn at all.

    Whether its shape fits has been seen when eager ran with the same shapes.
    """
    try:
        support: Any = distribution.support
    except NotImplementedError:
        return
    name = next(_own_parameters(distribution), None)
    if name is not None and support is not None:
        _tie(distribution, name, support.check(value))


def _own_parameters(distribution: Distribution) -> Iterator[str]:
    """The parameters it was given; others are worked out of these when they are asked for."""
    for name in distribution.arg_constraints:
        if isinstance(vars(distribution).get(name), Tensor):
            yield name


def _tie(distribution: Distribution, name: str, valid: Tensor) -> None:
    """Lets whoever reads the parameter wait for the check."""
    setattr(distribution, name, torch.ops.ortwrap.checked(getattr(distribution, name), valid))


OPERATORS = as_torch("ortwrap::checked", keeps="")
STAND_INS = (
    StandIn(Distribution, "__init__", _init),
    StandIn(Distribution, "_validate_sample", _validate_sample),
)
