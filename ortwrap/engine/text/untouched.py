"""What is no part of a plan must come out of a rewrite as it went in, and mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from ortwrap.engine.names.bindings import Bindings, Scope
from ortwrap.engine.plan import Plan
from ortwrap.engine.text.lines import lines_of
from ortwrap.engine.text.tree import SourceTree, Unit


def changed_line(tree: SourceTree, plans: Iterable[Plan], patched: str) -> int | None:
    """The first line outside of the plans that the patched text has not, or not in its order."""
    touched = {line for plan in plans for line in _lines_of(plan, tree)}
    rest = iter(_without_ends(patched))
    for number, line in enumerate(_without_ends(tree.text), start=1):
        if number not in touched and line.strip() and not any(line == other for other in rest):
            return number
    return None


def _without_ends(text: str) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in lines_of(text))


def _lines_of(plan: Plan, tree: SourceTree) -> Iterator[int]:
    """Lines that the plan may change, comments above what moves among them."""
    captures = plan.captures
    nodes: list[cst.CSTNode] = [unit.node for unit in plan.found.units]
    nodes += [made.unit.node for made in plan.constructed]
    nodes += [sink.call for sink in plan.sinks] + [plan.found.loss]
    nodes += [*captures.renames, *captures.deletions, *captures.releases]
    nodes += [sink.loss for sink in plan.sinks]
    for node in nodes:
        yield from range(tree.line(node), tree.end_line(node) + 1)
    for unit in plan.moved_comments(tree):
        yield from _comments_above(unit, tree)


def _comments_above(unit: Unit, tree: SourceTree) -> Iterator[int]:
    line = tree.line(unit.node) - 1
    while line and tree.is_comment_line(line):
        yield line
        line -= 1


def hidden_name(before: SourceTree, bindings: Bindings, after_bindings: Bindings) -> str | None:
    """A name that a scope binds now and that it read from further out before."""
    bound_before = _names_by_path(bindings)
    bound_after = _names_by_path(after_bindings)
    read_through = _read_from_outside(before, bindings)
    for path, names in bound_after.items():
        added = names - bound_before.get(path, set())
        hidden = sorted(added & read_through.get(path, set()))
        if hidden:
            return hidden[0]
    return None


Path = tuple[str, ...]


def _path(scope: Scope) -> Path:
    """The names of the functions and classes around a scope."""
    names: list[str] = []
    current: Scope | None = scope
    while current is not None:
        if isinstance(current.node, (cst.FunctionDef, cst.ClassDef)):
            names.append(current.node.name.value)
        current = current.parent
    return tuple(reversed(names))


def _names_by_path(bindings: Bindings) -> dict[Path, set[str]]:
    found: dict[Path, set[str]] = {}
    for scope in bindings.scopes():
        if isinstance(scope.node, (cst.FunctionDef, cst.ClassDef, cst.Module)):
            found.setdefault(_path(scope), set()).update(scope.names)
    return found


def _read_from_outside(tree: SourceTree, bindings: Bindings) -> dict[Path, set[str]]:
    """For each scope the names that code in it reads from a scope around it."""
    found: dict[Path, set[str]] = {}
    for node in tree.names:
        owner = bindings.resolve(node)
        scope: Scope | None = bindings.scope_of(node)
        while scope is not None and scope is not owner:
            if isinstance(scope.node, (cst.FunctionDef, cst.Module)):
                found.setdefault(_path(scope), set()).add(node.value)
            scope = scope.parent
    return found
