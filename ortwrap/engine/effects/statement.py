"""What a statement reads, binds and changes in place, in terms of places.

A *place* is a local or global name, or an attribute of the instance that a method runs on:
`loss`, `self.model`. Everything deeper (`batch["x"]`, `args.lr`) belongs to its root.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.effects.in_place import written_arguments
from ortwrap.engine.effects.mutation import changes_its_object, has_key, may_be_handed_on, only_adds
from ortwrap.engine.names.bindings import Bindings, Scope
from ortwrap.engine.text.nodes import children, descendants


@dataclass
class Effects:
    """What running a piece of code does to places.

    Attributes:
        reads: places read, each with the nodes that read it.
        writes: places that may be bound anew.
        mutates: places whose value may be changed in place.
        alters: of these, all but containers that get more elements and keep those they have.
        takes: iterators of which the next item is taken.
        reads_everything: `locals()`, `eval` and the like may read any place.
    """

    reads: dict[str, list[cst.CSTNode]] = field(default_factory=dict)
    writes: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    alters: set[str] = field(default_factory=set)
    takes: set[str] = field(default_factory=set)
    reads_everything: bool = False

    @property
    def changes(self) -> set[str]:
        return self.writes | self.mutates


def overlap(left: AbstractSet[str], right: AbstractSet[str]) -> set[str]:
    """Places of `left` that touch a place of `right`; an instance touches its attributes."""
    roots = {place.split(".")[0] for place in right if "." in place}
    return {
        place
        for place in left
        if place in right or place in roots or ("." in place and place.split(".")[0] in right)
    }


def instance_name(function: cst.CSTNode, bindings: Bindings) -> str | None:
    """The name of the instance (`self`) in a method or in a function nested in one.

    None where the method gives the name another object: `self = self.partner`.
    """
    tree = bindings.tree
    for candidate in (function, *tree.ancestors(function)):
        if isinstance(candidate, cst.FunctionDef) and tree.enclosing_class(candidate) is not None:
            decorators = {tree.code(item.decorator) for item in candidate.decorators}
            params = [*candidate.params.posonly_params, *candidate.params.params]
            if not params or decorators & {"staticmethod", "classmethod"}:
                return None
            name = params[0].name.value
            return name if len(bindings.scope(candidate).names[name]) == 1 else None
    return None


def place_of(node: cst.CSTNode, instance: str | None) -> str | None:
    """The place that a name or an attribute of the instance stands for."""
    if isinstance(node, cst.Name):
        return node.value
    if (
        isinstance(node, cst.Attribute)
        and isinstance(node.value, cst.Name)
        and node.value.value == instance
    ):
        return f"{instance}.{node.attr.value}"
    return None


def root_place(node: cst.CSTNode, instance: str | None) -> str | None:
    """The place at the root of a chain of attributes, subscripts and method calls.

    What a class holds its instances have: `self.__class__` and `type(self)` are of `self`.
    """
    while True:
        place = place_of(node, instance)
        if place is not None:
            return instance if place == f"{instance}.__class__" else place
        if isinstance(node, (cst.Attribute, cst.Subscript)):
            node = node.value
        elif (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and place_of(node.func, instance) is None
        ):
            node = node.func.value
        elif _asks_for_class(node):
            node = cst.ensure_type(node, cst.Call).args[0].value
        else:
            return None


def _asks_for_class(node: cst.CSTNode) -> bool:
    """`type(self)`."""
    func = node.func if isinstance(node, cst.Call) and len(node.args) == 1 else None
    return isinstance(func, cst.Name) and func.value == "type"


def _reads_any_name(call: cst.Call, bindings: Bindings) -> bool:
    """`locals()` or `eval(code)` of Python; `vars(args)` is about its argument alone."""
    if not isinstance(call.func, cst.Name) or bindings.resolve(call.func) is not None:
        return False
    function = call.func.value
    own = function == "vars" and not call.args
    at_top = isinstance(bindings.tree.enclosing(call), cst.Module)
    return own or (function == "globals" and at_top) or function in ("locals", "eval", "exec")


class EffectsReader:
    """Computes the effects of code inside one function or the module."""

    def __init__(self, bindings: Bindings, function: cst.CSTNode) -> None:
        self.bindings = bindings
        self.instance = instance_name(function, bindings)
        self._cache: dict[cst.CSTNode, Effects] = {}

    def of(self, node: cst.CSTNode) -> Effects:
        """The effects of a statement or expression with everything inside it."""
        if node not in self._cache:
            walk = _Walk(self.bindings, self.instance)
            walk.visit(node)
            self._cache[node] = walk.effects
        return self._cache[node]

    def header(self, node: cst.CSTNode) -> Effects:
        """The effects of a compound statement without its suites."""
        walk = _Walk(self.bindings, self.instance)
        if isinstance(node, (cst.If, cst.While)):
            walk.visit(node.test)
        elif isinstance(node, cst.For):
            walk.visit(node.iter)
            walk.store(node.target)
        elif isinstance(node, cst.With):
            for item in node.items:
                walk.visit(item)
        elif isinstance(node, cst.Match):
            walk.visit(node.subject)
        return walk.effects


class _Walk:
    def __init__(self, bindings: Bindings, instance: str | None) -> None:
        self.bindings = bindings
        self.instance = instance
        self.effects = Effects()
        self._hidden: list[Scope] = []

    def visit(self, node: cst.CSTNode) -> None:
        handler = getattr(self, f"_visit_{type(node).__name__}", None)
        if handler is not None:
            handler(node)
            return
        for child in children(node):
            self.visit(child)

    def store(self, target: cst.CSTNode) -> None:
        if isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                self.store(element.value)
            return
        if isinstance(target, cst.StarredElement):
            self.store(target.value)
            return
        place = place_of(target, self.instance)
        if place is not None and not self._is_hidden(place):
            self.effects.writes.add(place)
        elif place is None:
            root = root_place(target, self.instance)
            if root is not None:
                self._mutate(root, only_adds=has_key(target))
            self.visit(target)

    def _mutate(self, place: str, *, only_adds: bool = False) -> None:
        if not self._is_hidden(place):
            self.effects.mutates.add(place)
            if not only_adds:
                self.effects.alters.add(place)

    def _is_hidden(self, place: str) -> bool:
        root = place.split(".")[0]
        return any(
            root in scope.names and root not in scope.declared_nonlocal for scope in self._hidden
        )

    def _read(self, place: str, node: cst.CSTNode) -> None:
        if not self._is_hidden(place):
            self.effects.reads.setdefault(place, []).append(node)

    def _inside(self, scope_node: cst.CSTNode, *parts: cst.CSTNode) -> None:
        self._hidden.append(self.bindings.scope(scope_node))
        for part in parts:
            self.visit(part)
        self._hidden.pop()

    def _visit_Name(self, node: cst.Name) -> None:
        self._read(node.value, node)

    def _visit_Attribute(self, node: cst.Attribute) -> None:
        place = place_of(node, self.instance)
        if place is not None:
            self._read(place, node)
        else:
            self.visit(node.value)

    def _visit_Arg(self, node: cst.Arg) -> None:
        self.visit(node.value)
        if isinstance(node.value, cst.Attribute):
            self._hand_on(node.value)

    def _hand_on(self, method: cst.Attribute) -> None:
        """`map(terms.append, found)`: whoever is given the method may call it."""
        name = method.attr.value
        root = root_place(method.value, self.instance)
        if root is not None and may_be_handed_on(name):
            self._mutate(root, only_adds=only_adds(name))

    def _visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if _reads_any_name(node, self.bindings):
            self.effects.reads_everything = True
        if isinstance(func, cst.Name) and func.value == "next" and node.args:
            self.effects.takes.update(filter(None, [root_place(node.args[0].value, self.instance)]))
        if isinstance(func, cst.Attribute):
            name = func.attr.value
            root = root_place(func.value, self.instance)
            changes = changes_its_object(name, asked=self._is_asked(node))
            if root is not None and changes and not self.bindings.is_imported(root, func):
                self._mutate(root, only_adds=only_adds(name))
            of_instance = place_of(func, self.instance) is not None and self.instance is not None
            if of_instance and not self._leaves_instance_alone(func):
                # A method of the same instance may read any of its attributes.
                self._read(cst.ensure_type(func.value, cst.Name).value, func.value)
        for written in written_arguments(node, self.bindings):
            root = root_place(written, self.instance)
            if root is not None and not self.bindings.is_imported(root, written):
                self._mutate(root)
        self.visit(func)
        for argument in node.args:
            self.visit(argument)

    def _is_asked(self, call: cst.Call) -> bool:
        """Something is done with what the call gives."""
        return not isinstance(self.bindings.tree.parents.get(call), (cst.Expr, cst.Lambda))

    def _leaves_instance_alone(self, func: cst.Attribute) -> bool:
        """The method, which only one class here defines, mentions no instance in its body."""
        tree, name = self.bindings.tree, func.attr.value
        found = [function for function in tree.functions if function.name.value == name]
        home = tree.enclosing_class(found[0]) if len(found) == 1 else None
        if home is None or home not in tree.ancestors(func) or found[0].decorators:
            return False
        instance = instance_name(found[0], self.bindings)
        return all(
            inner.value not in (instance, "super", "locals", "vars", "eval", "exec")
            for inner in descendants(found[0].body)
            if isinstance(inner, cst.Name)
        )

    def _visit_Assign(self, node: cst.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.store(target.target)

    def _visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.store(node.target)

    def _visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.visit(node.value)
        self.visit(node.target)
        root = root_place(node.target, self.instance)
        if root is not None:
            # `x += y` on a tensor changes it in place, for its aliases too.
            self._mutate(root)
        self.store(node.target)

    def _visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.visit(node.value)
        self.store(node.target)

    def _visit_Del(self, node: cst.Del) -> None:
        targets: list[cst.CSTNode] = [node.target]
        if isinstance(node.target, cst.Tuple):
            targets = [element.value for element in node.target.elements]
        for target in targets:
            self.store(target)

    def _visit_For(self, node: cst.For) -> None:
        self.visit(node.iter)
        self.store(node.target)
        self.visit(node.body)
        if node.orelse is not None:
            self.visit(node.orelse)

    def _visit_AsName(self, node: cst.AsName) -> None:
        self.store(node.name)

    def _visit_CompFor(self, node: cst.CompFor) -> None:
        for part in (node.iter, *node.ifs):
            self.visit(part)
        if node.inner_for_in is not None:
            self.visit(node.inner_for_in)

    def _visit_comprehension(self, node: cst.BaseComp) -> None:
        self._inside(node, *children(node))

    _visit_ListComp = _visit_SetComp = _visit_DictComp = _visit_GeneratorExp = _visit_comprehension

    def _visit_Lambda(self, node: cst.Lambda) -> None:
        self._inside(node, node.body)

    def _visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        for decorator in node.decorators:
            self.visit(decorator)
        outer, self.effects = self.effects, Effects()
        self._inside(node, node.body)
        inner, self.effects = self.effects, outer
        for place, nodes in inner.reads.items():
            outer.reads.setdefault(place, []).extend(nodes)
        # A definition runs nothing, but a later call may do all of this.
        outer.mutates |= inner.mutates | inner.writes
        outer.alters |= inner.mutates | inner.writes
        self.effects.writes.add(node.name.value)

    def _visit_ClassDef(self, node: cst.ClassDef) -> None:
        for base in node.bases:
            self.visit(base)
        self._inside(node, node.body)
        self.effects.writes.add(node.name.value)

    def _visit_Import(self, node: cst.CSTNode) -> None:
        self.effects.writes |= self.bindings.names_of_import(node)

    _visit_ImportFrom = _visit_Import

    def _visit_MatchAs(self, node: cst.MatchAs) -> None:
        if node.pattern is not None:
            self.visit(node.pattern)
        if node.name is not None:
            self.store(node.name)

    def _visit_Annotation(self, node: cst.Annotation) -> None:
        del node
