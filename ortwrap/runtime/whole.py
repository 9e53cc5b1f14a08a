"""A module that returns its loss itself, as the one part of a step: `ort_module(module)`."""

from __future__ import annotations

import weakref
from typing import Any

from torch import nn


class Whole(nn.Module):
    """A step of one module, which is called as the step is."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)


class _Declaring(Whole):
    """The same for a module that says what its graph depends on."""

    def graph_depends_on(self) -> Any:
        return self.module.graph_depends_on()  # type: ignore[operator]


def step_of(kind: type[nn.Module]) -> type[nn.Module]:
    """The class of steps of one module of a class, under that one's name: reports show it."""
    known = _KNOWN.get(kind)
    if known is None:
        base = _Declaring if hasattr(kind, "graph_depends_on") else Whole
        names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        _KNOWN[kind] = known = type(kind.__name__, (base,), names)
    return known


_KNOWN: weakref.WeakKeyDictionary[type[nn.Module], type[nn.Module]] = weakref.WeakKeyDictionary()
