"""Files that go on without PyTorch where it is not installed: nothing at their head may need it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.guarded_imports import (
    goes_on,
    imports_of_torch,
    imports_torch_at_head,
    is_import_at_head,
)
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import descendants, loaded_names
from ortwrap.engine.text.tree import SourceTree


def check_torch_is_required(analyses: Analyses) -> None:
    """Look for an import of PyTorch that may fail, or comes after that of the file.

    The generated class and the import of the runtime would be the first to need it for certain.

    Raises:
        Refuse: the file can be imported without PyTorch.
    """
    tree = analyses.tree
    if _is_imported_at_head(analyses):
        return
    optional = next(_optional_imports(tree), None)
    if optional is not None and not _is_base_of_a_class(optional, analyses):
        raise Refuse("OW117", optional, code=tree.brief(optional))
    late = next(_late_imports(tree), None) if optional is None else None
    if late is not None and not _runs_a_file_that_needs_it(analyses):
        raise Refuse("OW117", late, code="import torch")


def _is_imported_at_head(analyses: Analyses) -> bool:
    """An import fails without PyTorch, under no condition or so that the script ends."""
    tree = analyses.tree
    imports = imports_of_torch(tree.module, tree)
    return any(is_import_at_head(tree.unit_of(node), tree) for node in imports)


def _late_imports(tree: SourceTree) -> Iterator[cst.CSTNode]:
    """Imports of PyTorch that a call of a function runs, and parameters that are handed it."""
    for node in descendants(tree.module):
        if isinstance(node, cst.FunctionDef):
            yield from imports_of_torch(node.body, tree)
            given = (each for each in descendants(node.params) if isinstance(each, cst.Param))
            yield from (each for each in given if each.name.value == "torch")


def _runs_a_file_that_needs_it(analyses: Analyses) -> bool:
    bindings = analyses.bindings
    if bindings.elsewhere is None:
        return False
    files = bindings.elsewhere.imported_at_head(bindings)
    return any(imports_torch_at_head(file.text) for file in files)


def _optional_imports(tree: SourceTree) -> Iterator[cst.CSTNode]:
    """`try: import torch`, with handlers that let the file go on."""
    for unit in tree.blocks(tree.module)[0].units:
        attempt = unit.node
        if isinstance(attempt, cst.Try) and all(goes_on(each, tree) for each in attempt.handlers):
            yield from imports_of_torch(attempt.body, tree)


def _is_base_of_a_class(optional: cst.CSTNode, analyses: Analyses) -> bool:
    """A class of modules at the head of the file, for which there is no stand-in, fails without."""
    tree = analyses.tree
    guarded = next(node for node in tree.ancestors(optional) if isinstance(node, cst.Try))
    if any(isinstance(node, cst.ClassDef) for node in descendants(guarded)):
        return False
    imported = set().union(*map(analyses.bindings.names_of_import, imports_of_torch(guarded, tree)))
    return any(
        isinstance(unit.node, cst.ClassDef)
        and any(imported.intersection(loaded_names(base)) for base in unit.node.bases)
        for unit in tree.blocks(tree.module)[0].units
    )
