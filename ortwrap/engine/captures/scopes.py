"""Names that mean the same in the generated class, which stands at module level."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.refusals import Refuse

_HOW = {"import": "imported", "function": "defined", "class": "defined"}


def is_global(node: cst.CSTNode, bindings: Bindings) -> bool:
    """The generated class sees the same value under the same name.

    Raises:
        Refuse: it is an import or a definition that only its function sees.
    """
    if not isinstance(node, cst.Name):
        return False
    owner = bindings.resolve(node)
    if owner is None:
        return True
    if is_defined_once_for_all(node, bindings):
        if not owner.is_module:
            raise Refuse(
                "OW109",
                node,
                name=node.value,
                what=_HOW[owner.names[node.value][0].kind],
                function=bindings.tree.qualified_function(node) or "the script",
            )
        return True
    return bindings.literal(node) is not None and not _executes_configuration(bindings)


def is_defined_once_for_all(name: cst.Name, bindings: Bindings) -> bool:
    """A builtin, or imported or defined once for all steps, in whatever scope."""
    owner = bindings.resolve(name)
    return owner is None or all(binding.kind in _HOW for binding in owner.names[name.value])


def _executes_configuration(bindings: Bindings) -> bool:
    """`exec` or `globals()` may give a global another value than the text shows."""
    return any(
        isinstance(call.func, cst.Name) and call.func.value in ("exec", "globals")
        for call in bindings.tree.calls
    )
