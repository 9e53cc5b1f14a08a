"""What a class derives from, through the files of the project.

A method is known only where one class of the line defines it, and where every base was found or
belongs to a library that has no such name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.evidence.kinds import MODULE_METHODS, Role
from ortwrap.engine.evidence.lightning import has_in_lightning
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import OtherFile, defined_elsewhere
from ortwrap.engine.text.nodes import descendants

_LONGEST = 20
EMPTY_BASES = frozenset("object abc.ABC typing.Generic typing.Protocol".split())
_MODULE = "torch.nn.Module"
_OF_MODULES = MODULE_METHODS | {"forward", "to", "cuda", "cpu", "state_dict", "load_state_dict"}


@dataclass(frozen=True)
class Ancestor:
    """One class of a line.

    Attributes:
        node: where it is defined.
        bindings: the names of its file.
        file: that file; None for the script itself.
    """

    node: cst.ClassDef
    bindings: Bindings
    file: OtherFile | None = None

    @property
    def place(self) -> str:
        """What people are told of it: `Base` in solver/base.py."""
        name = f"`{self.node.name.value}`"
        return name if self.file is None else f"{name} in {self.file.shown}"

    @property
    def module_classes(self) -> Mapping[cst.CSTNode, Role]:
        """Which classes of its file are modules; none of the script's, which asks."""
        return {} if self.file is None else self.file.module_classes

    def method(self, name: str) -> cst.FunctionDef | None:
        """What the class itself defines under a name, once and without decorators."""
        bound = self.bindings.scope(self.node).names.get(name, [])
        node = bound[0].node if len(bound) == 1 else None
        return node if isinstance(node, cst.FunctionDef) and not node.decorators else None

    def gives(self, attribute: str) -> bool:
        """Its body gives the attribute a value: `scale: float` alone gives none."""
        bound = self.bindings.scope(self.node).names.get(attribute, [])
        return any(self._has_value(binding.node) for binding in bound)

    def deletes(self, attribute: str) -> bool:
        """Something in its file may delete an attribute of this name, of whatever object."""
        return any(_is_deleted(node, attribute) for node in descendants(self.bindings.tree.module))

    def assigns(self, attribute: str) -> bool:
        """Something in its file assigns an attribute of this name, of whatever object."""
        stored = (cst.AssignTarget, cst.AnnAssign, cst.AugAssign)
        return any(
            _names_attribute(node.target, attribute)
            for node in descendants(self.bindings.tree.module)
            if isinstance(node, stored)
        )

    def _has_value(self, node: cst.CSTNode) -> bool:
        around = self.bindings.tree.parents.get(node)
        return not isinstance(around, cst.AnnAssign) or around.value is not None


class Lineage:
    """A class with all that it derives from, as far as files may be read.

    Attributes:
        members: the class and its ancestors, in the order in which Python asks them in most cases.
        libraries: the bases that no file of the project defines, by their full names.
    """

    def __init__(self, home: Ancestor) -> None:
        self.libraries: list[str] = []
        self.members: list[Ancestor] = []
        self._follow(home)

    def elsewhere(self) -> list[Ancestor]:
        """The members that other files define."""
        return [member for member in self.members if member.file is not None]

    def givers(self, name: str) -> list[Ancestor]:
        """The members whose body gives a name a value."""
        return [member for member in self.members if member.gives(name)]

    def in_front_of(self, member: Ancestor) -> list[Ancestor]:
        """The members that Python asks before one: those in front, and all that derive from it."""
        place = [each.node for each in self.members].index(member.node)
        behind = (each for each in self.members[place + 1 :] if member in Lineage(each).members)
        return [*self.members[:place], *behind]

    def definer(self, name: str) -> Ancestor | None:
        """The one class whose method an instance runs under a name; None where it is a guess."""
        givers = self.givers(name)
        if len(givers) != 1 or givers[0].method(name) is None:
            return None
        if not all(_has_none(library, name) for library in self.libraries):
            return None
        changed = any(member.assigns(name) or member.deletes(name) for member in self.members)
        return None if changed else givers[0]

    def _follow(self, member: Ancestor) -> None:
        if len(self.members) >= _LONGEST or any(m.node is member.node for m in self.members):
            return
        self.members.append(member)
        for base in member.node.bases:
            found = parent(base.value, member)
            if found is not None:
                self._follow(found)
            else:
                named = member.bindings.qualified(base.value)
                self.libraries.append(named or member.bindings.tree.code(base.value))


def parent(base: cst.BaseExpression, member: Ancestor) -> Ancestor | None:
    """The class of a base, in its file or another one of the project."""
    named = base.value if isinstance(base, cst.Subscript) else base
    here = member.bindings.definition(named)
    if isinstance(here, cst.ClassDef):
        return Ancestor(here, member.bindings, member.file)
    found = defined_elsewhere(named, member.bindings)
    if found is None or not isinstance(found.node, cst.ClassDef):
        return None
    return Ancestor(found.node, found.file.bindings, found.file)


def _has_none(library: str, name: str) -> bool:
    """A base class of a library has no attribute of this name."""
    if library in EMPTY_BASES:
        return True
    of_module = library == _MODULE or has_in_lightning(library, name) is False
    return of_module and name not in _OF_MODULES


def _is_deleted(node: cst.CSTNode, attribute: str) -> bool:
    """`del self.mse`, `delattr(self, "mse")` or `delattr(self, name)`."""
    if isinstance(node, cst.Del):
        return _names_attribute(node.target, attribute)
    func = node.func if isinstance(node, cst.Call) else None
    if not isinstance(node, cst.Call) or not isinstance(func, cst.Name) or func.value != "delattr":
        return False
    name = node.args[1].value if len(node.args) > 1 else None
    return not isinstance(name, cst.SimpleString) or name.evaluated_value == attribute


def _names_attribute(target: cst.CSTNode, name: str) -> bool:
    every = descendants(target)
    return any(isinstance(node, cst.Attribute) and node.attr.value == name for node in every)
