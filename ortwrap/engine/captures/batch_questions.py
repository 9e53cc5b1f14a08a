"""Values of the batch that a branch of the slice is taken on, as in `if (labels < 0).any()`.

Of what the step is given they can be asked before the call, and the answer goes in: a graph that
had to ask itself would take the same branch for good, and so runs eagerly.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.captures.names import name_for, name_for_comparison
from ortwrap.engine.effects.questions import REDUCTIONS, Values, is_reduced, reduces
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in, descendants

_KEEPS_TENSORS = frozenset(
    "float long int bool double half abs eq ne gt lt ge le isnan isinf isfinite view reshape "
    "flatten squeeze unsqueeze size dim numel detach logical_not logical_and logical_or".split()
)


def asks_the_batch(test: cst.BaseExpression, bindings: Bindings, values: Values) -> bool:
    """A condition, or one side of an `and`, is true or false by values that a tensor holds.

    Args:
        test: an expression over inputs.
        bindings: the names of its file.
        values: what is assigned to a name.
    """
    if not isinstance(test, (cst.Comparison, cst.Call)) or not _decides(test, bindings):
        return False
    calls = list(calls_in(test))
    reduced = any(reduces(call, bindings) in REDUCTIONS for call in calls)
    reduced = reduced or any(is_reduced(name, values, bindings) for name in _names_in(test))
    known = all(reduces(call, bindings) in REDUCTIONS | _KEEPS_TENSORS for call in calls)
    return reduced and known


def reads_as_truth(test: cst.BaseExpression, bindings: Bindings) -> str:
    """How such a condition is handed over: as a truth value of Python."""
    text = bindings.tree.source(test)
    python = any(
        reduces(call, bindings) in ("item", "equal", "allclose") for call in calls_in(test)
    )
    return text if python and isinstance(test, cst.Comparison) else f"bool({text})"


def name_for_question(test: cst.BaseExpression, bindings: Bindings) -> str:
    """`mask.any()` -> mask_any, `(y > 0).sum() == 0` -> y_gt_0_sum_eq_0."""
    if isinstance(test, cst.Comparison):
        return name_for_comparison(test, bindings, _name_for_side(test.left, bindings))
    return _name_for_side(test, bindings)


def _name_for_side(node: cst.BaseExpression, bindings: Bindings) -> str:
    method = reduces(node, bindings) if isinstance(node, cst.Call) else None
    if not isinstance(node, cst.Call) or method is None:
        return name_for(node, bindings)
    given = node.args[0].value if node.args else None
    of_torch = bindings.qualified(node.func) is not None
    owner = given if of_torch else cst.ensure_type(node.func, cst.Attribute).value
    subject = "value" if owner is None else _name_for_side(owner, bindings)
    return f"{subject}_{method}" if method in REDUCTIONS - {"item"} else subject


def _names_in(test: cst.BaseExpression) -> Iterator[cst.Name]:
    return (node for node in descendants(test) if isinstance(node, cst.Name))


def _decides(test: cst.CSTNode, bindings: Bindings) -> bool:
    """A branch is taken on it, alone or with others."""
    branch = bindings.tree.parents.get(test)
    while isinstance(branch, cst.BooleanOperation) or (
        isinstance(branch, cst.UnaryOperation) and isinstance(branch.operator, cst.Not)
    ):
        test, branch = branch, bindings.tree.parents.get(branch)
    return isinstance(branch, (cst.If, cst.IfExp)) and branch.test is test
