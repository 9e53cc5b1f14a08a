"""Files that go on without PyTorch where it is not installed: nothing at their head may need it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import called_name, calls_in, descendants, loaded_names
from ortwrap.engine.text.tree import SourceTree

# Packages, and beginnings of their names, that cannot be imported without PyTorch.
_NEED_TORCH = ("torch", "lightning", "pytorch_lightning")
_LEAVE = frozenset("exit _exit quit abort skip importorskip".split())


def check_torch_is_required(analyses: Analyses) -> None:
    """Look for an import of PyTorch that may fail.

    The generated class and the import of the runtime would be the first to need it for certain.

    Raises:
        Refuse: the file can be imported without PyTorch.
    """
    tree = analyses.tree
    optional = next(_optional_imports(tree), None)
    if optional is not None and not _is_needed_anyway(optional, analyses):
        raise Refuse("OW117", optional, code=tree.brief(optional))


def _optional_imports(tree: SourceTree) -> Iterator[cst.CSTNode]:
    """`try: import torch`, with handlers that let the file go on."""
    for unit in tree.blocks(tree.module)[0].units:
        attempt = unit.node
        if isinstance(attempt, cst.Try) and all(_goes_on(each, tree) for each in attempt.handlers):
            yield from _imports_of_torch(attempt.body, tree)


def _goes_on(handler: cst.ExceptHandler, tree: SourceTree) -> bool:
    leaves = any(isinstance(node, cst.Raise) for node in descendants(handler))
    leaves = leaves or any(called_name(call) in _LEAVE for call in calls_in(handler))
    # What installs PyTorch imports it then.
    return not leaves and not any(_imports_of_torch(handler, tree))


def _imports_of_torch(node: cst.CSTNode, tree: SourceTree) -> Iterator[cst.CSTNode]:
    for inner in descendants(node):
        named: list[cst.CSTNode] = []
        if isinstance(inner, cst.Import):
            named = [alias.name for alias in inner.names]
        elif isinstance(inner, cst.ImportFrom) and inner.module and not inner.relative:
            named = [inner.module]
        if any(tree.code(name).startswith(_NEED_TORCH) for name in named):
            yield inner


def _is_needed_anyway(optional: cst.CSTNode, analyses: Analyses) -> bool:
    """Another statement at the head of the file fails without PyTorch.

    That is an import under no condition, or a class of modules, for which there is no stand-in.
    """
    tree = analyses.tree
    units = tree.blocks(tree.module)[0].units
    heads = (unit.node for unit in units if isinstance(unit.node, (cst.Import, cst.ImportFrom)))
    if any(any(_imports_of_torch(node, tree)) for node in heads):
        return True
    guarded = next(node for node in tree.ancestors(optional) if isinstance(node, cst.Try))
    if any(isinstance(node, cst.ClassDef) for node in descendants(guarded)):
        return False
    imported = set().union(
        *map(analyses.bindings.names_of_import, _imports_of_torch(guarded, tree))
    )
    return any(
        isinstance(unit.node, cst.ClassDef)
        and any(imported.intersection(loaded_names(base)) for base in unit.node.bases)
        for unit in units
    )
