"""Files that go on without PyTorch where it is not installed: nothing at their head may need it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.guarded_imports import goes_on, imports_of_torch
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import descendants, loaded_names
from ortwrap.engine.text.tree import SourceTree


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
        if isinstance(attempt, cst.Try) and all(goes_on(each, tree) for each in attempt.handlers):
            yield from imports_of_torch(attempt.body, tree)


def _is_needed_anyway(optional: cst.CSTNode, analyses: Analyses) -> bool:
    """Another statement at the head of the file fails without PyTorch.

    That is an import under no condition, or a class of modules, for which there is no stand-in.
    """
    tree = analyses.tree
    units = tree.blocks(tree.module)[0].units
    heads = (unit.node for unit in units if isinstance(unit.node, (cst.Import, cst.ImportFrom)))
    if any(any(imports_of_torch(node, tree)) for node in heads):
        return True
    guarded = next(node for node in tree.ancestors(optional) if isinstance(node, cst.Try))
    if any(isinstance(node, cst.ClassDef) for node in descendants(guarded)):
        return False
    imported = set().union(*map(analyses.bindings.names_of_import, imports_of_torch(guarded, tree)))
    return any(
        isinstance(unit.node, cst.ClassDef)
        and any(imported.intersection(loaded_names(base)) for base in unit.node.bases)
        for unit in units
    )
