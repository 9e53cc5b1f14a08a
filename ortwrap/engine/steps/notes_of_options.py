"""Notes that a branch takes of a term before it adds it: they can as well follow the branch.

    if self.sparse:                               if self.sparse:
        term = penalty(self.model)                    term = penalty(self.model)
        self.log("sparsity", term)                    loss = loss + term
        loss = loss + term                        if self.sparse:
                                                      self.log("sparsity", term)

Inside of the branch such a note would keep the loss from moving into forward. The script gets one
more line for each branch that is parted so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.conditions import condition_of
from ortwrap.engine.effects.harmless import only_shows
from ortwrap.engine.effects.statement import EffectsReader, overlap, root_place
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.rearranged import Rearranged, with_lines_behind
from ortwrap.engine.text.tree import SourceTree, Unit

_KEEPS = frozenset(["append", "update"])
_NUMBERS = frozenset("item detach cpu float mean size numel numpy format".split())
_BUILTINS = frozenset("len float int str round".split())
_MAY_LEAVE = (cst.Return, cst.Raise, cst.Break, cst.Continue, cst.Yield, cst.Await)


@dataclass(frozen=True)
class NotingBranch:
    """One `if` without `else`, with the notes that can follow it.

    Attributes:
        line: of the `if`.
        end: its last line.
        notes: first and last line of each note.
    """

    line: int
    end: int
    notes: tuple[tuple[int, int], ...]


def with_notes_after(tree: SourceTree, branches: Iterable[NotingBranch]) -> Rearranged:
    """The script with the notes of each branch in another one that follows it."""
    after: dict[int, list[int]] = {}
    moved: set[int] = set()
    for branch in sorted(branches, key=lambda each: each.line, reverse=True):
        noting = [line for first, last in branch.notes for line in range(first, last + 1)]
        # Of two that end together the inner one comes first.
        after.setdefault(branch.end, []).extend([branch.line, *noting])
        moved.update(noting)
    return with_lines_behind(tree, after, moved)


def noting_branches(
    tree: SourceTree, bindings: Bindings, modules: ModuleTable, helpers: Helpers
) -> Iterator[NotingBranch]:
    """Every branch of an option that does more than take notes, but takes some."""
    search = _Search(tree, bindings, modules, helpers)
    for node in tree.units:
        if isinstance(node, cst.If) and node.orelse is None and search.is_of_lines(node):
            notes = tuple((tree.line(each), tree.end_line(each)) for each in search.notes_of(node))
            if notes:
                yield NotingBranch(tree.line(node), tree.end_line(node), notes)


class _Search:
    """Looks for notes in the branches of one script."""

    def __init__(
        self, tree: SourceTree, bindings: Bindings, modules: ModuleTable, helpers: Helpers
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._objects = Objects(tree, bindings, modules)
        self._callees = helpers.callees
        self._traces = helpers.traces

    def is_of_lines(self, node: cst.If) -> bool:
        """Its header is a line of its own, and so is what follows it."""
        header = self._tree.line_text(self._tree.line(node)).rstrip()
        return header.endswith(":") and self._tree.line_text(self._tree.end_line(node))[-1:] == "\n"

    def notes_of(self, node: cst.If) -> Iterator[cst.CSTNode]:
        """The notes that change nothing for the rest of the branch, nor it for them."""
        function = self._tree.enclosing(node)
        reader = EffectsReader(self._bindings, function)
        units = self._tree.blocks(node)[0].units
        notes = [unit for unit in units if self._is_note(unit, reader)]
        rest = [unit for unit in units if unit not in notes]
        if not rest or any(self._may_leave(unit) for unit in rest):
            return
        aliases = Aliases(reader, function)
        if self._is_asked_alike(node.test, rest, reader, aliases):
            for note in notes:
                later = [unit for unit in rest if unit.index > note.index]
                if not self._matters(note, later, reader, aliases):
                    yield note.node

    def _may_leave(self, unit: Unit) -> bool:
        return any(isinstance(inner, _MAY_LEAVE) for inner in descendants(unit.node))

    def _is_asked_alike(
        self, test: cst.BaseExpression, rest: list[Unit], reader: EffectsReader, aliases: Aliases
    ) -> bool:
        """The condition of the branch comes out behind it as it did before."""
        condition = condition_of(test, reader)
        if condition is None:
            return False
        changed, handed = set[str](), set[str]()
        for unit in rest:
            effects, hidden = reader.of(unit.node), self._callees.changes(unit.node, reader)
            changed |= effects.writes | aliases.closure(effects.mutates | hidden.places)
            handed |= hidden.handed
        return condition.outlasts(changed, handed)

    def _matters(
        self, note: Unit, later: list[Unit], reader: EffectsReader, aliases: Aliases
    ) -> bool:
        """Some statement that the note would follow changes what it reads, or reads what it fills.

        Whatever a note calls a method of may keep what it is told.
        """
        effects = reader.of(note.node)
        told = {root_place(owner, reader.instance) for owner in _told(note.node)} - {None}
        told.discard(reader.instance)
        filled = aliases.same(effects.changes | {place for place in told if place is not None})
        for unit in later:
            other = reader.of(unit.node)
            hidden = self._callees.changes(unit.node, reader)
            changed = other.writes | aliases.closure(other.mutates) | hidden.places | hidden.handed
            if overlap(changed, set(effects.reads)) or overlap(
                set(other.reads) | other.changes, filled
            ):
                return True
        code = [unit.node for unit in later]
        return any(self._traces.is_read_by(code, place, note.node) for place in filled)

    def _is_note(self, unit: Unit, reader: EffectsReader) -> bool:
        """It stands on lines of its own, without a comment."""
        line = self._tree.parents.get(unit.node)
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1:
            return False
        first, last = self._tree.line(unit.node), self._tree.end_line(unit.node)
        commented = any("#" in self._tree.line_text(each) for each in range(first, last + 1))
        if commented or self._tree.is_comment_line(first - 1):
            return False
        return self._takes_note(unit.node, reader)

    def _takes_note(self, node: cst.CSTNode, reader: EffectsReader) -> bool:
        if isinstance(node, cst.Assign):
            # `logs["sparsity"] = term.item()`
            (target, *others) = (each.target for each in node.targets)
            kept = isinstance(target, cst.Subscript) and not others
            return kept and all(map(self._gives_number, calls_in(node)))
        call = node.value if isinstance(node, cst.Expr) else None
        if not isinstance(call, cst.Call) or not self._notes(call.func, reader):
            return False
        return all(self._gives_number(inner) for inner in calls_in(call) if inner is not call)

    def _notes(self, func: cst.BaseExpression, reader: EffectsReader) -> bool:
        """`self.log` of Lightning, `print`, `writer.add_scalar`, `losses.append`."""
        if self._modules.classes.only_reports(func, reader.instance):
            return True
        if not isinstance(func, cst.Attribute):
            return only_shows(func, self._bindings)
        own = isinstance(func.value, cst.Name) and func.value.value == reader.instance
        if own or self._objects.changes(func) is not None or self._modules.is_trainable(func.value):
            return False
        return only_shows(func, self._bindings) or func.attr.value in _KEEPS

    def _gives_number(self, call: cst.Call) -> bool:
        func = call.func
        if isinstance(func, cst.Name):
            return func.value in _BUILTINS and self._bindings.resolve(func) is None
        return isinstance(func, cst.Attribute) and func.attr.value in _NUMBERS


def _told(note: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """`writer` in `writer.add_scalar(...)`."""
    call = note.value if isinstance(note, cst.Expr) else None
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
        yield call.func.value
