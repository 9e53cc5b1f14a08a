"""Helpers whose body says the same in another function as it does in their own."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.hidden_changes import Callees
from ortwrap.engine.effects.liveness import Liveness
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants, returns_of
from ortwrap.engine.text.tree import SourceTree, Unit

_STATEMENTS = (
    cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Assert, cst.Expr, cst.Pass, cst.Raise, cst.If,
    cst.For, cst.With, cst.Break, cst.Continue, cst.Return, cst.SimpleStatementLine,
)  # fmt: skip
# They read names later, leave the function, or hold text that no edit should touch.
_CANNOT_MOVE = (
    cst.Lambda, cst.GeneratorExp, cst.NamedExpr, cst.Await, cst.Yield, cst.FormattedString,
)  # fmt: skip
_ASK_WHERE_THEY_STAND = frozenset("super __class__ locals vars dir eval exec globals".split())


def statements_of(function: cst.FunctionDef, tree: SourceTree) -> list[Unit]:
    """The statements of a function without its docstring."""
    units = tree.blocks(function)[0].units
    first = units[0].node
    documented = isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString)
    return units[1:] if documented else units


def can_be_inlined(function: cst.FunctionDef, bindings: Bindings, callees: Callees) -> bool:
    """Statements that end in the one `return` of a helper, and run alike wherever they stand.

    Args:
        function: the helper.
        bindings: the names of its file.
        callees: what its functions change.
    """
    units = statements_of(function, bindings.tree)
    last = units[-1].node if units else None
    return (
        _is_called_plainly(function, bindings.tree)
        and isinstance(last, cst.Return)
        and last.value is not None
        and returns_of(function) == [last]
        and not any(unit.shares_line for unit in units)
        and all(_can_move(node) for unit in units for node in descendants(unit.node))
        and not _keeps_values(function, units, bindings, callees)
    )


def _is_called_plainly(function: cst.FunctionDef, tree: SourceTree) -> bool:
    """A call of it runs its body, with a value for each of its parameters."""
    stars = (function.params.star_arg, function.params.star_kwarg)
    return (
        function.asynchronous is None
        and all(tree.code(item.decorator) == "staticmethod" for item in function.decorators)
        and not any(isinstance(star, cst.Param) for star in stars)
    )


def _can_move(node: cst.CSTNode) -> bool:
    if isinstance(node, (cst.BaseSmallStatement, cst.BaseCompoundStatement)):
        return isinstance(node, _STATEMENTS)
    if isinstance(node, cst.Name):
        return node.value not in _ASK_WHERE_THEY_STAND
    if isinstance(node, cst.Attribute):
        # Python calls what is private to a class by another name.
        return not node.attr.value.startswith("__") or node.attr.value.endswith("__")
    if isinstance(node, cst.SimpleString):
        return "\n" not in node.value
    return not isinstance(node, _CANNOT_MOVE)


def _keeps_values(
    function: cst.FunctionDef, units: list[Unit], bindings: Bindings, callees: Callees
) -> bool:
    """Some path reads a local that it has not bound: in a loop, that of the round before."""
    reader = EffectsReader(bindings, function)
    exposed = Liveness(bindings.tree, reader, function, callees).exposed(units)
    bound = bindings.scope(function).names
    return any(
        name in bound and all(binding.kind != "parameter" for binding in bound[name])
        for name in exposed
    )
