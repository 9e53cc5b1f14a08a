"""Guards on the Python state that a forward reads: attributes, globals, closures, hooks.

`Watch` walks that state once into rows of (namespace, name, object). Asking whether anything
changed then compares identities only, at the speed of C; the walk is repeated when one differs.
"""

from __future__ import annotations

import enum
import functools
import operator
import types
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .generators import is_generator
from .reads import Reads, is_users, reads_of
from .tree import flatten, hook_tables, original, set_by_hooks

# Deeper or longer than this it is the user's data, not the configuration of a model.
_MAX_DEPTH = 3
_MAX_ITEMS = 256

_PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    torch.dtype,
    torch.device,
    torch.Size,
    type(Ellipsis),
)
_INTERNAL = frozenset(
    name for name in nn.Module().__dict__ if name not in ("training", "_parameters", "_buffers")
)
# Guarded whether or not any code names them.
_ALWAYS = frozenset({"training", "forward"})
_NOT_WALKED = (type, types.ModuleType, types.BuiltinFunctionType)


class Watch:
    """The state under some modules and callables at one moment.

    Attributes:
        key: equal for equal state.
        modules: the modules that were walked.
        outside: those that forward can reach, but that are not among these.
        generators: what forward can draw random numbers from, global ones excluded.
    """

    def __init__(
        self, modules: Sequence[nn.Module], held: frozenset[tuple[int, str]] = frozenset()
    ) -> None:
        """
        Args:
            modules: the flattened tree, the wrapper's own instance included.
            held: attributes whose values are given to the graph, by the module's id and their name.
        """
        self.modules = tuple(modules)
        self._held = held
        self.generators: list[Any] = []
        # In flat lists, so that `unchanged` compares them without a loop in Python.
        self._spaces: list[dict[str, Any]] = []
        self._names: list[str] = []
        self._values: list[Any] = []
        self._places: dict[tuple[int, str], list[int]] = {}
        # The same for classes, whose namespaces are views.
        self._views: list[Any] = []
        self._members: list[str] = []
        self._member_values: list[Any] = []
        self._sized: list[Any] = []
        self._sizes: list[int] = []
        self._lists: list[tuple[Any, tuple[Any, ...]]] = []
        self._sets: list[tuple[Any, frozenset[Any]]] = []
        self._tensors: list[tuple[Tensor, int]] = []
        self._cells: list[tuple[types.CellType, Any]] = []
        self._own = {id(module): index for index, module in enumerate(self.modules)}
        self._seen: set[int] = set()
        self._reads = reads_of(modules)
        # A compiled twin of one, under a global name that forward happens to mention, is none.
        self.outside = flatten(
            [one for one in self._reads.modules if id(original(one)) not in self._own]
        )
        for table in hook_tables((*modules, *self.outside)):
            self._fix_size(table)
        hooks = tuple(self._sizes)
        self.parameters, self.buffers = _registered(self.modules)
        self._registered = frozenset(map(id, (*self.parameters, *self.buffers)))
        self.key: Hashable = (
            tuple([self._module(module) for module in self.modules]),
            tuple([self._outsider(module) for module in self.outside]),
            self._outside(self._reads),
            hooks,
            _shapes(self.modules),
        )

    def of_parameters(self) -> tuple[Hashable, Hashable]:
        """What may change of parameters that stay the same objects: who is trained, and dtypes."""
        trained = tuple([parameter.requires_grad for parameter in self.parameters])
        return trained, tuple([parameter.dtype for parameter in self.parameters])

    def unchanged(self) -> bool:
        """Whether everything is what it was. False may also mean equal, but another object."""
        found = map(dict.get, self._spaces, self._names)
        members = map(types.MappingProxyType.get, self._views, self._members)
        return (
            all(map(operator.is_, found, self._values))
            and all(map(operator.is_, members, self._member_values))
            and list(map(len, self._sized)) == self._sizes
            and self._containers_unchanged()
        )

    def follow(self, namespace: dict[str, Any], name: str) -> None:
        """Takes what stands in a namespace now for what has been there all the time."""
        if (id(namespace), name) not in self._places:
            rows = enumerate(zip(self._spaces, self._names))
            self._places[id(namespace), name] = [
                index for index, (space, known) in rows if space is namespace and known == name
            ]
        for index in self._places[id(namespace), name]:
            self._values[index] = namespace.get(name)

    def again(self) -> Watch:
        """The state of the same modules now."""
        return Watch(self.modules, self._held)

    def first_change(self) -> str:
        """The name of something that is not what it was, to show to the user."""
        rows = zip(self._spaces, self._names, self._values)
        for space, name, value in rows:
            if space.get(name) is not value:
                return f"`{name}`"
        return "what it reads"

    def _containers_unchanged(self) -> bool:
        for sequence, items in self._lists:
            if len(sequence) != len(items) or not all(map(operator.is_, sequence, items)):
                return False
        for tensor, version in self._tensors:
            if tensor._version != version:
                return False
        for cell, value in self._cells:
            if _content(cell) is not value:
                return False
        return all(group == content for group, content in self._sets)

    def _module(self, module: nn.Module) -> Hashable:
        namespace, held = module.__dict__, self._held
        left_out = _INTERNAL | set_by_hooks(module)
        names = [
            name
            for name in namespace
            if name in _ALWAYS or (name in self._reads.attributes and name not in left_out)
            if (id(module), name) not in held
        ]
        own = self._namespace(namespace, names, True, 0)
        for table in ("_parameters", "_buffers", "_modules"):
            entries = namespace.get(table)
            # An empty one too: forward may ask whether there is something in it. What holds the
            # parameters of a scripted module is no dictionary, and no graph is made of it.
            if isinstance(entries, dict):
                self._add_rows(entries, tuple(entries), tuple(entries.values()))
                self._fix_size(entries)
        return (type(module), own, tuple(module._modules.keys()))

    def _outsider(self, module: nn.Module) -> Hashable:
        """A module whose tensors are constants of a graph."""
        tensors = [*module._parameters.values(), *module._buffers.values()]
        held = tuple([None if tensor is None else self._tensor(tensor) for tensor in tensors])
        return (id(module), self._module(module), held)

    def _outside(self, reads: Reads) -> Hashable:
        parts: list[Hashable] = []
        for namespace, name in reads.names:
            if name in namespace:
                parts.append((name, self._namespace(namespace, (name,), False, 0)))
        for cell in reads.cells:
            content = _content(cell)
            self._cells.append((cell, content))
            parts.append(self._value(content, 0))
        parts.extend([self._owner(owner, 0) for owner in reads.owners])
        return tuple(parts)

    def _owner(self, owner: type | types.ModuleType, depth: int) -> Hashable:
        """A class or a file of the user: what stands in it under names that the code has."""
        if id(owner) in self._seen:
            return ("owner", id(owner))
        self._seen.add(id(owner))
        space = vars(owner)
        wanted = self._reads.attributes
        names = tuple([name for name in space if name in wanted or name == "forward"])
        if isinstance(owner, types.ModuleType):
            return (owner.__name__, self._namespace(owner.__dict__, names, False, depth + 1))
        values = tuple([space[name] for name in names])
        self._views.extend([space] * len(names))
        self._members.extend(names)
        self._member_values.extend(values)
        found = [(name, self._value(value, depth + 1)) for name, value in zip(names, values)]
        return (owner.__qualname__, tuple(found))

    def _add_rows(
        self, namespace: dict[str, Any], names: Sequence[str], values: Sequence[Any]
    ) -> None:
        self._spaces.extend([namespace] * len(names))
        self._names.extend(names)
        self._values.extend(values)

    def _fix_size(self, container: Any) -> None:
        self._sized.append(container)
        self._sizes.append(len(container))

    def _namespace(
        self, namespace: dict[str, Any], names: Iterable[str], sized: bool, depth: int
    ) -> Hashable:
        chosen = tuple(names)
        values = tuple([namespace[name] for name in chosen])
        self._add_rows(namespace, chosen, values)
        if sized:
            self._fix_size(namespace)
        return tuple([(name, self._value(value, depth)) for name, value in zip(chosen, values)])

    def _value(self, value: Any, depth: int) -> Hashable:
        kind = type(value)
        if kind in _PLAIN:
            return (kind, value)
        if isinstance(value, enum.Enum):
            return (kind, value.name)
        if isinstance(value, Tensor):
            return self._tensor(value)
        if is_generator(value):
            self.generators.append(value)
            return (kind, id(value))
        if isinstance(value, nn.Module):
            return ("module", self._own.get(id(value), id(value)))
        if isinstance(value, type) and depth < _MAX_DEPTH and is_users(value):
            return self._owner(value, depth)
        if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
            return self._function(value, depth)
        if isinstance(value, _NOT_WALKED) or depth >= _MAX_DEPTH or id(value) in self._seen:
            return (kind, id(value))
        if kind in (list, tuple, deque):
            return self._sequence(value, depth)
        if kind in (set, frozenset):
            self._sets.append((value, frozenset(value)))
            return (kind, frozenset(map(repr, value)))
        return self._walked(value, depth)

    def _function(self, value: Any, depth: int) -> Hashable:
        """A function by its code: scripts make the same one anew. `_outside` sees to its cells."""
        if isinstance(value, functools.partial):
            found = tuple([self._value(part, depth) for part in (value.func, *value.args)])
            # A dictionary that a script can write to: `loss.keywords["weight"] = ...`.
            given = self._namespace(value.keywords, tuple(value.keywords), True, depth)
            return ("partial", found, given)
        if isinstance(value, types.MethodType):
            return ("method", value.__func__.__code__, self._value(value.__self__, depth))
        keywords = value.__kwdefaults__ or {}
        defaults = (*(value.__defaults__ or ()), *keywords.values())
        found = tuple([self._value(default, depth + 1) for default in defaults])
        return ("function", value.__code__, tuple(keywords), found)

    def _walked(self, value: Any, depth: int) -> Hashable:
        """A dictionary's content, or of an object the attributes that the code names."""
        self._seen.add(id(value))
        kind = type(value)
        if isinstance(value, dict):
            if len(value) > _MAX_ITEMS:
                return (kind, id(value), len(value))
            return (kind, self._namespace(value, tuple(value), True, depth + 1))
        attributes = getattr(value, "__dict__", None)
        if not isinstance(attributes, dict):
            return (kind, id(value))
        names = [name for name in attributes if name in self._reads.attributes]
        return (kind, id(value), self._namespace(attributes, names, True, depth + 1))

    def _sequence(self, value: Any, depth: int) -> Hashable:
        if len(value) > _MAX_ITEMS:
            return (type(value), id(value), len(value))
        if type(value) is not tuple:
            self._seen.add(id(value))
            self._lists.append((value, tuple(value)))
        return (type(value), tuple([self._value(item, depth + 1) for item in value]))

    def _tensor(self, tensor: Tensor) -> Hashable:
        if id(tensor) in self._registered:
            return ("registered", id(tensor))
        self._tensors.append((tensor, tensor._version))
        return ("tensor", id(tensor), tensor._version)


def _registered(modules: Sequence[nn.Module]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    parameters: dict[int, Tensor] = {}
    buffers: dict[int, Tensor] = {}
    for module in modules:
        for table, found in ((module._parameters, parameters), (module._buffers, buffers)):
            for tensor in table.values():
                if tensor is not None:
                    found.setdefault(id(tensor), tensor)
    return tuple(parameters.values()), tuple(buffers.values())


def _shapes(modules: Sequence[nn.Module]) -> Hashable:
    """Sizes, types and ties of parameters and buffers: what a graph depends on of them."""
    order: dict[int, int] = {}
    rows: list[Hashable] = []
    tables = [table for module in modules for table in (module._parameters, module._buffers)]
    for table in tables:
        for name, tensor in table.items():
            if tensor is None:
                rows.append((name, None))
                continue
            index = order.setdefault(id(tensor), len(order))
            if is_lazy(tensor):
                rows.append((name, index, "lazy"))
                continue
            rows.append((name, index, tensor.shape, tensor.dtype, tensor.device))
    return tuple(rows)


def _content(cell: types.CellType) -> Any | None:
    try:
        return cell.cell_contents
    except ValueError:
        return None
