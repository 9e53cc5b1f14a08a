"""Objects of plain classes, whatever they are called: `net = Pipeline()` is no module.

Which class made the object that a place holds tells what a method of it runs:
`gan.discriminate(x)`, and `pipeline(x)` where that class has a `__call__`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from ortwrap.engine.evidence.kinds import Role
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere, kept_by_file
from ortwrap.engine.names.lineage import EMPTY_BASES, Ancestor, Lineage
from ortwrap.engine.names.members import Key

if TYPE_CHECKING:
    from ortwrap.engine.evidence.modules import ModuleTable

_NO_GRAD = ("torch.no_grad", "torch.inference_mode")


@dataclass(frozen=True)
class ObjectMethod:
    """What calling an object, or a method of one, runs.

    Attributes:
        owner: the object, as the call names it.
        function: what runs.
        home: the class that defines it.
        lineage: of the class that made the object.
    """

    owner: cst.BaseExpression
    function: cst.FunctionDef
    home: Ancestor
    lineage: Lineage


class PlainObjects:
    """Answers for the places of one script.

    Args:
        bindings: the names of the script.
        modules: tells its places apart, and what they may hold.
        values: the expressions that are assigned to each place by its own.
    """

    def __init__(
        self,
        bindings: Bindings,
        modules: ModuleTable,
        values: Mapping[Key, list[cst.BaseExpression]],
    ) -> None:
        self._bindings = bindings
        self._modules = modules
        self._values = values
        self._known: dict[Key, Lineage | None] = {}

    def holds(self, node: cst.CSTNode) -> bool:
        """What a name or an attribute of the instance holds is surely such an object."""
        return self.lineage(node) is not None

    def lineage(self, node: cst.CSTNode) -> Lineage | None:
        """The one class that makes what a name or an attribute of the instance holds."""
        if not isinstance(node, (cst.Name, cst.Attribute)):
            return None
        key = self._modules.key(node)
        if key is None:
            return self._attribute(node) if isinstance(node, cst.Attribute) else None
        if key not in self._known:
            self._known[key] = None  # ends the recursion of names that are given each other
            self._known[key] = self._find(node)
        return self._known[key]

    def method(self, func: cst.BaseExpression) -> ObjectMethod | None:
        """What a call runs, if it is that of such an object or of a method of one."""
        owner, name = func, "__call__"
        if isinstance(func, cst.Attribute) and self._modules.key(func) is None:
            owner, name = func.value, func.attr.value
        lineage = self.lineage(owner)
        if lineage is None or name in self._set_from_outside:
            return None
        home = _definer(name, lineage)
        function = _method(home, name) if home is not None else None
        if home is None or function is None:
            return None
        return ObjectMethod(owner, function, home, lineage)

    def at(self, key: Key) -> Lineage | None:
        """The one class that makes what instances of a class have under a name."""
        if key not in self._known:
            self._known[key] = None
            self._known[key] = self._of_all(self._values.get(key, ()))
        return self._known[key]

    def holder(self, node: cst.Attribute) -> tuple[ModuleTable, Key] | None:
        """What knows the attribute of an object that only its class gives it, and by which key."""
        name, owner = node.attr.value, self.lineage(node.value)
        if owner is None or name in self._set_from_outside:
            return None
        home = owner.members[0]
        if home.file is not None and home.file.is_being_read:
            return None
        modules = self._modules if home.file is None else home.file.modules
        return modules, (modules.classes.setter(home.node, name), name)

    def _attribute(self, node: cst.Attribute) -> Lineage | None:
        """`outer.inner`, where the class of `outer` makes its `inner`."""
        holder = self.holder(node)
        return None if holder is None else holder[0].objects.at(holder[1])

    def _find(self, node: cst.CSTNode) -> Lineage | None:
        if isinstance(node, cst.Attribute) and node.attr.value in self._set_from_outside:
            return None
        return self._of_all(self._modules.all_values(node) or ())

    def _of_all(self, values: Iterable[cst.BaseExpression]) -> Lineage | None:
        made = [self._of_value(value) for value in values if not _is_none(value)]
        first = made[0] if made else None
        if first is None or any(each is None or not _are_of_one(each, first) for each in made):
            return None
        return first

    def _of_value(self, value: cst.BaseExpression) -> Lineage | None:
        if isinstance(value, cst.Call):
            return _lineage_of_made(value, self._bindings, self._modules.module_classes)
        return self.lineage(value)

    @cached_property
    def _set_from_outside(self) -> frozenset[str]:
        """Attributes that code gives to objects other than the instance that it is a method of."""
        targets = (
            target
            for node in self._bindings.tree.assignments
            for target in (
                [each.target for each in node.targets]
                if isinstance(node, cst.Assign)
                else [getattr(node, "target", node)]
            )
        )
        return frozenset(
            target.attr.value
            for target in targets
            if isinstance(target, cst.Attribute) and self._modules.key(target) is None
        )


def plain_class_of(
    value: cst.BaseExpression, bindings: Bindings, module_classes: Mapping[cst.CSTNode, Role]
) -> str | None:
    """The class that makes what an expression gives, if all is known of it and it is no module.

    Args:
        value: a constructor call, or a variable of another file that holds what one made.
        bindings: the names of the file that the expression stands in.
        module_classes: the classes of that file that are modules.
    """
    if not isinstance(value, cst.Call):
        kept = kept_by_file(value, bindings)
        if kept is None or kept.file.is_being_read:
            return None
        theirs = kept.file.modules
        made = [
            plain_class_of(each, kept.file.bindings, theirs.module_classes)
            for each in theirs.values(kept.node)
        ]
        return made[0] if made and all(made) else None
    line = _lineage_of_made(value, bindings, module_classes)
    return None if line is None else line.members[0].place


def _lineage_of_made(
    value: cst.Call, bindings: Bindings, module_classes: Mapping[cst.CSTNode, Role]
) -> Lineage | None:
    """What the class of a constructor call derives from, if no module is among that."""
    here = bindings.definition(value.func)
    if isinstance(here, cst.ClassDef):
        line = Lineage(Ancestor(here, bindings))
    else:
        found = defined_elsewhere(value.func, bindings)
        if found is None or not isinstance(found.node, cst.ClassDef):
            return None
        line = Lineage(Ancestor(found.node, found.file.bindings, found.file))
    modules = {
        node for member in line.members for node in (*member.module_classes, *module_classes)
    }
    known = EMPTY_BASES.issuperset(line.libraries)
    plain = known and modules.isdisjoint(member.node for member in line.members)
    return line if plain else None


def _definer(name: str, lineage: Lineage) -> Ancestor | None:
    """The class whose method an object runs under a name; None where it is a guess."""
    givers = lineage.givers(name)
    straight = all(len(member.node.bases) <= 1 for member in lineage.members)
    if not givers or (len(givers) > 1 and not straight):
        return None
    changed = any(member.assigns(name) or member.deletes(name) for member in lineage.members)
    return None if changed else givers[0]


def _method(home: Ancestor, name: str) -> cst.FunctionDef | None:
    """What a class defines under a name, with no decorator but that it takes no gradients."""
    bound = home.bindings.scope(home.node).names.get(name, [])
    node = bound[0].node if len(bound) == 1 else None
    if not isinstance(node, cst.FunctionDef):
        return None
    decorators = (item.decorator for item in node.decorators)
    called = (each.func if isinstance(each, cst.Call) else each for each in decorators)
    known = all((home.bindings.qualified(each) or "") in _NO_GRAD for each in called)
    return node if known else None


def _are_of_one(left: Lineage, right: Lineage) -> bool:
    return left.members[0].node is right.members[0].node


def _is_none(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"
