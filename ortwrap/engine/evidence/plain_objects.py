"""Objects of plain classes, whatever they are called: `net = Pipeline()` is no module."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from ortwrap.engine.evidence.kinds import Role
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere, kept_by_file
from ortwrap.engine.names.lineage import EMPTY_BASES, Ancestor, Lineage


def plain_class_of(
    value: cst.BaseExpression, bindings: Bindings, module_classes: Mapping[cst.CSTNode, Role]
) -> str | None:
    """The class that makes what an expression gives, if all is known of it and it is no module.

    Args:
        value: a constructor call, or a variable of another file that holds what one made.
        bindings: the names of the file that the expression stands in.
        module_classes: the classes of that file that are modules.
    """
    if not isinstance(value, cst.Call):
        kept = kept_by_file(value, bindings)
        if kept is None or kept.file.is_being_read:
            return None
        theirs = kept.file.modules
        made = [
            plain_class_of(each, kept.file.bindings, theirs.module_classes)
            for each in theirs.values(kept.node)
        ]
        return made[0] if made and all(made) else None
    here = bindings.definition(value.func)
    if isinstance(here, cst.ClassDef):
        line = Lineage(Ancestor(here, bindings))
    else:
        found = defined_elsewhere(value.func, bindings)
        if found is None or not isinstance(found.node, cst.ClassDef):
            return None
        line = Lineage(Ancestor(found.node, found.file.bindings, found.file))
    modules = {
        node for member in line.members for node in (*member.module_classes, *module_classes)
    }
    known = EMPTY_BASES.issuperset(line.libraries)
    plain = known and modules.isdisjoint(member.node for member in line.members)
    return line.members[0].place if plain else None
