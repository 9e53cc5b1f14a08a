"""Unit tests: code that runs a step to see that it works."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import called_name, calls_in, descendants, last_name
from ortwrap.engine.text.tree import SourceTree

TESTS_A_STEP = "tests this step"
_TEST = re.compile(r"^test(?:_|[A-Z])")
_MAY_UPDATE = re.compile(
    r"optim|step|update|train|fit|learn|descend|adam|sgd|zero_grad|param|apply|(?<=[^_])_$",
    re.IGNORECASE,
)
_TESTS = re.compile(r"^Test|Tests?$|Test(?:Case|Base)$")


def check_is_no_unit_test(sink: cst.CSTNode, tree: SourceTree) -> None:
    """Look for a test around a backward, which is run to be looked at.

    A test that trains in a loop may want ONNX Runtime, as any training does.

    Raises:
        Refuse: it stands in a test that does not.
    """
    test = _unit_test(sink, tree)
    if test is not None and not (_repeats(sink, test, tree) and updates(test)):
        raise Refuse("OW116", name=tree.qualified_function(sink) or "", what=TESTS_A_STEP)


def _unit_test(node: cst.CSTNode, tree: SourceTree) -> cst.FunctionDef | cst.ClassDef | None:
    """The test, or the class of tests, that a node stands in: it asserts, and no function runs it.

    Helpers of the tests in their class are a part of these.
    """
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
    return any(tree.is_in_a_loop(each) for each in (sink, *runs))


def updates(node: cst.CSTNode) -> bool:
    """Something there is asked for a `step`."""
    return any(called_name(call) == "step" for call in calls_in(node))


def may_update(node: cst.CSTNode) -> bool:
    """Something there may change weights, by whatever name it does."""
    return any(map(_MAY_UPDATE.search, map(called_name, calls_in(node)))) or any(
        isinstance(inner, cst.Attribute) and inner.attr.value in ("data", "grad")
        for inner in descendants(node)
    )
