"""Scopes and bindings: what a name refers to, whatever it is spelled like."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import libcst as cst

from ortwrap.engine.names.assigned import assigned_values
from ortwrap.engine.names.imports import IMPORTING, Imported, dotted, names_a_package
from ortwrap.engine.names.stars_of_torch import given_last
from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.tree import SourceTree

if TYPE_CHECKING:
    from ortwrap.engine.names.elsewhere import Elsewhere

Kind = Literal["import", "function", "class", "variable", "parameter"]

_BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__"}


@dataclass(frozen=True, eq=False)
class Binding:
    """One place where a name gets a value.

    Attributes:
        kind: how the name is bound.
        node: the binding statement, parameter or target.
        target: the dotted name that an import stands for; empty otherwise.
    """

    kind: Kind
    node: cst.CSTNode
    target: str = ""


@dataclass(eq=False)
class Scope:
    """The names bound in one module, class, function, lambda or comprehension."""

    node: cst.CSTNode
    parent: Scope | None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    declared_global: set[str] = field(default_factory=set)
    declared_nonlocal: set[str] = field(default_factory=set)

    @property
    def is_module(self) -> bool:
        return isinstance(self.node, cst.Module)

    def owner(self, name: str) -> Scope | None:
        """The scope whose binding a read of `name` in this scope sees; None for builtins."""
        scope: Scope | None = self
        if name in self.declared_global:
            # What only a star import or another file binds is of no scope here.
            module = self.module()
            return module if name in module.names else None
        while scope is not None:
            visible = scope is self or not isinstance(scope.node, cst.ClassDef)
            bound = name in scope.names and name not in scope.declared_nonlocal
            if visible and bound and name not in scope.declared_global:
                return scope
            scope = scope.parent
        return None

    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Bindings:
    """All scopes of one script.

    Attributes:
        module: the outermost scope.
        star_imports: the modules that names may come from by a `from x import *`.
        elsewhere: the other files of the project; None where none may be read.
        path: which of these files this one is; empty for the script itself.
    """

    def __init__(
        self, tree: SourceTree, elsewhere: Elsewhere | None = None, path: str = ""
    ) -> None:
        self.tree = tree
        self.elsewhere = elsewhere
        self.path = path
        self.module = Scope(tree.module, None)
        self._scopes: dict[cst.CSTNode, Scope] = {tree.module: self.module}
        self._innermost: dict[cst.CSTNode, Scope] = {}
        self.star_imports: list[Imported] = []
        self._handed_on: dict[str, str | None] = {}
        self._visit(tree.module, self.module)

    def scopes(self) -> Iterable[Scope]:
        """Every scope of the script."""
        return self._scopes.values()

    def scope_of(self, node: cst.CSTNode) -> Scope:
        """The innermost scope that a node stands in."""
        known = self._innermost.get(node)
        if known is None:
            around = (self._scopes.get(each) for each in self.tree.ancestors(node))
            known = next((scope for scope in around if scope is not None), self.module)
            self._innermost[node] = known
        return known

    def scope(self, node: cst.CSTNode) -> Scope:
        """The scope that a function, class, lambda, comprehension or module opens."""
        return self._scopes[node]

    def resolve(self, name: cst.Name) -> Scope | None:
        """The scope that binds a name which is read; None for builtins and unknown names."""
        return self.scope_of(name).owner(name.value)

    def lookup(self, name: cst.Name) -> list[Binding]:
        """Every place that may have bound the name read here."""
        scope = self.resolve(name)
        return scope.names[name.value] if scope else []

    def definition(self, expression: cst.BaseExpression) -> cst.CSTNode | None:
        """The one `def` or `class` of this file that a name refers to."""
        if isinstance(expression, cst.Name):
            bound = self.lookup(expression)
            if len(bound) == 1 and bound[0].kind in ("function", "class"):
                return bound[0].node
        return None

    @cached_property
    def attribute_values(self) -> dict[str, list[cst.BaseExpression]]:
        """Every expression that is assigned to an attribute, of whatever object, by its name."""
        return assigned_values(
            self.tree, lambda node: node.attr.value if isinstance(node, cst.Attribute) else None
        )

    def calls_of(self, function: cst.CSTNode) -> list[cst.Call]:
        """The calls of a function or class of this file by its name."""
        return [call for call in self.tree.calls if self.definition(call.func) is function]

    def qualified(self, expression: cst.CSTNode) -> str | None:
        """The dotted name an imported thing has at its source, such as `torch.nn.Linear`."""
        if isinstance(expression, cst.Name):
            bound = self.lookup(expression)
            targets = {binding.target for binding in bound}
            if bound and len(targets) == 1 and all(b.kind == "import" for b in bound):
                return targets.pop()
            return self._by_star(expression.value) if not bound else None
        if isinstance(expression, cst.Attribute):
            base = self.qualified(expression.value)
            return f"{base}.{expression.attr.value}" if base else None
        return None

    def _by_star(self, name: str) -> str | None:
        """The same for a name that a star import gives, of a library or from another file."""
        if not self.star_imports or self.is_builtin(name):
            return None
        if name not in self._handed_on:
            self._handed_on[name] = (
                given_last(self.star_imports, name)
                if self.elsewhere is None
                else self.elsewhere.library(name, self)
            )
        return self._handed_on[name]

    @property
    def has_star_import(self) -> bool:
        """Some names may come from a `from x import *`."""
        return bool(self.star_imports)

    def imported(self, expression: cst.CSTNode) -> Imported | None:
        """What the import statements that bind a name or an attribute of it stand for."""
        if isinstance(expression, cst.Name):
            found = {self.imported_by(binding) for binding in self.lookup(expression)}
            return found.pop() if len(found) == 1 else None
        if isinstance(expression, cst.Attribute):
            base = self.imported(expression.value)
            return base and Imported(base.level, (*base.path, expression.attr.value))
        return None

    def imported_by(self, binding: Binding) -> Imported | None:
        """What one import statement stands for; None for another kind of binding."""
        if binding.kind != "import":
            return None
        node = binding.node
        level = len(node.relative) if isinstance(node, cst.ImportFrom) else 0
        return Imported.of(level, binding.target)

    def is_imported(self, name: str, at: cst.CSTNode) -> bool:
        """An import may have bound the name as it is read there."""
        owner = self.scope_of(at).owner(name)
        return owner is not None and any(b.kind == "import" for b in owner.names[name])

    def literal(self, name: cst.Name) -> cst.BaseExpression | None:
        """The number or string that a name of the module is bound to, once and for all."""
        owner = self.resolve(name)
        if owner is None or not owner.is_module or len(owner.names[name.value]) != 1:
            return None
        target = owner.names[name.value][0].node
        parent = self.tree.parents.get(self.tree.parents.get(target, target))
        if isinstance(parent, (cst.Assign, cst.AnnAssign)):
            value = parent.value
        else:
            value = self.element_bound_to(target)
        plain = value.expression if isinstance(value, cst.UnaryOperation) else value
        constant = isinstance(plain, (cst.Integer, cst.Float, cst.SimpleString))
        return value if constant and self._stands_at_top(target) else None

    def names_of_import(self, node: cst.CSTNode) -> set[str]:
        """The names that one import statement binds."""
        names = self.scope_of(node).names
        return {name for name, bound in names.items() if any(b.node is node for b in bound)}

    def element_bound_to(self, target: cst.CSTNode) -> cst.BaseExpression | None:
        """The value of one name in `PAD, CLS = 0, 101`."""
        targets = self.tree.parents.get(self.tree.parents.get(target, target))
        assign = self.tree.parents.get(self.tree.parents.get(targets, target)) if targets else None
        if not isinstance(targets, cst.Tuple) or not isinstance(assign, cst.Assign):
            return None
        values = assign.value
        if not isinstance(values, cst.Tuple) or len(values.elements) != len(targets.elements):
            return None
        for left, right in zip(targets.elements, values.elements):
            if left.value is target:
                return right.value
        return None

    def _stands_at_top(self, node: cst.CSTNode) -> bool:
        return self.tree.unit_of(node).block.owner is self.tree.module

    @staticmethod
    def is_builtin(name: str) -> bool:
        return name in _BUILTINS

    def _visit(self, node: cst.CSTNode, scope: Scope) -> None:
        handler = getattr(self, f"_visit_{type(node).__name__}", None)
        if handler is not None:
            handler(node, scope)
            return
        for child in children(node):
            self._visit(child, scope)

    def _open(self, node: cst.CSTNode, parent: Scope) -> Scope:
        scope = self._scopes[node] = Scope(node, parent)
        return scope

    def _bind(self, scope: Scope, name: str, binding: Binding) -> None:
        if name in scope.declared_global:
            scope = scope.module()
        elif name in scope.declared_nonlocal and scope.parent is not None:
            scope = scope.parent.owner(name) or scope
        scope.names.setdefault(name, []).append(binding)

    def _bind_target(self, target: cst.CSTNode, scope: Scope) -> None:
        if isinstance(target, cst.Name):
            self._bind(scope, target.value, Binding("variable", target))
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                self._bind_target(element.value, scope)
        elif isinstance(target, cst.StarredElement):
            self._bind_target(target.value, scope)
        else:
            self._visit(target, scope)

    def _visit_FunctionDef(self, node: cst.FunctionDef, scope: Scope) -> None:
        self._bind(scope, node.name.value, Binding("function", node))
        for decorator in node.decorators:
            self._visit(decorator, scope)
        inner = self._open(node, scope)
        _declare(node.body, inner)
        self._visit_parameters(node.params, inner, scope)
        if node.returns is not None:
            self._visit(node.returns, scope)
        self._visit(node.body, inner)

    def _visit_Lambda(self, node: cst.Lambda, scope: Scope) -> None:
        inner = self._open(node, scope)
        self._visit_parameters(node.params, inner, scope)
        self._visit(node.body, inner)

    def _visit_parameters(self, params: cst.Parameters, inner: Scope, outer: Scope) -> None:
        every = [*params.params, *params.posonly_params, *params.kwonly_params]
        stars = (params.star_arg, params.star_kwarg)
        every += [star for star in stars if isinstance(star, cst.Param)]
        for param in every:
            self._bind(inner, param.name.value, Binding("parameter", param))
            for part in (param.default, param.annotation):
                if part is not None:
                    self._visit(part, outer)

    def _visit_ClassDef(self, node: cst.ClassDef, scope: Scope) -> None:
        self._bind(scope, node.name.value, Binding("class", node))
        for part in (*node.decorators, *node.bases, *node.keywords):
            self._visit(part, scope)
        self._visit(node.body, self._open(node, scope))

    def _visit_comprehension(self, node: cst.BaseComp, scope: Scope) -> None:
        inner = self._open(node, scope)
        for child in children(node):
            self._visit(child, inner)

    _visit_ListComp = _visit_SetComp = _visit_DictComp = _visit_GeneratorExp = _visit_comprehension

    def _visit_CompFor(self, node: cst.CompFor, scope: Scope) -> None:
        self._bind_target(node.target, scope)
        for part in (node.iter, *node.ifs):
            self._visit(part, scope)
        if node.inner_for_in is not None:
            self._visit(node.inner_for_in, scope)

    def _visit_Assign(self, node: cst.Assign, scope: Scope) -> None:
        self._visit(node.value, scope)
        package = self._package_of(node.value)
        for target in node.targets:
            if package is not None and isinstance(target.target, cst.Name):
                self._bind(scope, target.target.value, Binding("import", node, package))
            else:
                self._bind_target(target.target, scope)

    def _package_of(self, value: cst.BaseExpression) -> str | None:
        """`torch` in `pytest.importorskip("torch")`, which imports like a statement."""
        if not isinstance(value, cst.Call):
            return None
        package = names_a_package(value)
        return package if package and self.qualified(value.func) in IMPORTING else None

    def _visit_AnnAssign(self, node: cst.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self._visit(node.value, scope)
        self._bind_target(node.target, scope)

    def _visit_AugAssign(self, node: cst.AugAssign, scope: Scope) -> None:
        self._visit(node.value, scope)
        self._bind_target(node.target, scope)

    def _visit_NamedExpr(self, node: cst.NamedExpr, scope: Scope) -> None:
        self._visit(node.value, scope)
        home = scope
        while isinstance(home.node, cst.BaseComp) and home.parent is not None:
            home = home.parent
        self._bind_target(node.target, home)

    def _visit_For(self, node: cst.For, scope: Scope) -> None:
        self._bind_target(node.target, scope)
        for part in (node.iter, node.body, node.orelse):
            if part is not None:
                self._visit(part, scope)

    def _visit_AsName(self, node: cst.AsName, scope: Scope) -> None:
        self._bind_target(node.name, scope)

    def _visit_MatchAs(self, node: cst.MatchAs, scope: Scope) -> None:
        if node.pattern is not None:
            self._visit(node.pattern, scope)
        if node.name is not None:
            self._bind_target(node.name, scope)

    def _visit_MatchStar(self, node: cst.MatchStar, scope: Scope) -> None:
        if node.name is not None:
            self._bind_target(node.name, scope)

    def _visit_Import(self, node: cst.Import, scope: Scope) -> None:
        for alias in node.names:
            path = dotted(alias.name)
            if alias.asname is not None:
                name = cst.ensure_type(alias.asname.name, cst.Name).value
                self._bind(scope, name, Binding("import", node, path))
            else:
                root = path.split(".")[0]
                self._bind(scope, root, Binding("import", node, root))

    def _visit_ImportFrom(self, node: cst.ImportFrom, scope: Scope) -> None:
        source = "." * len(node.relative) + (dotted(node.module) if node.module else "")
        if isinstance(node.names, cst.ImportStar):
            self.star_imports.append(Imported.of(len(node.relative), source))
            return
        for alias in node.names:
            name = dotted(alias.name)
            local = cst.ensure_type(alias.asname.name, cst.Name).value if alias.asname else name
            self._bind(scope, local, Binding("import", node, f"{source}.{name}"))


def _declare(body: cst.CSTNode, scope: Scope) -> None:
    """Collect `global` and `nonlocal` before any binding, since they may come late."""
    stack = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Global):
            scope.declared_global.update(item.name.value for item in node.names)
        elif isinstance(node, cst.Nonlocal):
            scope.declared_nonlocal.update(item.name.value for item in node.names)
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.BaseExpression)):
            stack.extend(children(node))
