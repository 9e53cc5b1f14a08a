"""Code that runs a step to see that it works: unit tests, and the self-test of a model's file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.nodes import called_name, calls_in, descendants, last_name
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.slices import LossSlice
from ortwrap.engine.tree import FunctionLike, SourceTree

_TEST = re.compile(r"^test(?:_|[A-Z])")
_TESTS = re.compile(r"^Test|Tests?$|Test(?:Case|Base)$")
_LOSS = re.compile(r"loss|criterion|entropy|mse|bce|nll|kl_div|objective", re.IGNORECASE)
_SELF_TEST = 'if __name__ == "__main__":'


def check_is_no_test(found: LossSlice, analyses: Analyses) -> None:
    """Look for code whose step is run to be looked at, and never again.

    A test that trains in a loop may want ONNX Runtime, as any training does.

    Raises:
        Refuse: a unit test does not train in a loop, or a file tries out its model when it is run,
            whose output stands for a loss, and updates no weights anywhere.
    """
    tree, sink = analyses.tree, found.sink.call
    test = _unit_test(sink, analyses)
    untrained = test is not None and not (_repeats(sink, test, tree) and _updates(test))
    if untrained or _is_self_test(found, analyses):
        raise Refuse("OW116", name=tree.qualified_function(sink) or _SELF_TEST)


def _unit_test(node: cst.CSTNode, analyses: Analyses) -> cst.FunctionDef | cst.ClassDef | None:
    """The test, or the class of tests, that a node stands in: it asserts, and no function runs it.

    Helpers of the tests in their class are a part of these.
    """
    tree = analyses.tree
    for around in tree.ancestors(node):
        if isinstance(around, cst.FunctionDef):
            is_test = bool(_TEST.match(around.name.value)) and _is_run_by_none(around, tree)
        else:
            is_test = isinstance(around, cst.ClassDef) and _holds_tests(around, tree)
        if is_test and _asserts(around):
            return around  # type: ignore[return-value]
    return None


def _holds_tests(node: cst.ClassDef, tree: SourceTree) -> bool:
    methods = (each for each in tree.functions if tree.enclosing_class(each) is node)
    called_so = any(map(_TESTS.search, _names(node)))
    return called_so and any(_TEST.match(method.name.value) for method in methods)


def _names(node: cst.ClassDef) -> list[str]:
    """The name of a class and the last names of its bases."""
    return [node.name.value, *(last_name(base.value) for base in node.bases)]


def _is_run_by_none(function: cst.FunctionDef, tree: SourceTree) -> bool:
    """No function of the script calls this one, or a method of its name."""
    runs = (call for call in tree.calls if called_name(call) == function.name.value)
    return all(tree.enclosing(call) is tree.module for call in runs)


def _asserts(node: cst.CSTNode) -> bool:
    return any(isinstance(inner, cst.Assert) for inner in descendants(node)) or any(
        called_name(call).startswith("assert") for call in calls_in(node)
    )


def _repeats(sink: cst.CSTNode, test: cst.CSTNode, tree: SourceTree) -> bool:
    """A loop within the test runs a sink, or runs the function that it stands in."""
    function = tree.enclosing(sink)
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    runs = (call for call in calls_in(test) if called_name(call) == name)
    return any(_is_in_a_loop(each, tree) for each in (sink, *runs))


def _is_in_a_loop(node: cst.CSTNode, tree: SourceTree) -> bool:
    """A loop of the same function runs a node."""
    return any(
        isinstance(around, (cst.For, cst.While)) and tree.enclosing(around) is tree.enclosing(node)
        for around in tree.ancestors(node)
    )


def _updates(node: cst.CSTNode) -> bool:
    return any(called_name(call) == "step" for call in calls_in(node))


def _is_self_test(found: LossSlice, analyses: Analyses) -> bool:
    tree, sink = analyses.tree, found.sink.call
    function = tree.enclosing(sink)
    runs: Sequence[cst.CSTNode] = [sink] if function is tree.module else _runs(function, analyses)
    return (
        bool(runs)
        and all(_stands_in_main(run, tree) and not _is_in_a_loop(run, tree) for run in runs)
        and not _is_in_a_loop(sink, tree)
        and not any(_compares(piece.node) for piece in found.pieces)
        and not _updates(tree.module)
    )


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


def _compares(node: cst.CSTNode) -> bool:
    """A piece of the loss is more than an output of a model, or the sum of some."""
    return any(map(_LOSS.search, _called(node))) or any(
        isinstance(inner, cst.BinaryOperation) and not isinstance(inner.operator, cst.Add)
        for inner in descendants(node)
    )


def _called(node: cst.CSTNode) -> Iterator[str]:
    return (called_name(call) for call in calls_in(node))
