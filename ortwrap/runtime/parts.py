"""By what means code gets at the modules that a module holds: by their names, or by others.

A LightningModule keeps its metrics beside the network. Their states change with each batch, and say
nothing of a forward that gets at the network alone. Code that has been read tells which modules
forward does not get at; `touching` makes sure of it while forward runs.
"""

from __future__ import annotations

import abc
import contextlib
import types
from collections.abc import Iterator
from typing import Any, Generic

from torch import nn

from .code_names import attributes_in
from .reasons import may_be_user_code

# By these code gets at modules, or at any attribute, that it does not name.
_OTHER_MEANS = frozenset(
    "getattr vars eval exec attrgetter methodcaller getmembers __dict__ __getattr__ "
    "__getattribute__ _modules modules children named_modules named_children get_submodule "
    "apply".split()
)
_FRAMEWORKS = frozenset({"lightning", "pytorch_lightning"})
_BARE = (object, nn.Module, abc.ABC, Generic)
# What is guarded of every module, and what torch defines for all of them.
_SAYS_NOTHING = frozenset(
    {*vars(nn.Module), *nn.Module().__dict__, "__class__"}
    - {"__dict__", "__getattr__", "__getattribute__", "forward"}
)


def uses_other_means(function: types.FunctionType) -> bool:
    """Whether code may get at a module that it does not name.

    Lightning's goes over all parts of a module, but to move, freeze and count them.
    """
    code = function.__code__
    if not may_be_user_code(code.co_filename) or _OTHER_MEANS.isdisjoint(attributes_in(code)):
        return False
    file = str(function.__globals__.get("__name__"))
    return file.partition(".")[0] not in _FRAMEWORKS


def bases_with_code(kind: type) -> list[type]:
    """The classes that a class of modules has code from, torch's base of all excluded."""
    return [base for base in kind.__mro__ if base not in _BARE]


def is_metric(value: Any) -> bool:
    """A module of torchmetrics, which changes with every batch that it is shown."""
    kinds = type(value).__mro__ if isinstance(value, nn.Module) else ()
    return any(kind.__module__.startswith("torchmetrics.") for kind in kinds)


@contextlib.contextmanager
def touching(modules: frozenset[int]) -> Iterator[list[str]]:
    """Yields a list of what is read inside of the modules that have these ids."""
    touched: list[str] = []
    if not modules:
        yield touched
        return

    def read(module: nn.Module, name: str) -> Any:
        if id(module) in modules and name not in _SAYS_NOTHING:
            touched.append(name)
        return object.__getattribute__(module, name)

    nn.Module.__getattribute__ = read  # type: ignore[method-assign, assignment]
    try:
        yield touched
    finally:
        del nn.Module.__getattribute__
