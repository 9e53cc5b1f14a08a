"""Definitions in other files of the project, found by the script's imports and parsed when asked.

Each file has bindings of its own, so that what holds for the functions and classes of a script can
be asked of theirs. A name that several imports bind, or that its file binds twice, stands for
nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Union

import libcst as cst

from ortwrap.engine.names.bindings import Bindings, Scope
from ortwrap.engine.names.imports import Imported, dotted
from ortwrap.engine.names.neighbours import ModuleName, Neighbour, Neighbours
from ortwrap.engine.names.stars_of_torch import is_given
from ortwrap.engine.result import InvalidSource
from ortwrap.engine.text.tree import SourceTree

if TYPE_CHECKING:
    from ortwrap.engine.evidence.kinds import Role
    from ortwrap.engine.evidence.modules import ModuleTable
    from ortwrap.engine.names.helpers import Helpers

# Packages hand on what their parts define: a chain longer than this is followed no further.
_LONGEST_CHAIN = 5
_MOST_FILES = 48
_ADDS_FOLDERS = frozenset(["sys.path.append", "sys.path.insert", "sys.path.extend"])


class OtherFile:
    """One file beside the script, and what is known about it.

    Attributes:
        path: tells it apart from others.
        shown: what people are told of where it lies.
        tree: its source.
        bindings: what its names refer to.
        is_being_read: its modules are being looked for.
    """

    def __init__(self, neighbour: Neighbour, tree: SourceTree, elsewhere: Elsewhere) -> None:
        self.path = neighbour.path
        self.shown = neighbour.shown
        self.tree = tree
        self.bindings = Bindings(tree, elsewhere, neighbour.path)
        self.is_being_read = False
        self._module_classes: dict[cst.CSTNode, Role] | None = None

    def place(self, node: cst.CSTNode) -> str:
        """Where a node stands, as people are told: `utils.py:12`."""
        return f"{self.shown}:{self.tree.line(node)}"

    @property
    def module_classes(self) -> dict[cst.CSTNode, Role]:
        """Its classes that are modules or criteria; none while they are being looked for."""
        from ortwrap.engine.evidence.module_classes import find_module_classes
        from ortwrap.engine.names.classes import Classes

        if self._module_classes is None:
            self._module_classes = {}  # ends the recursion of files that import each other
            classes = Classes(self.tree, self.bindings)
            self._module_classes = find_module_classes(self.tree, self.bindings, classes)
        return self._module_classes

    @cached_property
    def modules(self) -> ModuleTable:
        # The table asks other files in turn.
        from ortwrap.engine.evidence.modules import ModuleTable

        self.is_being_read = True
        try:
            return ModuleTable(self.tree, self.bindings)
        finally:
            self.is_being_read = False

    @cached_property
    def helpers(self) -> Helpers:
        from ortwrap.engine.names.helpers import Helpers

        return Helpers(self.tree, self.bindings, self.modules)


@dataclass(frozen=True)
class Definition:
    """A class or function, and the file that defines it."""

    node: cst.ClassDef | cst.FunctionDef
    file: OtherFile


@dataclass(frozen=True)
class Variable:
    """A global, the places that bind it, and its file."""

    name: str
    bound: tuple[cst.CSTNode, ...]
    file: OtherFile


@dataclass(frozen=True)
class Kept:
    """A name that a file binds once by an assignment."""

    node: cst.Name
    file: OtherFile


@dataclass(frozen=True)
class Library:
    """What a file imports under a name, such as `torch`: nothing of the project."""

    name: str


_Meant = Union[Definition, Kept, Library, None]


class Elsewhere:
    """The other files of one script's project, as far as something was asked of them."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._files: dict[str, OtherFile | None] = {}
        self._folders: list[str] = []
        self._known: set[Bindings] = set()

    def reaches(self, bindings: Bindings) -> bool:
        """Some import of a script names another file of the project."""
        return next(self._imported(bindings), None) is not None

    def mentioning(self, word: str) -> Sequence[Neighbour] | None:
        """The other files of the project that hold a word; None where they cannot all be read."""
        return self._neighbours.mentioning(word)

    def imported_at_head(self, bindings: Bindings) -> Iterator[Neighbour]:
        """The files of the project that run when a script is imported."""
        heads = [scope for scope in bindings.scopes() if scope.is_module]
        yield from self._imported(bindings, heads)

    def _imported(
        self, bindings: Bindings, scopes: Iterable[Scope] | None = None
    ) -> Iterator[Neighbour]:
        for level, path in _imports(bindings, bindings.scopes() if scopes is None else scopes):
            for count in range(len(path), -1 if level else 0, -1):
                found = self._find(ModuleName(level, path[:count]), bindings)
                if found is not None:
                    yield found

    def definition(self, expression: cst.CSTNode, bindings: Bindings) -> Definition | None:
        """The class or function of another file that an imported name refers to."""
        found = self._meant(expression, bindings)
        return found if isinstance(found, Definition) else None

    def kept(self, expression: cst.CSTNode, bindings: Bindings) -> Kept | None:
        """The variable, bound once, whose value an imported name was given."""
        found = self._meant(expression, bindings)
        return found if isinstance(found, Kept) else None

    def library(self, name: str, bindings: Bindings) -> str | None:
        """The dotted name of what a file imports under a name that a star import hands on."""
        found = self._by_star(name, bindings, _LONGEST_CHAIN)
        return found.name if isinstance(found, Library) else None

    def _meant(self, expression: cst.CSTNode, bindings: Bindings) -> _Meant:
        imported = bindings.imported(expression)
        if imported is not None:
            return self._bound(imported.level, imported.path, bindings, _LONGEST_CHAIN)
        if not isinstance(expression, cst.Name) or bindings.resolve(expression) is not None:
            return None
        return self._by_star(expression.value, bindings, _LONGEST_CHAIN)

    def variable(self, expression: cst.CSTNode, bindings: Bindings) -> Variable | None:
        """The global of another file that an imported name or `file.name` refers to."""
        imported = bindings.imported(expression)
        if imported is None or not imported.path:
            return None
        *module, name = imported.path
        file = self._file(ModuleName(imported.level, tuple(module)), bindings)
        bound = file.bindings.module.names.get(name, []) if file is not None else []
        variables = [binding.node for binding in bound if binding.kind == "variable"]
        return Variable(name, tuple(variables), file) if file is not None and variables else None

    def _bound(self, level: int, path: tuple[str, ...], bindings: Bindings, longest: int) -> _Meant:
        *module, name = path
        file = self._file(ModuleName(level, tuple(module)), bindings)
        bound = file.bindings.module.names.get(name, []) if file is not None else []
        if file is not None and not bound:
            return self._by_star(name, file.bindings, longest - 1)
        if file is None or len(bound) != 1:
            return None
        node = bound[0].node
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
            return Definition(node, file)
        if isinstance(node, cst.Name) and bound[0].kind == "variable":
            return Kept(node, file)
        handed_on = file.bindings.imported_by(bound[0])
        if handed_on is None or longest <= 0:
            return None
        if self._is_of_library(handed_on, file.bindings):
            return Library(".".join(handed_on.path))
        return self._bound(handed_on.level, handed_on.path, file.bindings, longest - 1)

    def _by_star(self, name: str, bindings: Bindings, longest: int) -> _Meant:
        """What `from x import *` gives: the last that has the name, if all behind it are known."""
        if longest <= 0 or name.startswith("_") or bindings.is_builtin(name):
            return None
        for star in reversed(bindings.star_imports):
            file = self._file(ModuleName(star.level, star.path), bindings)
            offered = is_given(star, name) if file is None else _is_offered(name, file.bindings)
            if offered is None:
                return None
            if offered and file is None:
                return Library(".".join((*star.path, name)))
            if offered and file is not None:
                found = self._bound(star.level, (*star.path, name), bindings, longest)
                own = name in file.bindings.module.names or file.bindings.star_imports
                if found is not None or own:
                    return found
        return None

    def _is_of_library(self, imported: Imported, bindings: Bindings) -> bool:
        first = ModuleName(0, imported.path[:1])
        return not imported.level and self._find(first, bindings) is None

    def _file(self, module: ModuleName, bindings: Bindings) -> OtherFile | None:
        found = self._find(module, bindings)
        if found is None:
            return None
        if found.path not in self._files and len(self._files) < _MOST_FILES:
            tree = _parsed(found.text)
            self._files[found.path] = None if tree is None else OtherFile(found, tree, self)
        return self._files.get(found.path)

    def _find(self, module: ModuleName, bindings: Bindings) -> Neighbour | None:
        if not module.level and not module.parts:
            return None
        if bindings not in self._known:
            self._known.add(bindings)
            self._folders += added_folders(bindings)
        return self._neighbours.find(module, bindings.path, tuple(self._folders))


def defined_elsewhere(expression: cst.CSTNode, bindings: Bindings) -> Definition | None:
    """The class or function of another file that an expression names, where files may be read."""
    elsewhere = bindings.elsewhere
    return None if elsewhere is None else elsewhere.definition(expression, bindings)


def variable_elsewhere(expression: cst.CSTNode, bindings: Bindings) -> Variable | None:
    """The global of another file that an expression names, where files may be read."""
    elsewhere = bindings.elsewhere
    return None if elsewhere is None else elsewhere.variable(expression, bindings)


def kept_by_file(expression: cst.CSTNode, bindings: Bindings) -> Kept | None:
    """The variable of another file, bound once, that an expression names."""
    elsewhere = bindings.elsewhere
    return None if elsewhere is None else elsewhere.kept(expression, bindings)


def added_folders(bindings: Bindings) -> Iterator[str]:
    """`sys.path.append("./lib")`: folders that a script takes modules from besides."""
    for call in bindings.tree.calls:
        if bindings.qualified(call.func) in _ADDS_FOLDERS and call.args:
            given = call.args[-1].value
            items = given.elements if isinstance(given, (cst.List, cst.Tuple)) else ()
            for value in (given, *(item.value for item in items)):
                if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
                    yield value.evaluated_value


def _is_offered(name: str, bindings: Bindings) -> bool | None:
    """`__all__` of a file names it; None where it is not written out."""
    bound = bindings.module.names.get("__all__", [])
    if not bound:
        return True
    target = bindings.tree.parents.get(bound[0].node)
    assign = bindings.tree.parents.get(target) if target is not None else None
    value = assign.value if isinstance(assign, cst.Assign) else None
    if len(bound) > 1 or not isinstance(value, (cst.List, cst.Tuple)):
        return None
    items = [element.value for element in value.elements]
    return any(
        isinstance(item, cst.SimpleString) and item.evaluated_value == name for item in items
    )


def _imports(bindings: Bindings, scopes: Iterable[Scope]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for scope in scopes:
        for bound in scope.names.values():
            for binding in bound:
                imported = bindings.imported_by(binding)
                if imported is not None:
                    yield imported.level, imported.path
                if isinstance(binding.node, cst.Import):
                    # `import tools.updates` binds `tools`, which may be a folder and no file.
                    yield from ((0, tuple(dotted(a.name).split("."))) for a in binding.node.names)
    yield from ((star.level, star.path) for star in bindings.star_imports)


@lru_cache(maxsize=16)
def _parsed(text: str) -> SourceTree | None:
    """The tree of a file, which several scripts of one command may ask about."""
    try:
        return SourceTree(text)
    except (InvalidSource, RecursionError):
        return None
