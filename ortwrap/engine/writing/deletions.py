"""`del logits, loss` after a step, once some of these names live in forward only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Block, SourceTree, Unit


def deletions_of(
    units: Sequence[Unit], gone: Iterable[str], tree: SourceTree, reader: EffectsReader
) -> dict[cst.Del, frozenset[str]]:
    """The `del` statements that would find a name of `gone` unbound, with those names.

    Args:
        units: the statements that bound the names, and that forward runs instead.
        gone: the names that nothing binds any more there.
        tree: the script.
        reader: of the function around.
    """
    inside = {node for unit in units for node in descendants(unit.node)}
    found: dict[cst.Del, frozenset[str]] = {}
    for name in sorted(gone):
        walk = _Walk(name, tree, reader)
        for unit in units:
            if name in reader.of(unit.node).writes:
                walk.from_(unit)
        for node in walk.reached - inside:
            found[node] = found.get(node, frozenset()) | {name}
    return found


def left_of(
    node: cst.Del, gone: frozenset[str], tree: SourceTree, others: Iterable[str] = ()
) -> str:
    """The statement without these names and with some others; `pass` if nothing is left."""
    names = [tree.source(target) for target in targets_of(node) if tree.code(target) not in gone]
    names += others
    return f"del {', '.join(names)}" if names else "pass"


def targets_of(node: cst.Del) -> list[cst.BaseExpression]:
    """What a `del` takes away, each by itself."""
    if isinstance(node.target, cst.Tuple):
        return [element.value for element in node.target.elements]
    return [node.target]


class _Walk:
    """Follows what one name is bound to along every path, and further rather than too short."""

    def __init__(self, name: str, tree: SourceTree, reader: EffectsReader) -> None:
        self._name = name
        self._tree = tree
        self._reader = reader
        self._jumps = False
        self.reached: set[cst.Del] = set()

    def from_(self, unit: Unit) -> None:
        """Go on behind a statement, out of all blocks that it stands in."""
        current: Unit | None = unit
        while current is not None:
            arrives = self._through(current.block.units[current.index + 1 :])
            parent = self._tree.parent_unit(current)
            if parent is None or not (arrives or self._jumps):
                return
            if isinstance(parent.node, (cst.For, cst.While)):
                self._through(current.block.units[: current.index + 1])
            if isinstance(parent.node, (cst.Try, cst.TryStar)):
                for block in self._others(parent, current.block):
                    self._through(block.units)
            current = parent

    def _others(self, statement: Unit, block: Block) -> Iterator[Block]:
        return (other for other in self._tree.blocks(statement.node) if other is not block)

    def _through(self, units: Sequence[Unit]) -> bool:
        """The name may still be bound to the same behind these statements."""
        return all(self._past(unit) for unit in units)

    def _past(self, unit: Unit) -> bool:
        node = unit.node
        if isinstance(node, (cst.Return, cst.Raise)):
            return False
        if isinstance(node, (cst.Break, cst.Continue)):
            self._jumps = True
            return False
        if isinstance(node, cst.Del):
            if all(self._tree.code(target) != self._name for target in targets_of(node)):
                return True
            self.reached.add(node)
            return False
        stays = self._name not in surely_binds(unit, self._tree, self._reader)
        defines = isinstance(node, (cst.FunctionDef, cst.ClassDef))
        if defines or not isinstance(node, cst.BaseCompoundStatement):
            return stays
        if self._name in self._reader.header(node).writes:
            return isinstance(node, cst.For)
        # Each block is entered with the name as it was, whether or not another came before.
        arrivals = [self._through(block.units) for block in self._tree.blocks(node)]
        return stays and (all(arrivals) or not isinstance(node, cst.With))
