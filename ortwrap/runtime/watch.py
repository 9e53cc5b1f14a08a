"""Guards on the Python state that a forward reads: attributes, globals, closures, hooks.

`Watch` walks that state once into a ledger. Asking whether anything changed then compares
identities only; the walk is repeated when one differs.
"""

from __future__ import annotations

import contextvars
import enum
import functools
import io
import os
import types
from collections import OrderedDict, deque
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .generators import is_generator
from .identity import Identity
from .ledger import Ledger
from .reads import Reads, is_users, reads_of
from .reasons import Reason
from .tree import flatten, hook_tables, original, set_by_hooks

# Deeper or longer than this it is the user's data, not the configuration of a model.
_MAX_DEPTH = 3
_MAX_NESTED = 8
_MAX_ITEMS = 256
_MAX_NUMBERS = 4096
_MAX_BYTES = 2**18

_PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
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
_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)
_BUILT_IN = frozenset({list, tuple, deque, dict, OrderedDict})
_ENVIRONMENT = frozenset({"environ", "getenv"})


class Watch:
    """The state under some modules and callables at one moment.

    Attributes:
        key: equal for equal state.
        modules: the modules that were walked.
        outside: those that forward can reach, but that are not among these.
        unread: the ids of those that it does not get at, as far as the code tells.
        generators: what forward can draw random numbers from, global ones excluded.
        obstacle: what in the state no graph can follow, None if nothing.
    """

    def __init__(
        self,
        modules: Sequence[nn.Module],
        held: Collection[tuple[int, str]] = frozenset(),
        given: Sequence[Any] = (),
        all_parts: bool = False,
    ) -> None:
        """
        Args:
            modules: the flattened tree, the wrapper's own instance first.
            held: attributes whose values are given to the graph, by the module's id and their name.
            given: functions, and classes of objects, that forward is given as arguments.
            all_parts: whether forward gets at modules that no code names.
        """
        self.modules = tuple(modules)
        self._held = held
        self._given = tuple(given)
        self._all_parts = all_parts
        self.generators: list[Any] = []
        self.obstacle: Reason | None = None
        self._ledger = Ledger()
        self._own = {id(module): index for index, module in enumerate(self.modules)}
        self._seen: set[int] = set()
        self._reads = reads_of(modules, given, all_parts)
        self.unread = self._reads.unread
        # A compiled twin of one, under a global name that forward happens to mention, is none.
        self.outside = flatten(
            [one for one in self._reads.modules if id(original(one)) not in self._own]
        )
        for table in hook_tables((*modules, *self.outside)):
            self._ledger.size(table)
        hooks = self._ledger.sizes
        self.parameters, self.buffers = _registered(self.modules)
        self._ledger.registered(
            [one for one in self.parameters if not is_lazy(one)],
            [one for one in self.buffers if not is_lazy(one)],
        )
        tensors = enumerate((*self.parameters, *self.buffers))
        self._registered = {id(tensor): index for index, tensor in tensors}
        self.key: Hashable = (
            tuple([self._module(module) for module in self.modules]),
            tuple([self._outsider(module) for module in self.outside]),
            self._outside(self._reads),
            tuple([self._value(one, 0) for one in given]),
            hooks,
            _shapes(self.modules),
        )

    def of_parameters(self) -> tuple[Hashable, Hashable]:
        """What may change of parameters that stay the same objects: who is trained, and dtypes."""
        trained = tuple([parameter.requires_grad for parameter in self.parameters])
        return trained, tuple([parameter.dtype for parameter in self.parameters])

    def covers(self, given: Sequence[Any]) -> bool:
        """Whether it knows these arguments of forward."""
        known = self._given
        return len(given) == len(known) and all(a is b for a, b in zip(given, known))

    def unchanged(self) -> bool:
        """Whether everything is what it was. False may also mean equal, but another object."""
        return self._ledger.unchanged()

    def follow(self, namespace: dict[str, Any], name: str) -> None:
        """Takes what stands in a namespace now for what has been there all the time."""
        self._ledger.follow(namespace, name)

    def again(self) -> Watch:
        """The state of the same modules now."""
        return Watch(self.modules, self._held, self._given, self._all_parts)

    def first_change(self) -> str:
        """The name of something that is not what it was, to show to the user."""
        return self._ledger.first_change()

    def _module(self, module: nn.Module) -> Hashable:
        namespace, held = module.__dict__, self._held
        left_out = _INTERNAL | set_by_hooks(module)
        read = () if id(module) in self.unread else self._read_in(namespace)
        names = [
            name
            for name in namespace
            if name in _ALWAYS or (name in read and name not in left_out)
            if (id(module), name) not in held
        ]
        own = self._namespace(namespace, names, True, 0)
        for table in ("_parameters", "_buffers", "_modules"):
            entries = namespace.get(table)
            # An empty one too: forward may ask whether there is something in it. What holds the
            # parameters of a scripted module is no dictionary, and no graph is made of it.
            if isinstance(entries, dict):
                self._ledger.rows(entries, tuple(entries), tuple(entries.values()))
                self._ledger.size(entries)
        return (type(module), own, tuple(module._modules.keys()))

    def _read_in(self, namespace: dict[str, Any]) -> dict[str, None]:
        """The names in a namespace of attributes that the code may read, in their order.

        By a name that it computes it may mean a number or a tensor of any name.
        """
        named, any_name = self._reads.attributes, self._reads.computes_names
        return {
            name: None
            for name, value in namespace.items()
            if name in named or (any_name and isinstance(value, (*_PLAIN, Tensor)))
        }

    def _outsider(self, module: nn.Module) -> Hashable:
        """A module whose tensors are constants of a graph."""
        tensors = [*module._parameters.values(), *module._buffers.values()]
        held = tuple([None if tensor is None else self._tensor(tensor) for tensor in tensors])
        return (Identity(module), self._module(module), held)

    def _outside(self, reads: Reads) -> Hashable:
        parts: list[Hashable] = []
        for namespace, name in reads.names:
            if name in namespace:
                parts.append((name, self._namespace(namespace, (name,), False, 0)))
        for cell in reads.cells:
            content = self._ledger.answer(functools.partial(_content, cell))
            parts.append(self._value(content, 0))
        parts.extend([self._owner(owner, 0) for owner in reads.owners])
        if _ENVIRONMENT & reads.attributes:
            table = getattr(os.environ, "_data", {})
            parts.append(self._namespace(table, tuple(table), True, 0))
        return tuple(parts)

    def _owner(self, owner: type | types.ModuleType, depth: int) -> Hashable:
        """A class or a file of the user: what stands in it under names that the code has."""
        if id(owner) in self._seen:
            return ("owner", Identity(owner))
        self._seen.add(id(owner))
        space = vars(owner)
        wanted = self._reads.attributes
        names = tuple([name for name in space if name in wanted or name == "forward"])
        if isinstance(owner, types.ModuleType):
            return (owner.__name__, self._namespace(owner.__dict__, names, False, depth + 1))
        values = tuple([space[name] for name in names])
        self._ledger.members(space, names, values)
        self._ledger.size(space)
        found = [(name, self._value(value, depth + 1)) for name, value in zip(names, values)]
        return (owner.__qualname__, tuple(found))

    def _namespace(
        self, namespace: dict[str, Any], names: Iterable[str], sized: bool, depth: int
    ) -> Hashable:
        chosen = tuple(names)
        # As the ledger asks: a dictionary of the user's own kind may make what it is asked for.
        values = tuple([dict.get(namespace, name) for name in chosen])
        self._ledger.rows(namespace, chosen, values)
        if sized:
            self._ledger.size(namespace)
        return tuple([(name, self._value(value, depth)) for name, value in zip(chosen, values)])

    def _value(self, value: Any, depth: int) -> Hashable:
        kind = type(value)
        if kind in _PLAIN:
            return (kind, value)
        if isinstance(value, enum.Enum):
            return (kind, value.name, self._value(value._value_, depth + 1))
        if isinstance(value, Tensor):
            return self._tensor(value)
        if is_generator(value):
            self.generators.append(value)
            return (kind, Identity(value))
        if isinstance(value, nn.Module):
            return ("module", self._own.get(id(value), Identity(value)))
        if isinstance(value, type) and depth < _MAX_DEPTH and is_users(value):
            return self._owner(value, depth)
        if isinstance(value, _FUNCTIONS):
            return self._function(value, depth)
        deepest = _MAX_NESTED if kind in _BUILT_IN else _MAX_DEPTH
        if isinstance(value, _NOT_WALKED) or depth >= deepest or id(value) in self._seen:
            return (kind, Identity(value))
        return self._object(value, depth)

    def _object(self, value: Any, depth: int) -> Hashable:
        """A container, or an object of a class that means nothing to torch."""
        kind = type(value)
        if isinstance(value, (set, frozenset)):
            self._ledger.group(value)
            return (kind, frozenset(map(repr, value)))
        if isinstance(value, (list, tuple, deque, dict)):
            content = self._container(value, depth)
            return (kind, content, None if kind in _BUILT_IN else self._attributes(value, depth))
        if isinstance(value, (str, int, float)):
            return (kind, repr(value), self._attributes(value, depth))
        if isinstance(value, slice):
            bounds = (value.start, value.stop, value.step)
            return (kind, tuple([self._value(bound, depth + 1) for bound in bounds]))
        if kind.__module__ == "numpy" and hasattr(value, "nbytes"):
            return self._of_numpy(value)
        if isinstance(value, contextvars.ContextVar):
            content = self._ledger.answer(functools.partial(value.get, None))
            return (kind, self._value(content, depth + 1))
        if _moves_unseen(kind):
            text = f"forward can read an iterator ({kind.__name__}), which moves on unseen"
            self.obstacle = self.obstacle or Reason(text)
        return (kind, Identity(value), self._attributes(value, depth))

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
        own = [name for name in value.__dict__ if name in self._reads.attributes]
        attributes = self._namespace(value.__dict__, own, True, depth + 1)
        return ("function", value.__code__, tuple(keywords), found, attributes)

    def _attributes(self, value: Any, depth: int) -> Hashable:
        """The attributes of an object that the code names."""
        self._seen.add(id(value))
        found: list[Hashable] = []
        namespace = getattr(value, "__dict__", None)
        if isinstance(namespace, dict):
            names = list(self._read_in(namespace))
            # A section of a configuration keeps what it is asked for in a dictionary: to who reads
            # `config.loss.weight` that is no level, nor is the section that is one of its items.
            keeps = hasattr(type(value), "__getattr__")
            level = max(depth - 1, 0) if keeps else depth + 1
            found.append(self._namespace(namespace, names, True, level))
        for name in _slots_of(type(value)) & self._reads.attributes:
            content = self._ledger.answer(functools.partial(getattr, value, name, None))
            found.append((name, self._value(content, depth + 1)))
        return tuple(found)

    def _container(self, value: Any, depth: int) -> Hashable:
        if len(value) > (_MAX_NUMBERS if _is_of_numbers(value) else _MAX_ITEMS):
            return (Identity(value), len(value))
        if not isinstance(value, tuple):
            # A tuple may be met again as another object that has the same address.
            self._seen.add(id(value))
        if isinstance(value, dict):
            self._ledger.order(value)
            return self._namespace(value, tuple(value), False, depth + 1)
        if not isinstance(value, tuple):
            self._ledger.items(value)
        return tuple([self._value(item, depth + 1) for item in value])

    def _of_numpy(self, value: Any) -> Hashable:
        """A scalar, or an array, unless it is large."""
        if value.nbytes > _MAX_BYTES or value.dtype.hasobject:
            return (type(value), Identity(value))
        return (value.dtype.str, value.shape, self._ledger.array(value))

    def _tensor(self, tensor: Tensor) -> Hashable:
        index = self._registered.get(id(tensor))
        if index is not None:
            return ("registered", index)
        content = self._ledger.tensor(tensor)
        return ("tensor", Identity(tensor), content, tensor.requires_grad)


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
    for module in modules:
        for table in (module._parameters, module._buffers):
            for name, tensor in table.items():
                if tensor is None:
                    rows.append((name, None))
                    continue
                index = order.setdefault(id(tensor), len(order))
                if is_lazy(tensor):
                    rows.append((name, index, "lazy"))
                    continue
                trained = table is module._buffers and tensor.requires_grad
                rows.append((name, index, tensor.shape, tensor.dtype, tensor.device, trained))
    return tuple(rows)


def _is_of_numbers(value: Any) -> bool:
    """Whether it is a list of nothing but numbers, text and the like, which is compared at once."""
    return isinstance(value, (list, tuple)) and all(type(item) in _PLAIN for item in value)


def _moves_unseen(kind: type) -> bool:
    """Whether objects of a class are iterators that keep their place to themselves."""
    advance = getattr(kind, "__next__", None)
    is_own = isinstance(advance, types.FunctionType) or issubclass(kind, io.IOBase)
    return advance is not None and not is_own


def _slots_of(kind: type) -> frozenset[str]:
    """The attributes that objects of a class hold beside a dictionary."""
    found: set[str] = set()
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        found.update((slots,) if isinstance(slots, str) else slots)
    return frozenset(name for name in found if not name.startswith("__"))


def _content(cell: types.CellType) -> Any | None:
    try:
        return cell.cell_contents
    except ValueError:
        return None
