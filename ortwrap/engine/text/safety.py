"""The patched text is checked before anyone sees it."""

from __future__ import annotations

import warnings

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.taken import TakenNames
from ortwrap.engine.text.tree import SourceTree


class Unsafe(Exception):
    """The patched text does not hold what was planned."""


def misplaced(tree: SourceTree) -> bool:
    """LibCST's positions do not fit the text, so that edits would hit something else."""
    for node, unit in tree.units.items():
        if isinstance(node, cst.BaseSmallStatement) and not unit.shares_line:
            return not tree.source(node).startswith(tree.module.code_for_node(node)[:8].rstrip())
    return False


def check_compiles(text: str, before: str) -> None:
    """Whether a text is Python, if the text that it was made from is.

    The compiler refuses what the parser lets pass, such as two parameters of one name. A syntax
    newer than this interpreter's is left to LibCST.

    Raises:
        Unsafe: it is not.
    """
    error = _syntax_error(text)
    if error is not None and _syntax_error(before) is None:
        raise Unsafe(f"it does not parse: {error.msg} at line {error.lineno}")


def _syntax_error(text: str) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<patched>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    return None


def unresolved_names(taken: TakenNames) -> set[str]:
    """Names that nothing in the script binds."""
    return {name for name in taken.nowhere_bound if not Bindings.is_builtin(name)}
