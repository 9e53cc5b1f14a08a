"""Attributes that an instance gets together: who finds one of them finds the others."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit

_LEAVES = (cst.Return, cst.Raise, cst.Break, cst.Continue, cst.Yield)
_MAY_BE_CAUGHT = (cst.Try, cst.TryStar)


def comes_along(attribute: str, surely: set[str], home: cst.ClassDef, analyses: Analyses) -> bool:
    """Wherever a class sets some attribute of a set, it sets this one too.

    `if self.is_train:` stands around all criteria: a step that reads one finds the others.

    Args:
        attribute: what may be missing.
        surely: attributes that are read before, and would be missed first.
        home: the class of the instance.
        analyses: of the step's function.
    """
    set_beside: dict[str, list[bool]] = {}
    for unit, reader in _statements(home, analyses):
        names = _attributes(reader, unit)
        if attribute in names and isinstance(unit.node, cst.Del):
            return False
        for name in names & surely:
            beside = _is_set_beside(attribute, unit, reader, analyses.tree)
            set_beside.setdefault(name, []).append(beside)
    return any(map(all, set_beside.values()))


def _statements(home: cst.ClassDef, analyses: Analyses) -> Iterator[tuple[Unit, EffectsReader]]:
    """The statements of a class's methods and of the functions in them."""
    readers: dict[cst.CSTNode, EffectsReader] = {}
    for node, unit in analyses.tree.units.items():
        if home in analyses.tree.ancestors(node):
            function = analyses.tree.enclosing(node)
            if function not in readers:
                readers[function] = EffectsReader(analyses.bindings, function)
            yield unit, readers[function]


def _attributes(reader: EffectsReader, unit: Unit) -> set[str]:
    """Attributes of the instance that a statement itself binds, without what stands in it."""
    node = unit.node
    if isinstance(node, (cst.For, cst.With)):
        writes = reader.header(node).writes
    elif isinstance(node, cst.BaseCompoundStatement):
        return set()
    else:
        writes = reader.of(node).writes
    own = f"{reader.instance}."
    return {place[len(own) :] for place in writes if place.startswith(own)}


def _is_set_beside(attribute: str, unit: Unit, reader: EffectsReader, tree: SourceTree) -> bool:
    """A statement of the same block binds the attribute, and nothing leaves between the two."""
    if isinstance(unit.node, cst.BaseCompoundStatement):
        return False
    if any(isinstance(ancestor, _MAY_BE_CAUGHT) for ancestor in tree.ancestors(unit.node)):
        return False
    place = f"{reader.instance}.{attribute}"
    for other in unit.block.units:
        if place in surely_binds(other, tree, reader):
            first, last = sorted((unit.index, other.index))
            between = unit.block.units[first + 1 : last]
            if not any(isinstance(n, _LEAVES) for each in between for n in descendants(each.node)):
                return True
    return False
