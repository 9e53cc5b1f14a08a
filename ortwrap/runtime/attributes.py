"""Tensors that forward leaves in attributes of its modules, for a loss or for the next call.

    self.kl = divergence(mu, logvar)                 # read by the loss
    output, self.hidden = self.rnn(x, self.hidden)   # read by the next call

To a graph such an attribute is one more argument and one more result: what it holds before a call
goes in, what it holds after it comes out and is put there. So a loss that is added outside of the
step trains, and whoever sets the attribute between two calls is followed.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from .structure import Leaves, Opaque, describe


@dataclass(frozen=True)
class Attribute:
    """An attribute that forward sets.

    Attributes:
        owner: the name of its module in the wrapper.
        name: its name there.
    """

    owner: str
    name: str


class Absence(enum.Enum):
    """What stands for the value of an attribute that is not there."""

    ABSENT = "absent"


# What each of some attributes holds at one moment.
State = Mapping[Attribute, Any]


class Holders:
    """The modules that hold some attributes."""

    def __init__(self, wrapper: nn.Module, attributes: Collection[Attribute]) -> None:
        """
        Args:
            wrapper: the user's wrapper.
            attributes: those of them whose modules are gone are left out.
        """
        modules = dict(wrapper.named_modules()) if attributes else {}
        found = [(modules[one.owner], one) for one in attributes if one.owner in modules]
        self._rows = [(module.__dict__, one) for module, one in found]
        self.names = frozenset((id(module), one.name) for module, one in found)

    def read(self) -> State:
        """What the attributes hold now."""
        return {one: space.get(one.name, Absence.ABSENT) for space, one in self._rows}

    def put(self, state: State) -> None:
        """Makes them hold what `state` says."""
        for space, one in self._rows:
            value = state[one]
            if value is Absence.ABSENT:
                space.pop(one.name, None)
            else:
                space[one.name] = value


@contextlib.contextmanager
def holding(wrapper: nn.Module, state: State) -> Iterator[Holders]:
    """Makes the attributes hold what `state` says, and at the end what they held before."""
    holders = Holders(wrapper, state)
    before = holders.read()
    holders.put(state)
    try:
        yield holders
    finally:
        holders.put(before)


def told_apart(
    wrapper: nn.Module, changes: Sequence[tuple[nn.Module | None, str]]
) -> tuple[tuple[Attribute, ...], list[str]]:
    """Which changed attributes a graph can hold, and the names of the others.

    Args:
        wrapper: the user's wrapper.
        changes: each with its module, None for what changed inside of a container.
    """
    names = {id(module): name for name, module in wrapper.named_modules()}
    held: list[Attribute] = []
    others: list[str] = []
    for module, name in changes:
        if module is not None and id(module) in names and _is_of_tensors(vars(module).get(name)):
            held.append(Attribute(names[id(module)], name))
        else:
            others.append(name)
    return tuple(held), others


def _is_of_tensors(value: Any) -> bool:
    """Whether a value is made of tensors: a number would be that of one call for good."""
    leaves = Leaves()
    try:
        describe(value, leaves)
    except Opaque:
        return False
    made_here = not any(isinstance(tensor, nn.Parameter) for tensor in leaves.tensors)
    return bool(leaves.tensors) and not leaves.numbers and made_here
