"""The classes of a script: which is whose base, and which assigns an attribute."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.evidence.frameworks import HUGGING_FACE, LIGHTNING, Framework, framework_of
from ortwrap.engine.evidence.lightning import LIGHTNING_PACKAGES, steps_for_a_framework
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.text.tree import SourceTree

# The methods that calling an instance runs.
RUN_BY_A_CALL = ("forward", "__call__")


class Classes:
    """Answers questions about the classes of one script."""

    def __init__(self, tree: SourceTree, bindings: Bindings) -> None:
        self._tree = tree
        self._bindings = bindings
        self._families: dict[cst.ClassDef, tuple[cst.ClassDef, ...]] = {}
        self._lineages: dict[cst.ClassDef, Lineage] = {}

    def home(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """The innermost class that a node stands in."""
        ancestors = (node, *self._tree.ancestors(node))
        return next((found for found in ancestors if isinstance(found, cst.ClassDef)), None)

    def family(self, node: cst.ClassDef) -> tuple[cst.ClassDef, ...]:
        """The class and those of this file that it derives from, nearest first."""
        if node not in self._families:
            family = [node]
            for member in family:
                for base in member.bases:
                    defined = self._bindings.definition(base.value)
                    if isinstance(defined, cst.ClassDef) and defined not in family:
                        family.append(defined)
            self._families[node] = tuple(family)
        return self._families[node]

    def lineage(self, node: cst.ClassDef) -> Lineage:
        """The class with all that it derives from, in this file and others."""
        if node not in self._lineages:
            self._lineages[node] = Lineage(Ancestor(node, self._bindings))
        return self._lineages[node]

    def derived(self, node: cst.ClassDef) -> list[cst.ClassDef]:
        """The classes of this file that derive from a class."""
        return [
            other
            for other in self._tree.classes
            if other is not node and node in self.family(other)
        ]

    def mixed_into(self, node: cst.ClassDef) -> list[cst.ClassDef]:
        """The classes of this file that derive from one which derives from none.

        None where that one makes instances of its own.
        """
        alone = not node.bases and not self._bindings.calls_of(node)
        return self.derived(node) if alone else []

    def setter(self, home: cst.ClassDef, attribute: str) -> cst.ClassDef:
        """The class that gives its instances an attribute, for what is derived from it as well."""
        for member in self.family(home):
            if (member, attribute) in self._assigned:
                return member
        return home

    @cached_property
    def _assigned(self) -> set[tuple[cst.ClassDef, str]]:
        """Classes with the attributes that their methods assign."""
        found: set[tuple[cst.ClassDef, str]] = set()
        for node in self._tree.assignments:
            home = self.home(node)
            targets = [item.target for item in node.targets] if isinstance(node, cst.Assign) else []
            if isinstance(node, cst.AnnAssign):
                targets = [node.target]
            for target in targets:
                if home is None:
                    continue
                if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
                    found.add((home, target.attr.value))
        return found

    def made_by(self, value: cst.CSTNode) -> cst.ClassDef | None:
        """The class of this file that a value is made by: `Net` of `Net(10)`."""
        home = self._bindings.definition(value.func) if isinstance(value, cst.Call) else None
        return home if isinstance(home, cst.ClassDef) else None

    def method(self, home: cst.ClassDef, name: str) -> cst.FunctionDef | None:
        """What a class itself defines under a name."""
        for item in home.body.body:
            if isinstance(item, cst.FunctionDef) and item.name.value == name:
                return item
        return None

    def methods(self, name: str) -> list[cst.FunctionDef]:
        """What any class here defines under a name."""
        found = (self.method(home, name) for home in self._tree.classes)
        return [method for method in found if method is not None]

    def inherited(self, home: cst.ClassDef, name: str) -> cst.FunctionDef | None:
        """What an instance has under a name, from the class or from its bases here."""
        methods = (self.method(member, name) for member in self.family(home))
        return next((method for method in methods if method is not None), None)

    def inherited_among(self, home: cst.ClassDef, names: Iterable[str]) -> list[cst.FunctionDef]:
        """What an instance has under some names, as far as it has them."""
        found = (self.inherited(home, name) for name in names)
        return [method for method in found if method is not None]

    def called_on_instance(self, func: cst.Attribute) -> cst.FunctionDef | None:
        """The method that `self.step` is, if no class derived here has one of its own."""
        home, name = self.home(func), func.attr.value
        if home is None or any(self.method(other, name) for other in self.derived(home)):
            # In an instance of a derived class the same `self.step()` would run that one's.
            return None
        return self.inherited(home, name)

    def called(self, func: cst.BaseExpression, instance: str | None) -> cst.FunctionDef | None:
        """The function of this file, or the method of the instance, that an expression calls."""
        if isinstance(func, cst.Attribute) and place_of(func, instance) is not None:
            return self.called_on_instance(func)
        defined = self._bindings.definition(func)
        return defined if isinstance(defined, cst.FunctionDef) else None

    def variants(self, func: cst.Attribute) -> list[cst.FunctionDef]:
        """The methods that `self.step` may be, if classes derived here have one of their own."""
        home, name = self.home(func), func.attr.value
        if home is None:
            return []
        own = (self.method(other, name) for other in self.derived(home))
        found = [method for method in own if method is not None]
        inherited = self.inherited(home, name)
        return [inherited, *found] if found and inherited is not None else found

    def only_asserts(self, func: cst.CSTNode) -> bool:
        """`self.assertEqual` of a `unittest.TestCase`: it looks at its arguments or raises."""
        home = self.home(func)
        if home is None or not isinstance(func, cst.Attribute):
            return False
        named = func.attr.value.startswith("assert") and isinstance(func.value, cst.Name)
        own = self.inherited(home, func.attr.value)
        bases = self.lineage(home).libraries
        return named and own is None and any(base.startswith("unittest.") for base in bases)

    def constructor(self, home: cst.ClassDef) -> cst.FunctionDef | None:
        return self.inherited(home, "__init__")

    def is_lightning(self, node: cst.ClassDef) -> bool:
        """A LightningModule or a part of one."""
        return self.framework(node) is LIGHTNING

    def is_trainer(self, node: cst.ClassDef) -> bool:
        """A `Trainer` of Hugging Face."""
        return self.framework(node) is HUGGING_FACE

    def framework(self, node: cst.ClassDef) -> Framework | None:
        """The one that calls the steps of a class, if any does.

        By its bases, by its methods in a file that uses Lightning, or by what derives from it here.
        """
        found = framework_of(self.lineage(node).libraries)
        if found is not None:
            return found
        if self._imports_lightning and steps_for_a_framework(node):
            return LIGHTNING
        users = {self.framework(user) for user in self.mixed_into(node)}
        return users.pop() if len(users) == 1 else None

    def only_reports(self, func: cst.CSTNode, instance: str | None) -> bool:
        """`self.log` as its framework has it: it hands values to a logger and changes nothing."""
        home = self.home(func)
        if home is None or not isinstance(func, cst.Attribute):
            return False
        framework, name = self.framework(home), func.attr.value
        if framework is None or name not in framework.reports:
            return False
        of_instance = isinstance(func.value, cst.Name) and func.value.value == instance
        return of_instance and not self.lineage(home).givers(name)

    @cached_property
    def _imports_lightning(self) -> bool:
        return any(
            binding.target.split(".")[0] in LIGHTNING_PACKAGES
            for bound in self._bindings.module.names.values()
            for binding in bound
        )
