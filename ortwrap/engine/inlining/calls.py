"""Calls of helpers in a script, and the script with the helper's statements in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.inlining.arguments import arguments_of, written_in_place
from ortwrap.engine.inlining.bodies import can_be_inlined, statements_of
from ortwrap.engine.inlining.call_sites import CallSite, call_site
from ortwrap.engine.inlining.local_names import LocalNames
from ortwrap.engine.inlining.texts import inlined_lines
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.rearranged import Rearranged
from ortwrap.engine.text.tree import SourceTree, Unit

# Why a helper cannot be called from forward, though parts of it might run there.
TAKES_VALUES = frozenset(["OW301", "OW304", "OW305"])


@dataclass(frozen=True)
class InlinedCall:
    """One call with what takes its place.

    Attributes:
        helper: what is called.
        line: the first line of the statement that calls it.
        end: its last line.
        lines: the statements that do the same.
    """

    helper: str
    line: int
    end: int
    lines: tuple[str, ...]


def inlined_calls(units: Iterable[Unit], analyses: Analyses) -> Iterator[InlinedCall]:
    """The calls in a slice of helpers that take values, and can be taken apart.

    Args:
        units: the statements of the slice.
        analyses: of the function that they stand in.
    """
    for unit in units:
        for call in calls_in(unit.node):
            function = analyses.helpers.called(call.func)
            if function is not None and _takes_values(function, analyses):
                found = _inlined(call, function, analyses)
                if found is not None:
                    yield found
                    break


def with_calls_inlined(tree: SourceTree, calls: Iterable[InlinedCall]) -> Rearranged:
    """The script with the statements of each helper in the place of its call."""
    starts = {call.line: call for call in calls}
    text: list[str] = []
    lines: list[int] = []
    number, last = 1, tree.line_at(len(tree.text))
    while number <= last:
        call = starts.get(number)
        text += [tree.line_text(number)] if call is None else call.lines
        lines += [number] * (len(text) - len(lines))
        number = number + 1 if call is None else call.end + 1
    return Rearranged("".join(text), tuple(lines))


def _takes_values(function: cst.FunctionDef, analyses: Analyses) -> bool:
    try:
        analyses.helpers.check(function, function.name.value)
    except Refuse as refusal:
        return refusal.page.code in TAKES_VALUES
    return False


def _inlined(call: cst.Call, function: cst.FunctionDef, analyses: Analyses) -> InlinedCall | None:
    tree, bindings = analyses.tree, analyses.bindings
    if not can_be_inlined(function, bindings, analyses.helpers.callees):
        return None
    site = call_site(call, analyses.reader)
    given = arguments_of(call, function, tree)
    if site is None or given is None or not _means_the_same_at(site, function, given, bindings):
        return None
    in_place = written_in_place(call, given, analyses)
    names = LocalNames(site, function, given, in_place, analyses)
    if any("\n" in tree.source(value) for _, value in names.bound_first):
        return None
    return InlinedCall(
        function.name.value,
        tree.line(site.statement),
        tree.end_line(site.statement),
        inlined_lines(site, function, names, tree),
    )


def _means_the_same_at(
    site: CallSite,
    function: cst.FunctionDef,
    given: dict[str, cst.BaseExpression],
    bindings: Bindings,
) -> bool:
    """What the helper reads from around it goes by the same names at the call."""
    mentioned = {
        node.value
        for value in given.values()
        for node in descendants(value)
        if isinstance(node, cst.Name)
    }
    for unit in statements_of(function, bindings.tree):
        for node in descendants(unit.node):
            if isinstance(node, cst.BaseComp):
                if not mentioned.isdisjoint(bindings.scope(node).names):
                    return False
            elif isinstance(node, cst.Name):
                home = bindings.resolve(node)
                inside = home is not None and bindings.tree.holds(function, home.node)
                if not inside and site.scope.owner(node.value) is not home:
                    return False
    return True
