"""One loss that the branches of an `if` reduce each in its own way, in the call of backward.

    if isinstance(updater, torch.optim.Optimizer):
        l.mean().backward()
    else:
        l.sum().backward()

What both consume is `l`, and the reductions stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.tree import SourceTree

_REDUCTIONS = frozenset(["mean", "sum"])


def reduced_in_branches(
    sink: Sink, sinks: Sequence[Sink], tree: SourceTree
) -> cst.BaseExpression | None:
    """What a sink reduces, if another branch has a backward of the same value, reduced otherwise.

    Args:
        sink: whose loss is looked at.
        sinks: all of its function.
        tree: the script.
    """
    core = _reduced(sink.loss)
    others = [other for other in sinks if _in_another_branch(sink, other, tree)]
    alike = [other for other in others if tree.bare(_reduced(other.loss)) == tree.bare(core)]
    differ = any(tree.bare(other.loss) != tree.bare(sink.loss) for other in alike)
    return core if differ else None


def _reduced(loss: cst.BaseExpression) -> cst.BaseExpression:
    """`l` of `l.mean()`."""
    func = loss.func if isinstance(loss, cst.Call) and not loss.args else None
    reduces = isinstance(func, cst.Attribute) and func.attr.value in _REDUCTIONS
    return cst.ensure_type(func, cst.Attribute).value if reduces else loss


def _in_another_branch(sink: Sink, other: Sink, tree: SourceTree) -> bool:
    around = [node for node in tree.ancestors(sink.call) if isinstance(node, cst.If)]
    shared = next((node for node in around if node in tree.ancestors(other.call)), None)
    if shared is None:
        return False
    return (shared.body in tree.ancestors(sink.call)) != (shared.body in tree.ancestors(other.call))
