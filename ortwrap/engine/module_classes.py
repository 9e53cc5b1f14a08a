"""Which classes of a script are modules or criteria, by what they derive from."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.classes import Classes
from ortwrap.engine.elsewhere import defined_elsewhere
from ortwrap.engine.evidence import CRITERION_CLASS, FACTORY_MODULES, NO_MODULE, Role
from ortwrap.engine.tree import SourceTree

# A class may stand below what derives from it: as deep as hierarchies in one file go.
_ROUNDS = 4


def find_module_classes(
    tree: SourceTree, bindings: Bindings, classes: Classes
) -> dict[cst.CSTNode, Role]:
    """The role of every class of this file whose instances are modules or criteria."""
    roles: dict[cst.CSTNode, Role] = {}
    for _ in range(_ROUNDS):
        for node in tree.classes:
            for base in node.bases:
                role = _base_role(base.value, roles, bindings)
                if role is None and classes.is_lightning(node):
                    role = "module"
                if role is not None:
                    named = CRITERION_CLASS.search(node.name.value) is not None
                    roles[node] = "criterion" if named else role
    return roles


def _base_role(
    base: cst.BaseExpression, known: dict[cst.CSTNode, Role], bindings: Bindings
) -> Role | None:
    defined = bindings.definition(base)
    if defined is not None:
        return known.get(defined)
    found = defined_elsewhere(base, bindings)
    if found is not None:
        return found.file.module_classes.get(found.node)
    qualified = bindings.qualified(base) or ""
    if qualified.startswith("torch.nn."):
        return "criterion" if CRITERION_CLASS.search(qualified) else "module"
    of_factory = qualified.startswith(FACTORY_MODULES) and not NO_MODULE.search(qualified)
    if of_factory or qualified.endswith(("MessagePassing", "PreTrainedModel")):
        return "module"
    return None
