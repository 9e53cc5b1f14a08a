"""Imports that may fail: `try: import torch`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.text.nodes import called_name, calls_in, descendants
from ortwrap.engine.text.tree import SourceTree, Unit

# Packages, and beginnings of their names, that cannot be imported without PyTorch.
_NEED_TORCH = ("torch", "lightning", "pytorch_lightning")
_AT_HEAD = re.compile(rf"^(?:import|from)[ \t]+(?:{'|'.join(_NEED_TORCH)})", re.MULTILINE)
_LEAVE = frozenset("exit _exit quit abort skip importorskip".split())


def is_import_at_head(unit: Unit, tree: SourceTree) -> bool:
    """A statement of the module itself, or of a `try` of it whose handlers all end the script."""
    owner = unit.block.owner
    if not isinstance(owner, cst.Try):
        return owner is tree.module
    at_top = tree.units[owner].block.owner is tree.module
    return at_top and not any(goes_on(each, tree) for each in owner.handlers)


def goes_on(handler: cst.ExceptHandler, tree: SourceTree) -> bool:
    """Behind `except ImportError:` the file goes on without what could not be imported."""
    leaves = any(isinstance(node, cst.Raise) for node in descendants(handler))
    leaves = leaves or any(called_name(call) in _LEAVE for call in calls_in(handler))
    # What installs PyTorch imports it then.
    return not leaves and not any(imports_of_torch(handler, tree))


def imports_of_torch(node: cst.CSTNode, tree: SourceTree) -> Iterator[cst.CSTNode]:
    """The import statements in some code that need PyTorch."""
    for inner in descendants(node):
        named: list[cst.CSTNode] = []
        if isinstance(inner, cst.Import):
            named = [alias.name for alias in inner.names]
        elif isinstance(inner, cst.ImportFrom) and inner.module and not inner.relative:
            named = [inner.module]
        if any(tree.code(name).startswith(_NEED_TORCH) for name in named):
            yield inner


def imports_torch_at_head(text: str) -> bool:
    """A file cannot be imported without PyTorch: it imports that under no condition."""
    return _AT_HEAD.search(text) is not None
