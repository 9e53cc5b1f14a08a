"""What the locals of a helper are called where its statements take the place of a call."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.inlining.call_sites import CallSite
from ortwrap.engine.names.bindings import Bindings, Scope
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree


@dataclass(frozen=True)
class Local:
    """One local of a helper.

    Attributes:
        name: what it is called at the call.
        value: what is written for it until `bound_at`, the argument of a parameter.
        bound_at: where in the text of the helper it is bound anew; -1 for another local.
    """

    name: str
    value: str = ""
    bound_at: float = -1


class LocalNames:
    """Gives every local of a helper a name that means nothing else where the helper is called.

    Args:
        site: the call.
        function: the helper.
        given: what the call gives its parameters.
        in_place: those for which their argument may be written.
        analyses: of the function that the call stands in.
    """

    def __init__(
        self,
        site: CallSite,
        function: cst.FunctionDef,
        given: dict[str, cst.BaseExpression],
        in_place: frozenset[str],
        analyses: Analyses,
    ) -> None:
        self._site = site
        self._function = function
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._scope = analyses.bindings.scope(function)
        self._given = given
        self._arguments = [name for value in given.values() for name in _names_in(value)]
        self._after = analyses.liveness.after(analyses.tree.units[site.statement])
        self._may_be_caught = _may_be_caught(site, analyses.tree, analyses.bindings)
        self._used = {*self._arguments, *self._scope.names, *_names_in(function.body)}
        self._locals = {name: self._local(name, name in in_place) for name in self._scope.names}

    @property
    def bound_first(self) -> list[tuple[str, cst.BaseExpression]]:
        """Names with the arguments that they get before the helper's statements run."""
        return [
            (self._locals[name].name, value)
            for name, value in self._given.items()
            if not self._locals[name].value and not _is_called(value, self._locals[name].name)
        ]

    def written_for(self, node: cst.Name) -> str | None:
        """What stands at the call for a name in the helper; None for the name itself."""
        if self._bindings.resolve(node) is not self._scope:
            return None
        local = self._locals[node.value]
        binds = any(binding.node is node for binding in self._scope.names[node.value])
        before = not binds and self._tree.span(node).start < local.bound_at
        return local.value if before else local.name

    def _local(self, name: str, in_place: bool) -> Local:
        argument = self._given.get(name)
        if argument is None:
            return Local(self._own_name(name))
        bound_at = self._bound_at(name)
        if not in_place or bound_at is None or "\n" in self._tree.source(argument):
            return Local(self._own_name(name))
        text = self._tree.source(argument)
        if isinstance(argument, cst.UnaryOperation):
            text = f"({text})"
        return Local("" if bound_at == inf else self._own_name(name), text, bound_at)

    def _bound_at(self, parameter: str) -> float | None:
        """The end of the statement that binds a parameter anew; None if a branch of one does."""
        anew = [b.node for b in self._scope.names[parameter] if b.kind != "parameter"]
        if not anew:
            return inf
        first = self._tree.unit_of(min(anew, key=lambda node: self._tree.span(node).start))
        straight = first.block.owner is self._function and isinstance(first.node, cst.Assign)
        return self._tree.span(first.node).end if straight else None

    # -- names -----------------------------------------------------------------------------------

    def _own_name(self, name: str) -> str:
        """The name itself, if nothing at the call could tell that it has another value."""
        if self._is_free(name) or self._is_dead(name):
            return name
        count = 2
        while f"{name}_{count}" in self._used or not self._is_free(f"{name}_{count}"):
            count += 1
        self._used.add(f"{name}_{count}")
        return f"{name}_{count}"

    def _is_free(self, name: str) -> bool:
        """Where the call stands the name means nothing."""
        scope = self._site.scope
        if name in scope.names or name in scope.declared_global:
            return False
        return not any(
            node.value == name and self._is_seen_through(scope, node) for node in self._tree.names
        )

    def _is_seen_through(self, scope: Scope, node: cst.Name) -> bool:
        """A name read inside of a scope is looked up in it."""
        inner: Scope | None = self._bindings.scope_of(node)
        while inner is not None and inner is not scope:
            if inner is self._bindings.resolve(node):
                return False
            inner = inner.parent
        return inner is scope

    def _is_dead(self, name: str) -> bool:
        """What the name means where the call stands nothing reads any more, but for the helper."""
        argument = self._given.get(name)
        own = argument is not None and _is_called(argument, name)
        read_later = name in self._after and name not in self._site.bound
        return (
            self._is_plain(name)
            and not read_later
            and name not in self._site.read_beside
            and self._arguments.count(name) == own
        )

    def _is_plain(self, name: str) -> bool:
        """A local of the function around the call, which no function inside of that reads."""
        scope = self._site.scope
        declared = scope.declared_global | scope.declared_nonlocal
        return (
            name in scope.names
            and name not in declared
            and not self._may_be_caught
            and all(
                self._bindings.scope_of(node) is scope
                for node in self._tree.names
                if node.value == name and self._bindings.resolve(node) is scope
            )
        )


def _is_called(node: cst.BaseExpression, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _names_in(node: cst.CSTNode) -> list[str]:
    return [each.value for each in descendants(node) if isinstance(each, cst.Name)]


def _may_be_caught(site: CallSite, tree: SourceTree, bindings: Bindings) -> bool:
    """What fails in the helper may leave the function running, with names half bound."""
    for around in tree.ancestors(site.call):
        if around is site.scope.node:
            return False
        if isinstance(around, (cst.Try, cst.TryStar)):
            return True
        if isinstance(around, cst.With):
            managers = (item.item for item in around.items)
            called = (each.func for each in managers if isinstance(each, cst.Call))
            names = [bindings.qualified(func) or "" for func in called]
            if len(names) < len(around.items) or not all(n.startswith("torch.") for n in names):
                return True
    return False
