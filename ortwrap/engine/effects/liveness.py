"""Which places are still read after a statement, and which are surely bound before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import libcst as cst

from ortwrap.engine.effects.conditions import Condition, condition_of
from ortwrap.engine.effects.hidden_changes import Callees
from ortwrap.engine.effects.live import NOTHING, Live
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.text.nodes import children, descendants
from ortwrap.engine.text.tree import Block, SourceTree, Unit

_ASKS_WHETHER_BOUND = re.compile(r"\b(?:NameError|UnboundLocalError|locals\(|globals\(|vars\(\))")
# `inspect.currentframe().f_back.f_locals["loss"]`, `sys.modules[__name__].output`
_LOOKS_NAMES_UP = re.compile(r"\bf_(?:locals|globals)\b|\bsys\.modules\[__name__\]|\b__main__\.")
_LEAVES = (cst.Return, cst.Raise, cst.Break, cst.Continue)


@dataclass(frozen=True)
class _Exits:
    """What is live where control may jump to from inside a block."""

    end: Live
    break_: Live = NOTHING
    continue_: Live = NOTHING
    raise_: Live = NOTHING


class Liveness:
    """Backward dataflow over the structured control flow of one function or the module.

    Args:
        tree: the script.
        reader: of the function.
        function: the function, or the module.
        callees: what the functions that it calls change.
        gone: statements that are looked at as if they were not there.
    """

    def __init__(
        self,
        tree: SourceTree,
        reader: EffectsReader,
        function: cst.CSTNode,
        callees: Callees,
        gone: Sequence[Unit] = (),
    ) -> None:
        self._tree = tree
        self._reader = reader
        self._function = function
        self._callees = callees
        self._gone = frozenset(gone)
        self._after: dict[Unit, set[str]] = {}
        self._before: dict[Unit, set[str]] = {}
        self._escaping = self._escaping_places(function)
        # Places whose value outlives the function, or that others than the function read.
        self.escaping = self._escaping.places
        exits = _Exits(end=self._escaping, raise_=self._escaping)
        self._block(tree.blocks(function)[0], self._escaping, exits)

    def after(self, unit: Unit) -> set[str]:
        """Places that something may read once `unit` has run."""
        return self._after.get(unit, set())

    def without(self, units: Sequence[Unit]) -> Liveness:
        """The same for the function without some of its statements."""
        return Liveness(self._tree, self._reader, self._function, self._callees, units)

    def of_reads(self, reader: EffectsReader, gone: Sequence[Unit]) -> Liveness:
        """The same where only what `reader` takes for a read counts, without some statements."""
        return Liveness(self._tree, reader, self._function, self._callees, gone)

    def before(self, unit: Unit) -> set[str]:
        """Places whose value from before `unit` something may read."""
        return self._before.get(unit, set())

    def outlasts(self, condition: Condition, units: Sequence[Unit]) -> bool:
        """A condition comes out alike before statements in a row and behind them."""
        return all(condition.outlasts(*self._changes_by(unit.node)) for unit in units)

    def exposed(self, units: Sequence[Unit]) -> frozenset[str]:
        """Places that statements in a row read before they have surely bound them themselves."""
        return self._units(units, NOTHING, _Exits(end=NOTHING)).places

    def _escaping_places(self, function: cst.CSTNode) -> Live:
        """Places whose value outlives the function: globals, closures, the instance's."""
        places: set[str] = set()
        bindings = self._reader.bindings
        scope = bindings.scope(function)
        places |= scope.declared_global | scope.declared_nonlocal
        if _LOOKS_NAMES_UP.search(self._tree.text) is not None:
            places |= set(scope.names)
        stack = list(children(function))
        everything: set[str] = set()
        gone = {unit.node for unit in self._gone}
        while stack:
            node = stack.pop()
            if node in gone:
                continue
            if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
                places |= set(self._reader.of(node).reads)
            elif isinstance(node, cst.Attribute):
                place = self._place(node)
                if place is not None:
                    everything.add(place)
            stack.extend(children(node))
        return Live(frozenset(places | everything))

    def _place(self, node: cst.Attribute) -> str | None:
        instance = self._reader.instance
        if isinstance(node.value, cst.Name) and node.value.value == instance:
            return f"{instance}.{node.attr.value}"
        return None

    def _block(self, block: Block | None, out: Live, exits: _Exits) -> Live:
        return out if block is None else self._units(block.units, out, exits)

    def _units(self, units: Sequence[Unit], out: Live, exits: _Exits) -> Live:
        for unit in reversed(units):
            out = out | exits.raise_
            self._after.setdefault(unit, set()).update(out.places)
            if unit in self._gone:
                continue
            # What fails has bound nothing.
            out = self._unit(unit, self._before_changes_of(unit.node, out), exits) | exits.raise_
            self._before.setdefault(unit, set()).update(out.places)
        return out

    def _before_changes_of(self, node: cst.CSTNode, out: Live) -> Live:
        """What is live where a statement, and what it calls, may still change conditions."""
        return out.changing(*self._changes_by(node)) if out.under else out

    def _changes_by(self, node: cst.CSTNode) -> tuple[set[str], set[str]]:
        hidden = self._callees.changes(node, self._reader)
        return self._reader.of(node).changes | hidden.places, hidden.handed

    def _unit(self, unit: Unit, out: Live, exits: _Exits) -> Live:
        node = unit.node
        if isinstance(node, (cst.Return, cst.Raise)):
            target = exits.end if isinstance(node, cst.Return) else exits.raise_ | exits.end
            return target.reading(self._reads(node))
        if isinstance(node, cst.Break):
            return exits.break_
        if isinstance(node, cst.Continue):
            return exits.continue_
        if isinstance(node, cst.If):
            return self._if(node, out, exits)
        if isinstance(node, (cst.For, cst.While)):
            return self._loop(node, out, exits)
        if isinstance(node, cst.With):
            inner = self._block(self._suite(node, node), out, exits)
            header = self._reader.header(node)
            return inner.binding(header.writes).reading(header.reads)
        if isinstance(node, (cst.Try, cst.TryStar)):
            return self._try(node, out, exits)
        if isinstance(node, cst.Match):
            live = out
            for block in self._tree.blocks(node):
                bound = self._reader.of(cst.ensure_type(block.owner, cst.MatchCase).pattern).writes
                live = live | self._block(block, out, exits).binding(bound)
            return live.reading(self._reads(node.subject) | self._case_reads(node))
        effects = self._reader.of(node)
        if effects.reads_everything:
            return (out | self._escaping).reading(self._all_places(unit))
        return out.binding(effects.writes - effects.mutates).reading(effects.reads)

    def _if(self, node: cst.If, out: Live, exits: _Exits) -> Live:
        """A branch need not keep what only the other branch of an equal condition reads later."""
        condition = condition_of(node.test, self._reader)
        opposite = None if condition is None else condition.opposite()
        left = out.where(opposite)
        if isinstance(node.orelse, cst.If):
            left = self._if(node.orelse, left, exits)
        elif node.orelse is not None:
            left = self._block(self._suite(node, node.orelse), left, exits)
        taken = self._block(self._suite(node, node), out.where(condition), exits)
        live = taken.only_under(condition) | left.only_under(opposite)
        return live.reading(self._reads(node.test))

    def _loop(self, node: cst.For | cst.While, out: Live, exits: _Exits) -> Live:
        header = self._reader.header(node)
        otherwise = self._block(self._suite(node, node.orelse), out, exits)
        head = otherwise
        while True:
            inner = replace(exits, break_=out, continue_=head)
            body = self._block(self._suite(node, node), head, inner)
            body = body.changing(header.changes, set())
            grown = head | body.binding(header.writes).reading(header.reads)
            if grown == head:
                return head
            head = grown

    def _try(self, node: cst.Try | cst.TryStar, out: Live, exits: _Exits) -> Live:
        final = self._block(self._suite(node, node.finalbody), out | exits.raise_, exits)
        after = final if node.finalbody is not None else out
        caught = final if node.finalbody is not None else exits.raise_
        for handler in node.handlers:
            caught = caught | self._block(self._suite(node, handler), after, exits)
            if handler.type is not None:
                caught = caught.reading(self._reads(handler.type))
        otherwise = self._block(self._suite(node, node.orelse), after, exits)
        inner = replace(exits, raise_=exits.raise_ | caught)
        return self._block(self._suite(node, node), otherwise, inner)

    def _suite(self, statement: cst.CSTNode, owner: cst.CSTNode | None) -> Block | None:
        for block in self._tree.blocks(statement):
            if block.owner is owner:
                return block
        return None

    def _reads(self, node: cst.CSTNode) -> set[str]:
        return set(self._reader.of(node).reads)

    def _case_reads(self, node: cst.Match) -> set[str]:
        guards = [case.guard for case in node.cases if case.guard is not None]
        return set().union(*(self._reads(guard) for guard in guards))

    def _all_places(self, unit: Unit) -> set[str]:
        function = self._tree.enclosing(unit.node)
        return set(self._reader.bindings.scope(function).names)


def last_else(node: cst.If) -> cst.Else | None:
    """The `else` of an `if` with all its `elif`."""
    while isinstance(node.orelse, cst.If):
        node = node.orelse
    return node.orelse


def asks_whether_bound(tree: SourceTree) -> bool:
    """The script may notice that a name is bound which was not before."""
    return _ASKS_WHETHER_BOUND.search(tree.text) is not None


def surely_bound(unit: Unit, tree: SourceTree, reader: EffectsReader) -> set[str]:
    """Places that every path from the start of the function to `unit` has bound."""
    bound: set[str] = set()
    function = tree.enclosing(unit.node)
    if isinstance(function, cst.FunctionDef):
        scope = reader.bindings.scope(function)
        bound |= {
            name
            for name, places in scope.names.items()
            if any(place.kind == "parameter" for place in places)
        }
    current: Unit | None = unit
    while current is not None:
        for earlier in current.block.units[: current.index]:
            bound |= surely_binds(earlier, tree, reader)
        current = tree.parent_unit(current)
        if current is not None:
            bound |= reader.header(current.node).writes
    return bound


def surely_binds(unit: Unit, tree: SourceTree, reader: EffectsReader) -> set[str]:
    """Places that running a statement to its end binds on every path."""
    node = unit.node
    if isinstance(node, cst.If):
        branches = [_bound_by(block, tree, reader) for block in tree.blocks(node)]
        open_ended = last_else(node) is None
        return set() if open_ended else set.intersection(*branches)
    if isinstance(node, (cst.For, cst.While, cst.Match)):
        return set()
    if isinstance(node, cst.With):
        return reader.header(node).writes | _bound_by(tree.blocks(node)[0], tree, reader)
    if isinstance(node, (cst.Try, cst.TryStar)):
        return set() if node.handlers else _bound_by(tree.blocks(node)[0], tree, reader)
    if isinstance(node, cst.Del):
        return set()
    return set(reader.of(node).writes)


def bound_by_a_round(loop: Unit, tree: SourceTree, reader: EffectsReader) -> set[str]:
    """Places that a loop binds whenever it runs at all."""
    bound = set(reader.header(loop.node).writes)
    for unit in tree.blocks(loop.node)[0].units:
        if any(isinstance(inner, _LEAVES) for inner in descendants(unit.node)):
            break
        bound |= surely_binds(unit, tree, reader)
    return bound


def _bound_by(block: Block, tree: SourceTree, reader: EffectsReader) -> set[str]:
    bound: set[str] = set()
    for unit in block.units:
        if isinstance(unit.node, _LEAVES):
            # This path never reaches what comes after, so it constrains nothing.
            return set(reader.bindings.scope_of(unit.node).names) | bound
        bound |= surely_binds(unit, tree, reader)
    return bound
