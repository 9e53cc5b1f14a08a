"""Edits of what takes names away, now that all steps are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.plan import Plan
from ortwrap.engine.text.edits import Edit, because, insert_before, remove_units
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.writing.deletions import left_of
from ortwrap.engine.writing.explanations import OF_RELEASE, OF_RENAME
from ortwrap.engine.writing.releases import Release, is_surely_made


@dataclass(frozen=True)
class Wrapper:
    """A variable that holds a wrapper.

    Attributes:
        variable: its name.
        site: the statement before which it is made.
        releases: the statements that let go of one of its modules.
    """

    variable: str
    site: Unit
    releases: Sequence[Release]


def let_go(plans: Sequence[Plan], wrappers: Sequence[Wrapper], tree: SourceTree) -> list[Edit]:
    """Take out of `del` statements what lives in forward only, and let go of the wrappers."""
    gone: dict[cst.Del, frozenset[str]] = {}
    for plan in plans:
        for node, names in plan.captures.deletions.items():
            gone[node] = gone.get(node, frozenset()) | names
    held = _held(wrappers)
    deleted = {
        node: [one.variable for one in those if is_surely_made(one.site, tree.units[node], tree)]
        for node, those in held.items()
        if isinstance(node, cst.Del)
    }
    changed = {node: OF_RELEASE for node, names in deleted.items() if names}
    changed.update(dict.fromkeys(gone, OF_RENAME))
    left = {
        node: left_of(node, gone.get(node, frozenset()), tree, deleted.get(node, ()))
        for node in changed
    }
    emptied = {tree.units[node] for node, text in left.items() if text == "pass"}
    idle = [unit for unit in emptied if set(unit.block.units) - emptied]
    removed = remove_units(tree, sorted(idle, key=lambda u: tree.line(u.node)), set())
    edits = because(OF_RENAME, *removed)
    for node, text in left.items():
        if tree.units[node] not in idle:
            span = tree.span(node)
            edits += because(changed[node], Edit(span.start, span.end, text))
    return [*edits, *because(OF_RELEASE, *_emptied(held, deleted, tree))]


def _held(wrappers: Sequence[Wrapper]) -> dict[Release, list[Wrapper]]:
    """The statements that let go of modules, each with the wrappers that hold one of them."""
    held: dict[Release, dict[str, Wrapper]] = {}
    for one in wrappers:
        for node in one.releases:
            held.setdefault(node, {}).setdefault(one.variable, one)
    return {node: list(those.values()) for node, those in held.items()}


def _emptied(
    held: dict[Release, list[Wrapper]], deleted: dict[cst.Del, list[str]], tree: SourceTree
) -> Iterator[Edit]:
    """Bind None to wrappers where their module becomes None, or where a `del` might fail."""
    for node, those in held.items():
        names = [one.variable for one in those]
        if isinstance(node, cst.Assign):
            start = tree.span(node.value).start
            yield Edit(start, start, "".join(f"{name} = " for name in names))
            continue
        left = [name for name in names if name not in deleted[node]]
        if left:
            yield insert_before(tree, tree.units[node], [f"{' = '.join(left)} = None"])
