"""Nested arguments and outputs as a flat list of tensors, and back.

ORTModule takes and gives flat tensors here, whatever the user's step takes and gives: nested
containers, named tuples, dataclasses, batch objects, Hugging Face outputs, Python numbers.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import functools
import sys
import types
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

import torch
from torch import Tensor

from .readings import Reading


def _of_numpy(*names: str) -> list[type]:
    """NumPy's types of scalars; torch has imported NumPy where it is installed."""
    numpy = sys.modules.get("numpy")
    return [] if numpy is None else [getattr(numpy, name) for name in names]


_PLAIN_TENSORS = frozenset({Tensor, torch.nn.Parameter, getattr(torch.nn, "Buffer", Tensor)})
_ARRAYS = frozenset(_of_numpy("ndarray"))
# An array is compared whole at each call.
_MOST_BYTES_OF_ARRAY = 2**18
_CONSTANTS = frozenset(
    {type(None), bool, str, bytes, complex, torch.dtype, torch.device, torch.Size, type(Ellipsis)}
)
_NUMBERS = frozenset({int, float, *_of_numpy("float64", "float32", "int64")})
# What they give is read from elsewhere, another time at each step.
_SOURCES = (torch.utils.data.DataLoader, torch.utils.data.Dataset, torch.utils.data.Sampler)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)


class Opaque(Exception):
    """An argument or output in which tensors, if any, cannot be seen.

    Args:
        reason: what it is, as a phrase to show to the user.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Slot:
    """The place of one leaf in a template."""

    index: int


class Leaves:
    """What was found in a nested value, in the order of its traversal.

    Attributes:
        tensors: every tensor.
        numbers: every int and float, NumPy's too (bools are part of the structure).
        sizes: 0, 1 and 2, for all larger ones, as far as they are sizes of the tensors.
        code: functions, and the classes of objects.
        arrays: NumPy's arrays, which are part of the structure with all they hold; None where
            there may be none.
    """

    __slots__ = ("arrays", "code", "numbers", "sizes", "tensors")

    def __init__(self, *, arrays: bool = False) -> None:
        self.arrays: list[Any] | None = [] if arrays else None
        self.code: list[Any] = []
        self.sizes: set[int] = set()
        self.tensors: list[Tensor] = []
        self.numbers: list[Any] = []


class _Container(NamedTuple):
    """How one type of container is taken apart and put together again."""

    parts: Callable[[Any], tuple[Hashable, Iterable[Any]]]
    build: Callable[[Any, Sequence[Any]], Any]


def describe(value: Any, leaves: Leaves) -> Hashable:
    """The structure of `value`; its leaves are appended to `leaves`.

    Two values of equal description differ only in their tensors' values and sizes and in their
    Python numbers. Sizes 0 and 1 are told apart from the others, because the exporter treats
    them apart.

    Raises:
        Opaque: an object whose content cannot be seen is among the values.
    """
    kind = type(value)
    if kind in _PLAIN_TENSORS:
        leaves.tensors.append(value)
        if value.layout is not torch.strided:
            raise Opaque(f"a tensor of layout {value.layout}")
        sizes = tuple([size if size < 2 else 2 for size in value.shape])
        leaves.sizes.update(sizes)
        return (value.dtype, sizes, value.requires_grad, value.device)
    if kind in _NUMBERS:
        leaves.numbers.append(value)
        return (kind,)
    if kind in _CONSTANTS:
        return (kind, value)
    container = _container_of(kind, value)
    if container is not None:
        keys, children = container.parts(value)
        if kind not in _BUILT_IN:
            leaves.code.append(kind)
        return (kind, keys, tuple([describe(child, leaves) for child in children]))
    return _describe_other(kind, value, leaves)


def template_of(value: Any, numbers: frozenset[int] = frozenset()) -> Any:
    """`value` with a `Slot` in the place of each tensor, numbered in the order of `describe`.

    Args:
        value: any nested value that `describe` can describe.
        numbers: which Python numbers, by their position in `Leaves.numbers`, get a slot too;
            these follow those of the tensors.
    """
    leaves = Leaves(arrays=True)
    describe(value, leaves)
    return _Templates(numbers, len(leaves.tensors)).make(value)


class _Templates:
    """Numbers slots in the order of `describe`."""

    def __init__(self, numbers: frozenset[int], tensors: int) -> None:
        self._numbers = numbers
        self._tensor = 0
        self._number = 0
        self._extra = tensors

    def make(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN_TENSORS:
            self._tensor += 1
            return Slot(self._tensor - 1)
        if kind in _NUMBERS:
            return self._make_number(value)
        container = None if kind in _CONSTANTS else _container_of(kind, value)
        if container is None:
            # The script may write to its array later.
            return value.copy() if kind in _ARRAYS else value
        _, children = container.parts(value)
        return _Node(value, container, [self.make(child) for child in children])

    def _make_number(self, value: Any) -> Any:
        self._number += 1
        if self._number - 1 not in self._numbers:
            return value
        self._extra += 1
        return Slot(self._extra - 1)


def rebuild(template: Any, leaves: Sequence[Any]) -> Any:
    """The nested value of `template` with `leaves` in its slots."""
    if type(template) is Slot:
        return leaves[template.index]
    if type(template) is _Node:
        return template.container.build(
            template.like, [rebuild(child, leaves) for child in template.children]
        )
    return template


class _Node:
    """A container in a template; `like` is an emptied example of it."""

    __slots__ = ("children", "container", "like")

    def __init__(self, value: Any, container: _Container, children: list[Any]) -> None:
        self.container = container
        self.children = children
        # The example must not keep a batch of tensors alive.
        self.like = container.build(value, [None] * len(children))


def _describe_other(kind: type, value: Any, leaves: Leaves) -> Hashable:
    if isinstance(value, enum.Enum):
        leaves.code.append(kind)
        return (kind, value.name)
    if isinstance(value, (slice, range)):
        return (kind, _fixed(value.start), _fixed(value.stop), _fixed(value.step))
    if isinstance(value, Reading):
        leaves.numbers.append(value)
        return (type(value.value),)
    if isinstance(value, _FUNCTIONS):
        leaves.code.append(value)
        return (kind, _code_of(value))
    if kind in _ARRAYS and leaves.arrays is not None and _may_stay(value):
        leaves.arrays.append(value)
        return (kind, value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, Tensor):
        raise Opaque(f"a tensor of type {kind.__name__}")
    raise Opaque(f"an object of type {kind.__module__}.{kind.__qualname__}")


def _code_of(function: Any) -> Hashable:
    """What is left of a function without what it reads elsewhere, which the guards look at."""
    if isinstance(function, types.MethodType):
        function = function.__func__
    code: Hashable = getattr(function, "__code__", function)
    return code


def _may_stay(array: Any) -> bool:
    """Whether a graph may hold an array for good: it is known to be the same at each call."""
    return array.nbytes <= _MOST_BYTES_OF_ARRAY and array.dtype.kind in "biufc"


def _fixed(bound: Any) -> Hashable:
    """A bound of a slice, which a graph holds for good."""
    if type(bound) in (int, type(None)):
        return (type(bound), bound)
    raise Opaque(f"a slice with a bound of type {type(bound).__name__}")


def _sequence_parts(value: Any) -> tuple[Hashable, Iterable[Any]]:
    return len(value), value


def _mapping_parts(value: Any) -> tuple[Hashable, Iterable[Any]]:
    return tuple(value.keys()), value.values()


def _mapping_build(like: Any, children: Sequence[Any]) -> Any:
    keys = list(like.keys())
    if type(like) in (dict, OrderedDict):
        return type(like)(zip(keys, children))
    built = copy.copy(like)
    for key, child in zip(keys, children):
        built[key] = child
    return built


def _object_parts(value: Any) -> tuple[Hashable, Iterable[Any]]:
    return _mapping_parts(vars(value))


def _object_build(like: Any, children: Sequence[Any]) -> Any:
    built = object.__new__(type(like))
    built.__dict__.update(zip(vars(like).keys(), children))
    return built


def _partial_parts(value: Any) -> tuple[Hashable, Iterable[Any]]:
    if vars(value):
        raise Opaque("a functools.partial with attributes")
    return None, (value.func, value.args, value.keywords)


def _partial_build(like: Any, children: Sequence[Any]) -> Any:
    function, args, keywords = children
    return None if function is None else functools.partial(function, *args, **keywords)


_LIST = _Container(_sequence_parts, lambda like, children: list(children))
_DEQUE = _Container(
    lambda value: ((len(value), value.maxlen), value),
    lambda like, children: deque(children, like.maxlen),
)
_TUPLE = _Container(_sequence_parts, lambda like, children: tuple(children))
_NAMED_TUPLE = _Container(_sequence_parts, lambda like, children: type(like)(*children))
_MAPPING = _Container(_mapping_parts, _mapping_build)
_OBJECT = _Container(_object_parts, _object_build)
_PARTIAL = _Container(_partial_parts, _partial_build)

_BUILT_IN = frozenset({list, tuple, deque, dict, OrderedDict, functools.partial})
_KNOWN: dict[type, _Container | None] = {
    list: _LIST,
    tuple: _TUPLE,
    deque: _DEQUE,
    dict: _MAPPING,
    OrderedDict: _MAPPING,
    functools.partial: _PARTIAL,
}


def _container_of(kind: type, value: Any) -> _Container | None:
    try:
        return _KNOWN[kind]
    except KeyError:
        _KNOWN[kind] = container = _classify(kind, value)
        return container


def _classify(kind: type, value: Any) -> _Container | None:
    if issubclass(kind, tuple):
        return _NAMED_TUPLE if hasattr(kind, "_make") else None
    if issubclass(kind, Mapping):
        return _MAPPING
    if issubclass(kind, (Tensor, torch.nn.Module, enum.Enum, *_FUNCTIONS, *_SOURCES)):
        return None
    # A batch object, a namespace, a dataclass: everything it holds must be in its __dict__.
    holds_all = "__dict__" in dir(kind) and not _has_hidden_state(kind)
    return _OBJECT if holds_all else None


def _has_hidden_state(kind: type) -> bool:
    if any(getattr(base, "__slots__", ()) for base in kind.__mro__):
        return True
    makes_itself = any("__new__" in vars(base) for base in kind.__mro__ if base is not object)
    return makes_itself or kind.__basicsize__ > _PLAIN_OBJECT_SIZE


class _PlainObject:
    """An instance with nothing but a __dict__."""


_PLAIN_OBJECT_SIZE = _PlainObject.__basicsize__
