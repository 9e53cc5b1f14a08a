"""What only a branch of the slice reads is passed to forward on every path: is it bound there?"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects import EffectsReader
from ortwrap.engine.liveness import surely_binds, surely_bound
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.tree import Unit


def check_bound(conditional: dict[str, cst.CSTNode], host: Unit, analyses: Analyses) -> None:
    """Refuse a place that is read on some path only, and not bound on every path to the call.

    Args:
        conditional: places that a branch of the slice reads, each with the node that does.
        host: the statement before which the call stands.
        analyses: of the function that holds both.

    Raises:
        Refuse: a place may be missing where the call evaluates it.
    """
    if not conditional:
        return
    tree, bindings = analyses.tree, analyses.bindings
    bound = surely_bound(host, tree, analyses.reader)
    for place, node in conditional.items():
        if place in bound:
            continue
        if "." in place:
            if not _is_always_set(place, node, analyses):
                raise Refuse("OW106", node, name=place)
            continue
        owner = bindings.resolve(node) if isinstance(node, cst.Name) else None
        if owner is not None and owner.node is tree.enclosing(host.node):
            raise Refuse("OW106", node, name=place)


def _is_always_set(place: str, node: cst.CSTNode, analyses: Analyses) -> bool:
    """The class or every path of its constructor gives the instance this attribute."""
    tree, bindings = analyses.tree, analyses.bindings
    home = next((a for a in tree.ancestors(node) if isinstance(a, cst.ClassDef)), None)
    attribute = place.split(".", 1)[1]
    if home is None or attribute in bindings.scope(home).names:
        return True
    for function in tree.functions:
        mine = tree.enclosing_class(function) is home
        if mine and function.name.value == "__init__":
            reader = EffectsReader(bindings, function)
            wanted = f"{reader.instance}.{attribute}"
            body = tree.blocks(function)[0]
            return any(wanted in surely_binds(unit, tree, reader) for unit in body.units)
    return False
