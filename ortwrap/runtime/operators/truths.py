"""Truth values that are given where torch takes a number: `mask.masked_fill(late, True)`.

torch takes them for the numbers 0 and 1, but the operators of a trace know of numbers only, and
torch gives up on the whole trace. So they are given as the numbers that they are, or as a tensor,
where a number would make integers of truth values.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor

# What these return is of the dtype of their first argument, whatever is put into it.
_KEEP_DTYPE = frozenset("fill full_like index_fill masked_fill new_full scatter".split())


def as_numbers(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments of a call of `function`, without truth values where numbers are wanted."""
    given = (*args, *keywords.values())
    if not any(type(each) is bool for each in given):
        return args, keywords
    name = getattr(function, "__name__", "")
    wanted = _numbers_of(name)
    number = _number_for(name, given[0])
    args = [_as(number, each, place in wanted) for place, each in enumerate(args)]
    keywords = {place: _as(number, each, place in wanted) for place, each in keywords.items()}
    if function is torch.full and keywords.get("dtype") is None and True in map(_is_truth, given):
        keywords["dtype"] = torch.bool
    return args, keywords


def _is_truth(value: Any) -> bool:
    return type(value) is bool


def _as(number: Callable[[bool], Any], value: Any, wanted: bool) -> Any:
    return number(value) if wanted and type(value) is bool else value


def _number_for(name: str, first: Any) -> Callable[[bool], Any]:
    of_truths = isinstance(first, Tensor) and first.dtype is torch.bool
    keeps = name.rstrip("_") in _KEEP_DTYPE or (name.endswith("_") and not name.startswith("__"))
    return torch.tensor if of_truths and not keeps else int


@functools.cache
def _numbers_of(name: str) -> frozenset[int | str]:
    """Where an operator takes a number in one of its forms, and a truth value in none."""
    numbers: set[int | str] = set()
    truths: set[int | str] = set()
    for form in (name, name.strip("_"), name.strip("_").removeprefix("r")):
        for schema in torch._C._jit_get_schemas_for_operator(f"aten::{form}"):
            if any(str(result.type) != "Tensor" for result in schema.returns):
                continue
            for position, argument in enumerate(schema.arguments):
                kind = str(argument.type)
                places: set[int | str] = {argument.name, position}
                if "number" in kind:
                    numbers |= places
                elif kind == "bool":
                    truths |= places
    return frozenset(numbers - truths)
