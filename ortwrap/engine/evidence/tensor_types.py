"""Names for a type of tensor: `Tensor = torch.cuda.FloatTensor if cuda else torch.FloatTensor`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

_TYPE = re.compile(r"^torch\.(?:cuda\.)?\w*Tensor$")


def tensor_type(values: Sequence[cst.BaseExpression], bindings: Bindings) -> str | None:
    """The full name of the type that a name stands for, of the first if it may be several.

    Args:
        values: all that is assigned to the name.
        bindings: the names of its file.
    """
    found = [bindings.qualified(each) or "" for value in values for each in _choices(value)]
    return found[0] if found and all(map(_TYPE.match, found)) else None


def _choices(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(value, cst.IfExp):
        yield from _choices(value.body)
        yield from _choices(value.orelse)
    else:
        yield value
