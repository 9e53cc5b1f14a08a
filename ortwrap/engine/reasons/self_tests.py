"""The self-test of a model's file: it runs a step to see that the model works."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.reasons.made_up_batches import is_batch_made_up
from ortwrap.engine.reasons.unit_tests import TESTS_A_STEP, may_update, updates
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import called_name, calls_in, descendants
from ortwrap.engine.text.tree import FunctionLike, SourceTree, Unit

_LOSS = re.compile(r"loss|criterion|entropy|mse|bce|nll|kl_div|objective", re.IGNORECASE)
_SELF_TEST = 'if __name__ == "__main__":'


def check_is_no_self_test(found: LossSlice, analyses: Analyses) -> None:
    """Look for code whose step is run to be looked at, and never again.

    Raises:
        Refuse: a file tries out its model when it is run: the model's output stands for a loss, or
            random numbers for a batch, and it updates no weights, or does so once.
    """
    if _is_self_test(found, analyses):
        name = analyses.tree.qualified_function(found.sink.call)
        raise Refuse("OW116", name=name or _SELF_TEST, what=TESTS_A_STEP)


def _is_self_test(found: LossSlice, analyses: Analyses) -> bool:
    tree, sink = analyses.tree, found.sink.call
    function = tree.enclosing(sink)
    runs: Sequence[cst.CSTNode] = [sink] if function is tree.module else _runs(function, analyses)
    if not runs or not all(_stands_in_main(run, tree) for run in runs):
        return False
    repeats = any(tree.is_in_a_loop(each) for each in (sink, *runs))
    if is_batch_made_up(found, analyses):
        return not (repeats and (may_update(tree.module) or _hands_on_a_model(analyses)))
    outputs_only = not any(map(compares, found.pieces))
    return not repeats and outputs_only and not updates(tree.module)


def _runs(function: FunctionLike, analyses: Analyses) -> Sequence[cst.CSTNode]:
    """The calls of a function that nobody can give a model to."""
    if not isinstance(function, cst.FunctionDef) or function.params.params:
        return []
    return analyses.bindings.calls_of(function)


def _stands_in_main(node: cst.CSTNode, tree: SourceTree) -> bool:
    """A node runs where the file is run as a script, and not where it is imported."""
    return tree.enclosing(node) is tree.module and any(
        isinstance(around, cst.If) and "__name__" in tree.code(around.test)
        for around in tree.ancestors(node)
    )


def _hands_on_a_model(analyses: Analyses) -> bool:
    """A loop gives a model to some function, which may change it."""
    return any(
        analyses.modules.is_trainable(argument.value)
        for call in analyses.tree.calls
        if analyses.tree.is_in_a_loop(call)
        for argument in call.args
    )


def compares(piece: Unit) -> bool:
    """A piece of the loss is more than an output of a model, or the sum of some."""
    return any(map(_LOSS.search, _called(piece.node))) or any(
        isinstance(inner, cst.BinaryOperation) and not isinstance(inner.operator, cst.Add)
        for inner in descendants(piece.node)
    )


def _called(node: cst.CSTNode) -> Iterator[str]:
    return (called_name(call) for call in calls_in(node))
