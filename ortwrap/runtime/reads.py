"""Which attributes and globals a forward can read, found in its code.

A guard on everything that a model holds would be slow and would fire on what forward never sees;
the names in the code of forward, and of all it calls, are few.
"""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from .reasons import is_user_code

_MAX_FUNCTIONS = 2_000
_NEVER_READ = frozenset({"__init__", "extra_repr", "__repr__", "state_dict", "load_state_dict"})


@dataclass(frozen=True)
class Reads:
    """What the code can read.

    Attributes:
        attributes: every attribute name and every string in the code.
        names: (namespace, name) of every global that is not a function, class or module.
        cells: the closure cells.
    """

    attributes: frozenset[str]
    names: tuple[tuple[dict[str, Any], str], ...]
    cells: tuple[types.CellType, ...]


def reads_of(roots: Iterable[nn.Module | Any]) -> Reads:
    """What the forwards of `roots` (modules and plain callables), and all they call, can read."""
    attributes: set[str] = set()
    names: dict[tuple[int, str], tuple[dict[str, Any], str]] = {}
    cells: dict[int, types.CellType] = {}
    seen: set[int] = set()
    stack = [function for root in roots for function in _functions_of(root)]
    while stack and len(seen) < _MAX_FUNCTIONS:
        function = stack.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        found, called = _read_by(function)
        attributes |= found
        for cell in function.__closure__ or ():
            cells[id(cell)] = cell
            stack.extend(_callables((_content(cell),)))
        if not is_user_code(function.__code__.co_filename):
            continue
        for name in called:
            value = function.__globals__.get(name, _MISSING)
            if isinstance(value, (types.FunctionType, functools.partial)):
                stack.extend(_callables((value,)))
            elif not isinstance(value, (type, types.ModuleType)) and value is not _MISSING:
                names[(id(function.__globals__), name)] = (function.__globals__, name)
                stack.extend(_callables((value,)))
    return Reads(frozenset(attributes), tuple(names.values()), tuple(cells.values()))


_MISSING = object()


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _functions_of(root: Any) -> list[types.FunctionType]:
    if isinstance(root, nn.Module):
        return [*_methods(type(root)), *_callables(vars(root).values())]
    return list(_callables((root,)))


def _callables(values: Iterable[Any]) -> Iterator[types.FunctionType]:
    """The plain functions behind functions, bound methods, partials and callable objects."""
    for value in values:
        if isinstance(value, types.FunctionType):
            yield value
            if hasattr(value, "__wrapped__"):
                yield from _callables((value.__wrapped__,))
        elif isinstance(value, types.MethodType):
            yield from _callables((value.__func__,))
            yield from _methods(type(value.__self__))
        elif isinstance(value, functools.partial):
            yield from _callables((value.func, *value.args, *value.keywords.values()))
        elif not isinstance(value, (type, nn.Module)) and _is_user_object(value):
            yield from _methods(type(value))


def _is_user_object(value: Any) -> bool:
    return callable(value) and hasattr(value, "__dict__")


def _methods(kind: type) -> tuple[types.FunctionType, ...]:
    """Every method and property of `kind` that a forward may run, torch's own base excluded."""
    known = _METHODS.get(kind)
    if known is None:
        bases = [base for base in kind.__mro__ if base not in (object, nn.Module)]
        members = [item for base in bases for item in vars(base).items()]
        found = [_plain(member) for name, member in members if name not in _NEVER_READ]
        _METHODS[kind] = known = tuple(function for group in found for function in group)
    return known


_METHODS: weakref.WeakKeyDictionary[type, tuple[types.FunctionType, ...]] = (
    weakref.WeakKeyDictionary()
)


def _plain(member: Any) -> Iterator[types.FunctionType]:
    if isinstance(member, types.FunctionType):
        yield member
    elif isinstance(member, (staticmethod, classmethod)):
        yield from _plain(member.__func__)
    elif isinstance(member, property):
        yield from _plain(member.fget)


@functools.lru_cache(maxsize=16384)
def _read_by_code(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    attributes = set(code.co_names)
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, str) and constant.isidentifier():
            attributes.add(constant)
        elif isinstance(constant, types.CodeType):
            inner_attributes, inner_names = _read_by_code(constant)
            attributes |= inner_attributes
            names |= inner_names
    return frozenset(attributes), frozenset(names)


def _read_by(function: types.FunctionType) -> tuple[frozenset[str], frozenset[str]]:
    return _read_by_code(function.__code__)
