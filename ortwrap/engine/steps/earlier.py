"""Values that a statement between reads before the computation of the loss changes them again.

    loss = criterion(out, y)                   loss, loss_so_far = model_with_loss(x, y)
    writer.add_scalar("main", loss, step)      writer.add_scalar("main", loss_so_far, step)
    loss = loss + penalty(out)
    loss.backward()                            loss.backward()

Outside of forward only the last value of a name is left. An earlier one comes out under a name of
its own, and what read it reads that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.harmless import only_shows
from ortwrap.engine.effects.hidden_changes import Callees
from ortwrap.engine.effects.statement import EffectsReader, overlap
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.tree import SourceTree, Unit

_TAKES_NUMBER = frozenset(["item", "tolist", "clone"])


@dataclass(frozen=True, eq=False)
class EarlierValue:
    """One value of a name that gets another one later.

    Attributes:
        place: the name.
        behind: the piece of the slice that computes this value.
        unit: the statement between that reads it.
        readers: where that statement does.
        copied: a later piece may change the value in place.
    """

    place: str
    behind: Unit
    unit: Unit
    readers: tuple[cst.CSTNode, ...]
    copied: bool


def earlier_values(
    unit: Unit, pieces: Sequence[Unit], reader: EffectsReader, callees: Callees
) -> Iterator[EarlierValue]:
    """What a statement between reads that the pieces around it both change.

    What a piece only hands to unknown code is copied where nothing could tell, and else left to be
    the same object as ever.

    Raises:
        Refuse: the value cannot go by another name there.
    """
    tree, bindings = reader.bindings.tree, reader.bindings
    effects = reader.of(unit.node)
    before = [piece for piece in pieces if piece.index < unit.index]
    later = pieces[len(before) :]
    changed, again = _changes(before, reader), _changes(later, reader)
    hidden = [callees.changes(piece.node, reader) for piece in later]
    read = set(effects.reads)
    for place in sorted(overlap(read, changed) & overlap(read, again)):
        readers = tuple(effects.reads[place])
        in_place = any(place in reader.of(piece.node).mutates for piece in later)
        in_place = in_place or any(place in each.places for each in hidden)
        used_up = all(_is_used_up(node, bindings) for node in readers)
        copied = in_place or (used_up and any(place in each.handed for each in hidden))
        named = place in changed & again - effects.changes and not effects.reads_everything
        passing = all(_is_read_now(node, unit, tree) for node in readers)
        if not (named and passing and (used_up or not in_place)):
            raise Refuse("OW204", unit.node, code=tree.brief(unit.node), name=place)
        last = [piece for piece in before if place in reader.of(piece.node).changes][-1]
        yield EarlierValue(place, last, unit, readers, copied)


def _changes(units: Sequence[Unit], reader: EffectsReader) -> set[str]:
    return set[str]().union(*(reader.of(unit.node).changes for unit in units))


def _is_read_now(node: cst.CSTNode, unit: Unit, tree: SourceTree) -> bool:
    """Not by a function or a lambda, which may run later."""
    while node is not unit.node:
        if isinstance(node, (cst.Lambda, cst.FunctionDef)):
            return False
        node = tree.parents[node]
    return True


def _is_used_up(node: cst.CSTNode, bindings: Bindings) -> bool:
    """Its number is taken or shown at once, so that nothing sees it change in place later."""
    parents = bindings.tree.parents
    while True:
        node, child = parents[node], node
        if isinstance(node, cst.FormattedStringExpression):
            return True
        if isinstance(node, cst.Arg):
            call = cst.ensure_type(parents[node], cst.Call)
            return isinstance(parents[call], cst.Expr) and only_shows(call.func, bindings)
        if isinstance(node, cst.Call) and isinstance(child, cst.Attribute):
            if child.attr.value in _TAKES_NUMBER:
                return True
        elif not isinstance(node, (cst.Attribute, cst.Subscript)):
            return False
