"""The patched text is checked before anyone sees it."""

from __future__ import annotations

import warnings

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.tree import SourceTree


def misplaced(tree: SourceTree) -> bool:
    """LibCST's positions do not fit the text, so that edits would hit something else."""
    for node, unit in tree.units.items():
        if isinstance(node, cst.BaseSmallStatement) and not unit.shares_line:
            return not tree.source(node).startswith(tree.module.code_for_node(node)[:8].rstrip())
    return False


def uncompilable(text: str, before: str) -> str | None:
    """Why a text is no Python, where the text that it was made from is; None if it is.

    The compiler refuses what the parser lets pass, such as two parameters of one name. A syntax
    newer than this interpreter's is left to LibCST.
    """
    error = _syntax_error(text)
    if error is None or _syntax_error(before) is not None:
        return None
    return f"it does not parse: {error.msg} at line {error.lineno}"


def _syntax_error(text: str) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<patched>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    return None


def unresolved_names(tree: SourceTree, bindings: Bindings) -> set[str]:
    """Names that nothing in the script binds."""
    return {
        node.value
        for node in tree.names
        if bindings.resolve(node) is None and not bindings.is_builtin(node.value)
    }
