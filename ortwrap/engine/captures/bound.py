"""What only a branch of the slice reads is passed to forward on every path: is it bound there?"""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.surely_there import read_before, read_in_some_round
from ortwrap.engine.captures.together import comes_along
from ortwrap.engine.captures.walked import Walked
from ortwrap.engine.effects.liveness import asks_whether_bound, surely_binds, surely_bound
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.effects.surely_read import surely_read
from ortwrap.engine.names.instance_attributes import always_has
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit


def unbound_inputs(
    walked: Walked, host: Unit, found: LossSlice, analyses: Analyses
) -> tuple[str, ...]:
    """Local names that are read on some path only, and not bound on every path to the call.

    The call passes them on every path, so that they have to start as None.

    Args:
        walked: what a walk over the slice has found.
        host: the statement before which the call stands.
        found: the slice.
        analyses: of the function that holds both.

    Raises:
        Refuse: a place may be missing that cannot be given a value first.
    """
    _check_bound_before(walked, found, analyses)
    if not walked.conditional:
        return ()
    tree, bindings = analyses.tree, analyses.bindings
    bound = surely_bound(host, tree, analyses.reader)
    certain = walked.certain | _attributes_of_every_path(found, analyses)
    certain |= read_before(host, analyses) | read_in_some_round(found, analyses)
    missing: list[str] = []
    for place, node in walked.conditional.items():
        if place in bound or place in certain:
            continue
        if "." in place:
            there = _is_always_set(place, node, walked, analyses)
            if not there and not _may_miss(place, node, walked, analyses):
                raise Refuse("OW106", node, name=place)
            continue
        owner = bindings.resolve(node) if isinstance(node, cst.Name) else None
        if owner is None or owner.node is not tree.enclosing(host.node):
            continue
        part = walked.parts.get(place)
        if asks_whether_bound(tree) or (part is not None and part.argument != place):
            raise Refuse("OW106", node, name=place)
        missing.append(place)
    return tuple(missing)


def _check_bound_before(walked: Walked, found: LossSlice, analyses: Analyses) -> None:
    """Whether anything but the slice itself binds what it reads first, where no round repeats it.

    Raises:
        Refuse: nothing does: the script fails there, whatever is done with it.
    """
    tree = analyses.tree
    if tree.is_in_a_loop(found.sink.call):
        return
    names = analyses.bindings.scope(tree.enclosing(found.sink.call)).names
    inside = {node for piece in found.pieces for node in descendants(piece.node)}
    for place in sorted(walked.certain & walked.inputs.keys()):
        bound = names.get(place, [])
        if bound and all(binding.node in inside for binding in bound):
            raise Refuse("OW106", found.pieces[0].node, name=place)


def _attributes_of_every_path(found: LossSlice, analyses: Analyses) -> set[str]:
    """Attributes without which the slice fails: `self.args` in `if self.args.amp: ...`."""
    reader = analyses.reader
    read = set().union(*(surely_read(piece.node, reader.instance) for piece in found.pieces))
    changed = set().union(*(reader.of(piece.node).writes for piece in found.pieces))
    return {place for place in read if "." in place} - changed


def _may_miss(place: str, node: cst.CSTNode, walked: Walked, analyses: Analyses) -> bool:
    """Pass None for an attribute that some method sets, as long as it has not."""
    instance, _, attribute = place.partition(".")
    captured = walked.inputs.get(place)
    set_here = bool(analyses.modules.values(node))
    if captured is None or captured.expression != place or "." in attribute or not set_here:
        return False
    asked = f'getattr({instance}, "{attribute}", None)'
    walked.inputs[place] = replace(captured, expression=asked)
    return True


def _is_always_set(place: str, node: cst.CSTNode, walked: Walked, analyses: Analyses) -> bool:
    """The class, or every path of its constructor that a step survives, gives this attribute."""
    tree, bindings = analyses.tree, analyses.bindings
    home = next((a for a in tree.ancestors(node) if isinstance(a, cst.ClassDef)), None)
    attribute = place.split(".", 1)[1]
    if home is None or attribute in bindings.scope(home).names:
        return True
    framework = analyses.modules.classes.framework(home)
    if framework is not None and attribute in framework.always_there:
        return True
    for function in tree.functions:
        mine = tree.enclosing_class(function) is home
        if mine and function.name.value == "__init__":
            reader = EffectsReader(bindings, function)
            wanted = f"{reader.instance}.{attribute}"
            body = tree.blocks(function)[0]
            if any(wanted in surely_binds(unit, tree, reader) for unit in body.units):
                return True
    if always_has(Lineage(Ancestor(home, bindings)), attribute):
        return True
    surely = {read.partition(".")[2] for read in walked.certain if "." in read}
    return comes_along(attribute, surely, home, analyses)
