"""Where a call stands, if statements can run before it instead of inside of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Bindings, Scope
from ortwrap.engine.text.nodes import children, descendants
from ortwrap.engine.text.tree import SourceTree

# What a call stands in that may leave it out, or runs it again and again.
_MAY_NOT_RUN_ONCE = (
    cst.IfExp, cst.BooleanOperation, cst.Comparison, cst.BaseComp, cst.Lambda, cst.NamedExpr,
    cst.Await, cst.FormattedString,
)  # fmt: skip
_BIND_OR_WAIT = (cst.NamedExpr, cst.Await, cst.Yield)
_LITERALS = (cst.Integer, cst.Float, cst.SimpleString)
_LIBRARIES = ("torch.", "math.", "numpy.")
_STATEMENTS = (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Return, cst.Expr)


@dataclass(frozen=True, eq=False)
class CallSite:
    """A call in a statement that has lines of its own, of which nothing runs before it.

    Attributes:
        call: the call.
        statement: what it stands in.
        scope: the names of the function that it stands in.
        bound: the names that the statement binds, in their order.
        read_beside: the names that it reads outside of the call.
    """

    call: cst.Call
    statement: cst.BaseSmallStatement
    scope: Scope
    bound: tuple[str, ...]
    read_beside: frozenset[str]


def call_site(call: cst.Call, reader: EffectsReader) -> CallSite | None:
    """The place of a call; None where something could tell that statements run before it.

    Args:
        call: the call.
        reader: of the function that it stands in.
    """
    bindings = reader.bindings
    tree = bindings.tree
    function = tree.enclosing(call)
    body = function if isinstance(function, cst.Module) else function.body
    statement = _statement_around(call, tree)
    if statement is None or bindings.scope_of(call).node is not function:
        return None
    binds_or_waits = any(isinstance(node, _BIND_OR_WAIT) for node in descendants(call))
    if binds_or_waits or reader.of(body).reads_everything:
        return None
    if any(not _is_same_anywhere(node, bindings) for node in _run_before(call, statement, tree)):
        return None
    bound = _names_bound_by(statement)
    inside = {*bound, *descendants(call)}
    beside = (node for node in descendants(statement) if node not in inside)
    read_beside = frozenset(node.value for node in beside if isinstance(node, cst.Name))
    names = tuple(name.value for name in bound)
    return CallSite(call, statement, bindings.scope_of(call), names, read_beside)


def _statement_around(call: cst.Call, tree: SourceTree) -> cst.BaseSmallStatement | None:
    """The statement that a call stands in, alone on its lines and without comments inside."""
    statement: cst.CSTNode = call
    for around in tree.ancestors(call):
        if isinstance(around, _MAY_NOT_RUN_ONCE):
            return None
        if isinstance(around, cst.SimpleStatementLine):
            lines = range(tree.line(statement), tree.end_line(statement))
            commented = any("#" in tree.line_text(line) for line in lines)
            if len(around.body) > 1 or commented or not isinstance(statement, _STATEMENTS):
                return None
            return statement
        if isinstance(around, (cst.BaseCompoundStatement, cst.BaseSuite)):
            return None
        statement = around
    return None


def _run_before(
    call: cst.Call, statement: cst.BaseSmallStatement, tree: SourceTree
) -> Iterator[cst.BaseExpression]:
    """The expressions of a statement that are evaluated before a call in it, or might be."""
    around = set(tree.ancestors(call))
    stack: list[cst.CSTNode] = [statement]
    while stack:
        node = stack.pop()
        for child in children(node):
            if child in around:
                stack.append(child)
            elif child is call or isinstance(child, cst.AssignTarget):
                continue
            elif tree.span(child).start < tree.span(call).start:
                yield from (n for n in descendants(child) if isinstance(n, cst.BaseExpression))


def _is_same_anywhere(node: cst.BaseExpression, bindings: Bindings) -> bool:
    """A name, a number, or a function of torch: no statement before it makes it another."""
    if isinstance(node, cst.Name):
        return is_own_name(node, bindings)
    library = (bindings.qualified(node) or "").startswith(_LIBRARIES)
    return isinstance(node, _LITERALS) or (isinstance(node, cst.Attribute) and library)


def is_own_name(node: cst.Name, bindings: Bindings) -> bool:
    """No function binds the name anew whose own it is not."""
    return not any(
        node.value in scope.declared_global | scope.declared_nonlocal for scope in bindings.scopes()
    )


def _names_bound_by(statement: cst.BaseSmallStatement) -> list[cst.Name]:
    """The names of an assignment, if it has no other targets."""
    if not isinstance(statement, cst.Assign) or len(statement.targets) > 1:
        return []
    target = statement.targets[0].target
    elements = target.elements if isinstance(target, (cst.Tuple, cst.List)) else ()
    values = [element.value for element in elements if isinstance(element, cst.Element)]
    names = [name for name in (values or [target]) if isinstance(name, cst.Name)]
    return names if len(names) == max(1, len(elements)) else []
