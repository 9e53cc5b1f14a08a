"""What Functions of the user keep of their backwards: counts, logs, averages of gradients.

ONNX Runtime calls such a backward as torch does, in each step. An attempt calls it more often, and
nobody may see that afterwards.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from typing import Any

import torch

from .code_names import attributes_in, globals_in
from .containers import Containers
from .reads import is_users
from .reasons import may_be_user_code
from .structure import Leaves, describe

_MISSING = object()
_CODE = (types.FunctionType, staticmethod, classmethod, property)


@contextlib.contextmanager
def kept_behind(result: Any) -> Iterator[None]:
    """Gives back at the end what the backwards of the Functions behind `result` can reach."""
    leaves = Leaves()
    describe(result, leaves)
    state = _State()
    for kind in _functions_behind(leaves.tensors):
        state.remember_class(kind)
    try:
        yield
    finally:
        state.restore()


def _functions_behind(outputs: list[torch.Tensor]) -> list[type]:
    found: dict[type, None] = {}
    seen: set[Any] = set()
    stack: list[Any] = [output.grad_fn for output in outputs]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        kind = getattr(type(node), "_forward_cls", None)
        if isinstance(kind, type):
            found[kind] = None
        stack.extend(following for following, _ in node.next_functions)
    return list(found)


class _State:
    """Names and containers that code can reach, with what they hold."""

    def __init__(self) -> None:
        self._containers = Containers()
        self._members: list[tuple[type, str, Any]] = []
        self._globals: list[tuple[dict[str, Any], str, Any]] = []
        self._cells: list[tuple[types.CellType, Any]] = []
        self._seen: set[Any] = set()

    def remember_class(self, kind: type) -> None:
        """The attributes of a class of the user, and what its code can reach."""
        for base in filter(is_users, kind.__mro__):
            if base in self._seen:
                continue
            self._seen.add(base)
            for name, value in list(vars(base).items()):
                if isinstance(value, _CODE):
                    self._remember_code(getattr(value, "__func__", value))
                elif not name.startswith("__"):
                    self._members.append((base, name, value))
                    self._remember_value(value)

    def restore(self) -> None:
        for kind, name, value in self._members:
            if vars(kind).get(name, _MISSING) is not value:
                setattr(kind, name, value)
        for namespace, name, value in self._globals:
            namespace[name] = value
        for cell, value in self._cells:
            cell.cell_contents = value
        self._containers.restore()

    def _remember_code(self, function: Any) -> None:
        if not isinstance(function, types.FunctionType) or function in self._seen:
            return
        self._seen.add(function)
        if not may_be_user_code(function.__code__.co_filename):
            return
        for cell in function.__closure__ or ():
            with contextlib.suppress(ValueError):  # nothing is in it yet
                self._cells.append((cell, cell.cell_contents))
                self._remember_value(cell.cell_contents)
        self._remember_names(function.__globals__, globals_in(function.__code__), function)

    def _remember_names(
        self, namespace: dict[str, Any], names: frozenset[str], function: types.FunctionType
    ) -> None:
        for name in names & namespace.keys():
            value = namespace[name]
            self._globals.append((namespace, name, value))
            if isinstance(value, types.ModuleType) and is_users(value) and value not in self._seen:
                self._seen.add(value)
                self._remember_names(vars(value), attributes_in(function.__code__), function)
            else:
                self._remember_value(value)

    def _remember_value(self, value: Any) -> None:
        if isinstance(value, type):
            if is_users(value):
                self.remember_class(value)
        elif isinstance(value, types.FunctionType):
            self._remember_code(value)
        else:
            self._containers.remember(value)
