"""`loss.backward(retain_graph=True)`: the graph is left to another backward, if there is one."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.text.tree import Block, SourceTree, Unit

_OFF = frozenset(["False", "None"])


class Retention(enum.IntEnum):
    """What a function does with the graph of a loss that it runs backward on, the worst last."""

    NONE = 0
    FOR_OTHERS = 1
    FOR_MORE = 2


def keeps_graph(call: cst.CSTNode) -> str | None:
    """The argument by which backward is told to keep the graph, or may be."""
    if not isinstance(call, cst.Call):
        return None
    for position, argument in enumerate(call.args):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        given = argument.value.value if isinstance(argument.value, cst.Name) else ""
        if (keyword == "retain_graph" and given not in _OFF) or (
            not keyword and position == 1 and given == "True"
        ):
            return "retain_graph=True"
    return None


def only_keeps_graph(call: cst.Call) -> bool:
    """Backward is told nothing else."""
    names = (argument.keyword.value if argument.keyword else "" for argument in call.args)
    return all(name == "retain_graph" for name in names)


def one_runs(units: Sequence[Unit], tree: SourceTree) -> bool:
    """Each statement stands in another branch: `if scaler: scaler.scale(loss).backward()`."""
    return all(
        _are_alternatives(first, second, tree)
        for index, first in enumerate(units)
        for second in units[:index]
    )


def _are_alternatives(first: Unit, second: Unit, tree: SourceTree) -> bool:
    """Two statements stand in different branches of one `if`."""
    branches: dict[cst.CSTNode, Block] = {
        host.node: unit.block
        for unit, host in _with_host(first, tree)
        if isinstance(host.node, cst.If)
    }
    return any(
        branches.get(host.node) not in (None, unit.block) for unit, host in _with_host(second, tree)
    )


def _with_host(unit: Unit, tree: SourceTree) -> Iterator[tuple[Unit, Unit]]:
    """A statement and the one that it stands in, and so on outwards."""
    host = tree.parent_unit(unit)
    while host is not None:
        yield unit, host
        unit, host = host, tree.parent_unit(host)
