"""What calls have in common that one graph can serve: the structure of what they are given."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from torch import Tensor

from .attributes import State
from .reasons import Reason
from .structure import Leaves, Opaque, describe

_EMPTY = Reason("an empty batch")
_EMPTY_ATTRIBUTE = Reason("an empty tensor in an attribute that forward sets")


class NoSignature(Exception):
    """No signature can be made of a call.

    Attributes:
        reason: why.
        is_rare: as a rule the next call has one again.
    """

    def __init__(self, reason: Reason, is_rare: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.is_rare = is_rare


def of_arguments(args: tuple[Any, ...], kwargs: dict[str, Any], leaves: Leaves) -> Hashable:
    """The structure of the arguments, whose tensors and numbers are added to `leaves`.

    Raises:
        NoSignature: one of them cannot be looked into, or has no elements.
    """
    return _described("an argument", (args, kwargs), leaves, _EMPTY)


def of_state(state: State, leaves: Leaves) -> Hashable:
    """The same for what attributes that forward sets hold before the call.

    Raises:
        NoSignature: one of them cannot be looked into, or has no elements.
    """
    return _described("what forward sets", state, leaves, _EMPTY_ATTRIBUTE)


def repeated(tensors: Sequence[Tensor]) -> Hashable:
    """Which arguments are one and the same tensor: a result may be one of them, handed on."""
    ids = list(map(id, tensors))
    return None if len(set(ids)) == len(ids) else tuple(map(ids.index, ids))


def _described(what: str, value: Any, leaves: Leaves, empty: Reason) -> Hashable:
    try:
        structure = describe(value, leaves)
    except Opaque as opaque:
        raise NoSignature(Reason(f"{what} is {opaque.reason}")) from opaque
    if 0 in leaves.sizes:
        raise NoSignature(empty, is_rare=True)
    return structure
