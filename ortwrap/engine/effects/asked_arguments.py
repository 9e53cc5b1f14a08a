"""Values that a function takes out of what it is given only to raise.

    def safe_loss(logits, labels):
        if (labels < 0).any().item():
            raise ValueError("negative labels")
        return F.cross_entropy(logits, labels)

The runtime asks such a check of each batch before the graph runs, if a batch is what it is about:
of what the model computed only the graph could tell.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree


def is_asked_of_arguments(
    taken: cst.CSTNode,
    function: cst.FunctionDef,
    tree: SourceTree,
    bindings: Bindings,
    modules: ModuleTable,
) -> bool:
    """Whether a value is taken in a check of what no caller in this file computes by a module."""
    if _is_told(taken, tree):
        return True
    test = _test_around(taken, tree)
    if test is None:
        return False
    scope = bindings.scope(function)
    names = [node for node in descendants(test) if isinstance(node, cst.Name)]
    own = {name.value for name in names if bindings.resolve(name) is scope}
    calls = bindings.calls_of(function)
    given = [arguments_for(function, name, calls) for name in own]
    alone = all([each.kind for each in scope.names[name]] == ["parameter"] for name in own)
    return bool(own and alone) and all(
        bool(arguments) and all(_is_no_result(each, modules) for each in arguments)
        for arguments in given
    )


def _is_told(taken: cst.CSTNode, tree: SourceTree) -> bool:
    """An exception is told the value, and nothing runs after it."""
    inside = taken
    for around in tree.ancestors(taken):
        if isinstance(around, cst.BaseSmallStatement):
            message = isinstance(around, cst.Assert) and inside is around.msg
            return message or isinstance(around, cst.Raise)
        inside = around
    return False


def _test_around(taken: cst.CSTNode, tree: SourceTree) -> cst.BaseExpression | None:
    """The test of the `if` that only raises, or of the `assert`, that a value is taken in."""
    inside = taken
    for around in tree.ancestors(taken):
        if isinstance(around, cst.Assert):
            return around.test if inside is around.test else None
        if isinstance(around, cst.If):
            raises = isinstance(tree.blocks(around)[0].units[-1].node, cst.Raise)
            return around.test if raises and inside is around.test else None
        if isinstance(around, cst.BaseSmallStatement):
            return None
        inside = around
    return None


def _is_no_result(argument: cst.BaseExpression | None, modules: ModuleTable) -> bool:
    """A name or an item that no module has given, as far as its assignments tell."""
    root = argument
    while isinstance(root, (cst.Attribute, cst.Subscript)):
        root = root.value
    if not isinstance(root, cst.Name):
        return isinstance(root, (cst.Integer, cst.Float))
    return not any(map(modules.is_trainable, _read_by(modules.values(root))))


def _read_by(values: list[cst.BaseExpression]) -> Iterator[cst.CSTNode]:
    return (
        node
        for value in values
        for node in descendants(value)
        if isinstance(node, (cst.Name, cst.Attribute))
    )
