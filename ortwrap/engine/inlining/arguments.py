"""What a call gives each parameter of a helper, and whether it may be written in its place."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.inlining.call_sites import is_own_name
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree

_LITERALS = (cst.Integer, cst.Float, cst.SimpleString)
_CHAINS = (cst.Name, cst.Attribute, cst.Subscript, cst.SubscriptElement, cst.Index, *_LITERALS)
_CONSTANTS = frozenset(["None", "True", "False"])


def arguments_of(
    call: cst.Call, function: cst.FunctionDef, tree: SourceTree
) -> dict[str, cst.BaseExpression] | None:
    """What each parameter stands for, in the order of evaluation; None if that is not certain."""
    pairs = [*_instance(call, function, tree), *pair_arguments(function, call)]
    given = dict(pairs)
    written = {argument.value for argument in call.args if not argument.star}
    if len(given) < len(pairs) or not written <= set(given.values()):
        return None
    params = function.params
    for param in (*params.posonly_params, *params.params, *params.kwonly_params):
        if param.name.value not in given:
            if param.default is None or not _is_constant(param.default):
                return None
            given[param.name.value] = param.default
    return None if len(written) < len(call.args) else given


def _instance(
    call: cst.Call, function: cst.FunctionDef, tree: SourceTree
) -> Iterator[tuple[str, cst.BaseExpression]]:
    """`self` of a method, which is what it is called on."""
    if tree.enclosing_class(function) is not None and not function.decorators:
        method = cst.ensure_type(call.func, cst.Attribute)
        params = [*function.params.posonly_params, *function.params.params]
        yield params[0].name.value, method.value


def written_in_place(
    call: cst.Call, given: dict[str, cst.BaseExpression], analyses: Analyses
) -> frozenset[str]:
    """Parameters that are what their argument is, however late or often that is evaluated.

    Args:
        call: of the helper.
        given: what it gives each parameter, in the order of evaluation.
        analyses: of the function that the call stands in.
    """
    changed = analyses.helpers.callees.changes(call, analyses.reader).places
    certain, steady = set[str](), set[str]()
    for parameter, value in given.items():
        if _is_constant(value) or _is_own(value, analyses):
            certain.add(parameter)
        elif _is_chain(value, analyses) and not overlap(
            set(analyses.reader.of(value).reads), changed
        ):
            steady.add(parameter)
        else:
            # What this runs may change what was evaluated before it.
            steady.clear()
    return frozenset(certain | steady)


def _is_own(value: cst.BaseExpression, analyses: Analyses) -> bool:
    """A name of something that no other function puts another thing in the place of."""
    return isinstance(value, cst.Name) and is_own_name(value, analyses.bindings)


def _is_chain(value: cst.BaseExpression, analyses: Analyses) -> bool:
    """`batch["labels"]`, `args.weight`: attributes and items that using them leaves alone."""
    parts = list(descendants(value))
    return all(isinstance(part, _CHAINS) for part in parts) and not any(
        analyses.uses.changed_by(part) for part in parts
    )


def _is_constant(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        node = node.expression
    return isinstance(node, _LITERALS) or (isinstance(node, cst.Name) and node.value in _CONSTANTS)
