"""A number of a tensor where torch takes one for each dimension: `F.max_pool1d(x, x.shape[2])`.

A trace keeps sizes that are given in a list. Of one that is given once for all dimensions torch
makes a constant, and the pool over the whole of a sentence would be one over as many words for all,
`x.roll(shift, 0)` a roll by the first shift.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor


def in_lists(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments of a call of `function`, with the sizes of its windows in lists."""
    lengths = _lengths_of(getattr(function, "__name__", ""))
    if not lengths:
        return args, keywords
    listed = [_listed(each, lengths.get(place)) for place, each in enumerate(args)]
    return listed, {place: _listed(each, lengths.get(place)) for place, each in keywords.items()}


def _listed(value: Any, length: int | None) -> Any:
    is_size = length is not None and isinstance(value, Tensor) and not value.dim()
    return [value] * length if is_size else value  # type: ignore[operator]


@functools.cache
def _lengths_of(name: str) -> Mapping[int | str, int]:
    """Where an operator takes a list of sizes or one for all, and how long the list is."""
    lengths: dict[int | str, int] = {}
    tensors: set[int | str] = set()
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}"):
        for position, argument in enumerate(schema.arguments):
            length: int | None = getattr(argument, "N", None)
            if length is not None:
                lengths[position] = lengths[argument.name] = length
            elif "Tensor" in str(argument.type):
                tensors |= {position, argument.name}
    return {place: length for place, length in lengths.items() if place not in tensors}
