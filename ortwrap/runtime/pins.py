"""What a model keeps alive as long as it lives itself, and takes into no copy or checkpoint."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from torch import nn

_ATTRIBUTE = "_ortwrap"
# A model that is trained with ever new teachers must not keep all of them.
_MOST = 8


class _Pins(dict[Hashable, Any]):
    """A few objects by name, the latest ones; copies and pickles of it are None."""

    def __deepcopy__(self, memo: Any) -> None:
        return None

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return (type(None), ())


def pin(owner: nn.Module, name: Hashable, thing: Any) -> None:
    """Keep `thing` for as long as `owner` lives; the two may refer to each other."""
    namespace = owner.__dict__
    pins = namespace.get(_ATTRIBUTE)
    if not isinstance(pins, _Pins):
        namespace[_ATTRIBUTE] = pins = _Pins()
    pins.pop(name, None)
    pins[name] = thing
    while len(pins) > _MOST:
        del pins[next(iter(pins))]


def pinned(owner: nn.Module, name: Hashable) -> Any:
    """What was kept under a name, None if nothing is."""
    pins = owner.__dict__.get(_ATTRIBUTE)
    return pins.get(name) if isinstance(pins, _Pins) else None
