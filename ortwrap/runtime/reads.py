"""Which attributes and globals a forward can read, found in its code.

A guard on everything that a model holds would be slow and would fire on what forward never sees;
the names in the code of forward, and of all it calls, are few.
"""

from __future__ import annotations

import functools
import itertools
import sys
import types
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .code_names import attributes_in, globals_in, imports_in, means_no_method, only_identified
from .computed_names import computes_names
from .parts import bases_with_code, is_metric, uses_other_means
from .reasons import is_user_code, may_be_user_code

_MAX_FUNCTIONS = 2_000
_MAX_ITEMS = 256
_CALLABLES = (types.FunctionType, types.MethodType, functools.partial)
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_OFFERED = (*_CALLABLES, *_CONTAINERS, type, types.ModuleType, nn.Module)
# Whoever makes, keeps, copies or shows a module runs these. What they name would be opened: the
# trainer that a LightningModule leaves out of its state, with all its counters.
_NEVER_READ = frozenset(
    "__init__ __new__ __init_subclass__ __del__ __getstate__ __setstate__ __reduce__ __reduce_ex__ "
    "__copy__ __deepcopy__ __dir__ __sizeof__ __repr__ extra_repr state_dict "
    "load_state_dict".split()
)

_OF_TENSORS = frozenset(dir(torch.Tensor))


@dataclass(frozen=True)
class Reads:
    """What the code can read.

    Attributes:
        attributes: every attribute name and every string in the code.
        names: (namespace, name) of every global.
        cells: the closure cells.
        owners: the user's classes and files whose attributes it can read by name.
        modules: those of torch that only a global, a closure or an attribute knows.
        unread: the ids of modules of the step that it cannot get at.
        computes_names: whether it reads attributes of other names as well, which it computes.
    """

    attributes: frozenset[str]
    names: tuple[tuple[dict[str, Any], str], ...]
    cells: tuple[types.CellType, ...]
    owners: tuple[type | types.ModuleType, ...]
    modules: tuple[nn.Module, ...]
    unread: frozenset[int]
    computes_names: bool


def reads_of(
    tree: Sequence[nn.Module], given: Iterable[Any] = (), all_parts: bool = False
) -> Reads:
    """What the forward of a step, and all that it calls, can read.

    Args:
        tree: the modules of the step, its own first.
        given: functions, and classes of objects, that forward is given as arguments.
        all_parts: whether it gets at modules that no code names.
    """
    reading = _Reading(tree)
    reading.open_part(tree[0])
    if all_parts:
        reading.open_all_parts()
    for one in given:
        reading.give(one)
    return reading.done()


def is_users(thing: type | types.ModuleType) -> bool:
    """Whether a class, or a file that was imported, is the user's.

    A class of an installed package is, since it may be the model's; its files are not.
    """
    file = thing if isinstance(thing, types.ModuleType) else sys.modules.get(thing.__module__)
    path = getattr(file, "__file__", None)
    if path is None:
        return getattr(file, "__name__", "") == "__main__"
    return is_user_code(path) and not (file is thing and "-packages" in path)


_MISSING = object()


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


class _Reading:
    """Follows names: a method belongs to forward once something that does has named it.

    So the counters of a trainer, which other methods of it read, do not guard the one method
    that computes the loss.
    """

    def __init__(self, tree: Sequence[nn.Module]) -> None:
        self._tree = {id(module): module for module in tree}
        self._all_parts = False
        self._computes_names = False
        self._attributes: set[str] = set()
        self._names: dict[tuple[int, str], tuple[dict[str, Any], str]] = {}
        self._cells: dict[int, types.CellType] = {}
        self._read: set[types.FunctionType] = set()
        self._opened: set[int] = set()
        self._owners: dict[int, type | types.ModuleType] = {}
        self._modules: dict[int, nn.Module] = {}
        self._stack: list[types.FunctionType] = []
        # What an opened object offers under names that nothing has read so far.
        self._waiting: dict[str, list[Any]] = {}

    def done(self) -> Reads:
        self._follow_all()
        if self._stack and not self._all_parts:
            self.open_all_parts()
        unread = () if self._all_parts else self._tree.keys() - self._opened
        return Reads(
            frozenset(self._attributes),
            tuple(self._names.values()),
            tuple(self._cells.values()),
            tuple(self._owners.values()),
            tuple(self._modules.values()),
            frozenset(unread),
            self._computes_names,
        )

    def _follow_all(self) -> None:
        while self._stack and len(self._read) < _MAX_FUNCTIONS:
            function = self._stack.pop()
            if function not in self._read:
                self._read.add(function)
                self._follow(function)

    def open_part(self, module: nn.Module) -> None:
        """A module of the step, and those below it that code can get at."""
        if id(module) in self._opened:
            return
        self.open(module)
        named = _names_its_parts(type(module))
        for name, part in module._modules.items():
            if part is None:
                continue
            if named or (self._all_parts and is_metric(part)):
                self._offer(name, part)
            else:
                self.reach(part)

    def open_all_parts(self) -> None:
        """Takes all modules of the step for read, since forward gets at some by other means.

        The metrics that they keep for reports are opened only if code names them.
        """
        self._all_parts = True
        for module in self._tree.values():
            if not is_metric(module):
                self.open_part(module)

    def open(self, owner: Any) -> None:
        """Offers the methods of an object, and the callables and objects that it holds."""
        if id(owner) in self._opened:
            return
        self._opened.add(id(owner))
        self._open_kind(type(owner))
        for name, value in getattr(owner, "__dict__", {}).items():
            # What is in a module's table of parts is offered part by part.
            is_table = name == "_modules" and isinstance(owner, nn.Module)
            if not is_table and _is_worth_a_look(value):
                self._offer(name, value)

    def give(self, one: Any) -> None:
        """Offers a function, or the methods of the objects of a class."""
        if isinstance(one, type):
            self._open_kind(one)
        else:
            self.reach(one)

    def _open_kind(self, kind: type) -> None:
        """Offers the methods of the objects of a class."""
        for base in kind.__mro__:
            if is_users(base):
                self._owners[id(base)] = base
        for name, function in _methods(kind):
            # A trainer may have a `forward` too, which nothing calls but those that name it.
            runs = name == "forward" and issubclass(kind, nn.Module)
            if runs or name.startswith("__"):
                self._stack.append(function)
            else:
                self._offer(name, function)

    def _offer(self, name: str, value: Any) -> None:
        if self._is_named(name, value):
            self.reach(value)
        else:
            self._waiting.setdefault(name, []).append(value)

    def _is_named(self, name: str, value: Any) -> bool:
        """Some code may mean what an object offers under a name.

        `math.log(x)` is Python's and `values.log()` the tensor's: neither could be the method
        `log(self, name, value)` of a LightningModule, which reads the counters of its trainer.
        """
        if name not in self._attributes or name not in _OF_TENSORS or not _asks_for_more(value):
            return name in self._attributes
        return not all(_means_no_method(function, name) for function in self._read)

    def reach(self, value: Any) -> None:
        """Something that forward may call, or may call methods of."""
        if isinstance(value, types.FunctionType):
            self._stack.append(value)
            if hasattr(value, "__wrapped__"):
                self.reach(value.__wrapped__)
        elif isinstance(value, types.MethodType):
            self.reach(value.__func__)
            self.reach(value.__self__)
        elif isinstance(value, functools.partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                self.reach(part)
        elif isinstance(value, (type, types.ModuleType)):
            self._open_owner(value)
        elif isinstance(value, _CONTAINERS):
            self._open_container(value)
        elif isinstance(value, nn.Module):
            self._open_module(value)
        elif _wrapped(value) is not None:
            self.reach(_wrapped(value))
        elif _is_object(value):
            self.open(value)

    def _open_container(self, container: Any) -> None:
        """Functions to choose from, terms of a loss, and the like."""
        if id(container) in self._opened:
            return
        if _is_object(container):
            self.open(container)
        self._opened.add(id(container))
        # A dictionary of the user's own kind may make what it is asked for.
        items = dict.values(container) if isinstance(container, dict) else container
        for item in itertools.islice(items, _MAX_ITEMS):
            # The table of a module's parts holds its metrics too, which `open_part` sees to.
            if _is_worth_a_look(item) and not is_metric(item):
                self.reach(item)

    def _open_owner(self, owner: type | types.ModuleType) -> None:
        """Offers what a class or a file of the user holds."""
        if id(owner) in self._opened or not is_users(owner):
            return
        self._opened.add(id(owner))
        self._owners[id(owner)] = owner
        # `Reverse.apply` runs the forward of a Function, which no code has to name.
        applied = isinstance(owner, type) and issubclass(owner, torch.autograd.Function)
        for name, value in list(vars(owner).items()):
            if isinstance(value, (staticmethod, classmethod)):
                if applied:
                    self.reach(value.__func__)
                self._offer(name, value.__func__)
            elif _is_worth_a_look(value):
                self._offer(name, value)

    def _open_module(self, module: nn.Module) -> None:
        """A module, with those below it if it is not in the tree of the step."""
        if id(module) in self._tree:
            self.open_part(module)
        elif id(module) not in self._opened:
            self._modules[id(module)] = module
            for part in module.modules():
                if id(part) in self._tree:
                    self.open_part(part)
                else:
                    self.open(part)

    def _follow(self, function: types.FunctionType) -> None:
        code = function.__code__
        names = attributes_in(code)
        self._attributes |= names
        if not self._all_parts and uses_other_means(function):
            self.open_all_parts()
        for name in names & self._waiting.keys():
            for value in self._waiting.pop(name, ()):
                self._offer(name, value)
        for name, cell in zip(code.co_freevars, function.__closure__ or ()):
            self._cells[id(cell)] = cell
            if "id" in function.__globals__ or name not in only_identified(code):
                self.reach(_content(cell))
        if not may_be_user_code(code.co_filename):
            return
        # Installed models get at their configuration so, and nobody changes that.
        if "-packages" not in code.co_filename and computes_names(code):
            self._computes_names = True
        space = function.__globals__
        for file in _imported(imports_in(code), space):
            self.reach(file)
        for name in globals_in(code):
            value = space.get(name, _MISSING)
            if value is not _MISSING:
                self._names[(id(space), name)] = (space, name)
                self.reach(value)


def _imported(names: Iterable[str], space: dict[str, Any]) -> Iterator[types.ModuleType]:
    """The files that code with these globals may mean when it imports them; some may be others."""
    package = str(space.get("__package__") or "")
    for name in names:
        found = {name, name.partition(".")[0]}
        folder = package
        while folder:
            found.add(f"{folder}.{name}".rstrip("."))
            folder = folder.rpartition(".")[0]
        yield from (sys.modules[one] for one in sorted(found) if one in sys.modules)


def _names_its_parts(kind: type) -> bool:
    """Whether only code of the user gets at the parts of a module: torch goes over all of them."""
    return all(map(is_users, bases_with_code(kind)))


def _means_no_method(function: types.FunctionType, name: str) -> bool:
    code, space = function.__code__, function.__globals__
    if name not in attributes_in(code):
        return True
    named = globals_in(code)
    files = frozenset(one for one in named if isinstance(space.get(one), types.ModuleType))
    return means_no_method(code, name, files)


def _asks_for_more(value: Any) -> bool:
    """A function that cannot be called without an argument, of an object or not."""
    function = getattr(value, "__func__", value)
    if not isinstance(function, types.FunctionType):
        return False
    return function.__code__.co_argcount - len(function.__defaults__ or ()) > 1


def _is_worth_a_look(value: Any) -> bool:
    return isinstance(value, _OFFERED) or _wrapped(value) is not None or _is_object(value)


def _wrapped(value: Any) -> Any:
    """The function under a decorator such as functools.lru_cache, None if there is none."""
    namespace = getattr(value, "__dict__", None)
    return namespace.get("__wrapped__") if isinstance(namespace, dict) else None


def _is_object(value: Any) -> bool:
    """An instance of a class of the user; modules of the tree are roots by themselves."""
    if isinstance(value, (type, types.ModuleType, nn.Module)):
        return False
    methods = _methods(type(value))
    return any(may_be_user_code(function.__code__.co_filename) for _, function in methods)


def _methods(kind: type) -> tuple[tuple[str, types.FunctionType], ...]:
    """Every method and property of `kind` that a forward may run, torch's own base excluded."""
    known = _METHODS.get(kind)
    if known is None:
        bases = [base for base in kind.__mro__ if base not in (object, nn.Module)]
        members = [item for base in bases for item in vars(base).items()]
        _METHODS[kind] = known = tuple(
            (name, function)
            for name, member in members
            if name not in _NEVER_READ
            for function in _plain(member)
        )
    return known


_METHODS: weakref.WeakKeyDictionary[type, tuple[tuple[str, types.FunctionType], ...]] = (
    weakref.WeakKeyDictionary()
)


def _plain(member: Any) -> Iterator[types.FunctionType]:
    """The functions behind what stands in a class."""
    if isinstance(member, types.FunctionType):
        yield member
        if hasattr(member, "__wrapped__"):
            yield from _plain(member.__wrapped__)
    elif isinstance(member, (staticmethod, classmethod)):
        yield from _plain(member.__func__)
    elif isinstance(member, (property, functools.cached_property)):
        yield from _plain(member.fget if isinstance(member, property) else member.func)
