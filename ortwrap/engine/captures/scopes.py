"""Names that mean the same in the generated class, which stands at module level."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.settings import is_setting
from ortwrap.engine.plan import ImportStatement
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice

_HOW = {"import": "imported", "function": "defined", "class": "defined"}


def is_global(node: cst.CSTNode, bindings: Bindings) -> bool:
    """The generated class sees the same value under the same name, or imports it as well.

    Raises:
        Refuse: it is a definition that only its function sees, or an import under a condition.
    """
    if not isinstance(node, cst.Name):
        return False
    owner = bindings.resolve(node)
    if owner is None:
        return True
    if is_defined_once_for_all(node, bindings):
        if not owner.is_module:
            if _is_importable(node, bindings):
                return True
            if _is_called_function(node, bindings):
                return False
            raise Refuse(
                "OW109",
                node,
                name=node.value,
                what=_HOW[owner.names[node.value][0].kind],
                function=bindings.tree.qualified_function(node) or "the script",
            )
        return True
    same = bindings.literal(node) is not None or is_setting(node, bindings)
    return same and not _executes_configuration(bindings)


def local_imports(found: LossSlice, analyses: Analyses) -> tuple[ImportStatement, ...]:
    """Imports of the step's function that forward needs as well."""
    nodes: dict[ImportStatement, None] = {}
    for piece in found.pieces:
        for readers in analyses.reader.of(piece.node).reads.values():
            for node in readers:
                owner = analyses.bindings.resolve(node) if isinstance(node, cst.Name) else None
                if isinstance(node, cst.Name) and owner is not None and not owner.is_module:
                    bound = owner.names[node.value][0].node
                    if isinstance(bound, (cst.Import, cst.ImportFrom)):
                        nodes[bound] = None
    return tuple(nodes)


def _is_importable(name: cst.Name, bindings: Bindings) -> bool:
    """Every call of the function runs the one import that binds the name."""
    owner = bindings.resolve(name)
    bound = owner.names[name.value] if owner is not None else []
    if owner is None or len(bound) != 1 or bound[0].kind != "import":
        return False
    unit = bindings.tree.unit_of(bound[0].node)
    return unit.block.owner is owner.node and isinstance(owner.node, cst.FunctionDef)


def _is_called_function(name: cst.Name, bindings: Bindings) -> bool:
    """A function that is defined in the step's own function, which runs once, and is called."""
    function = bindings.definition(name)
    parent = bindings.tree.parents.get(name)
    called = isinstance(parent, cst.Call) and parent.func is name
    if not called or not isinstance(function, cst.FunctionDef):
        return False
    home = bindings.tree.enclosing(function)
    return isinstance(home, cst.FunctionDef) and not _runs_in_a_loop(home, bindings)


def _runs_in_a_loop(function: cst.FunctionDef, bindings: Bindings) -> bool:
    """A call of the function stands in a loop, so that each makes its inner functions anew."""
    tree = bindings.tree
    return tree.enclosing_class(function) is not None or any(
        isinstance(ancestor, (cst.For, cst.While))
        for call in bindings.calls_of(function)
        for ancestor in tree.ancestors(call)
    )


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
