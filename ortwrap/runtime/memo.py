"""One wrapper for one (class, modules), kept as long as the modules live.

A script that calls `ort_module` once an epoch must export once; one that rebuilds its model must
not keep the old one alive. What is kept between calls therefore holds no reference to the modules.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Hashable, Sequence
from typing import Any, Callable

from torch import nn

from .identity import Identity

_PLAIN = (type(None), bool, int, float, str, bytes)
_Functions = tuple[types.FunctionType, ...]
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))


def key_of(kind: type, parts: Sequence[Any], on_death: Callable[[], None]) -> Hashable:
    """What `ort_module` remembers a wrapper by.

    Args:
        kind: the wrapper class.
        parts: its modules and callables.
        on_death: called when one that is remembered by identity is collected.
    """
    return (kind, tuple([_part_key(part, on_death) for part in parts]))


def is_alive(key: Hashable) -> bool:
    """Whether no part of a key of `key_of` has been collected."""
    if isinstance(key, Identity):
        return key.alive
    return all(map(is_alive, key)) if isinstance(key, tuple) else True


def keeps_a_part(key: Hashable) -> bool:
    """Whether a key of `key_of` keeps a part alive, such as a dictionary of tensors."""
    if isinstance(key, Identity):
        return key.keeps
    return any(map(keeps_a_part, key)) if isinstance(key, tuple) else False


def _part_key(part: Any, on_death: Callable[[], None], above: _Functions = ()) -> Hashable:
    """The key of a part, or of what a function that is one, or those `above` it, hold."""
    if isinstance(part, nn.Module):
        state = _stateless_key(part, on_death)
        return state if state is not None else Identity(part, on_death)
    if isinstance(part, types.FunctionType) and not vars(part):
        if part in above:
            return ("itself", above.index(part))
        inside = (*above, part)
        closure = tuple([_cell_key(cell, on_death, inside) for cell in part.__closure__ or ()])
        defaults = (part.__defaults__ or (), tuple((part.__kwdefaults__ or {}).items()))
        plain = _plain_key(defaults)
        if plain is not None:
            return ("function", part.__code__, id(part.__globals__), plain, closure)
    if isinstance(part, functools.partial):
        arguments = _plain_key((part.args, tuple(sorted(part.keywords.items()))))
        if arguments is not None:
            return ("partial", _part_key(part.func, on_death, above), arguments)
    if isinstance(part, types.MethodType):
        return ("method", part.__func__, _part_key(part.__self__, on_death, above))
    plain = _plain_key(part)
    return plain if plain is not None else Identity(part, on_death)


def _cell_key(cell: types.CellType, on_death: Callable[[], None], above: _Functions) -> Hashable:
    try:
        return _part_key(cell.cell_contents, on_death, above)
    except ValueError:
        return "empty"


def _stateless_key(module: nn.Module, on_death: Callable[[], None]) -> Hashable:
    """Scripts make their criterion anew each epoch: equal ones, of the same weights, are one."""
    if any(True for _ in module.parameters()):
        return None
    attributes = vars(module).items()
    if any(value for name, value in attributes if name.endswith("hooks")):
        return None
    own = [(name, value) for name, value in attributes if name not in _OF_EVERY_MODULE]
    values = tuple((name, _plain_key(value)) for name, value in own)
    if any(key is None for _, key in values):
        return None
    children = tuple(
        (name, _stateless_key(child, on_death))
        for name, child in module._modules.items()
        if child is not None
    )
    if any(key is None for _, key in children):
        return None
    buffers = tuple(
        (name, Identity(buffer, on_death))
        for name, buffer in module._buffers.items()
        if buffer is not None
    )
    return ("stateless", type(module), values, children, buffers)


def _plain_key(value: Any) -> Hashable:
    """The value with its type, None when it is not plain."""
    if type(value) in _PLAIN:
        return (type(value), value)
    if type(value) is tuple:
        keys = tuple([_plain_key(item) for item in value])
        return None if any(key is None for key in keys) else ("tuple", keys)
    return None
