"""Which of its modules a step trains: the wrapper is named after it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.plan import Part, Plan
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.tree import SourceTree

_LEFT_ALONE = re.compile(r"(?:^|_)(?:teacher|target|ema|frozen|fixed|momentum|old)(?:_|$)")
_TENDS = frozenset(["train", "parameters", "named_parameters"])


def trained_part(plan: Plan, tree: SourceTree, modules: ModuleTable) -> Part:
    """The module that the optimizer after the backward updates, as far as the script tells.

    A name is all that hangs on it: where nothing tells, the first module that the function sets
    to training, or that is not called like one that nobody trains.
    """
    parts = plan.captures.parts
    updated = set(_updated_after(plan, tree, modules))
    named = [part for part in parts if part.place in updated]
    trainable = [p for p in parts if p.trainable and not _LEFT_ALONE.search(p.name.lower())]
    tended = _tended(tree.enclosing(plan.sinks[0].call), tree)
    return (*named, *(p for p in trainable if p.place in tended), *trainable, parts[0])[0]


def _tended(function: cst.CSTNode, tree: SourceTree) -> set[str]:
    """What a function calls `train` of, or takes the parameters of."""
    called = (call.func for call in calls_in(function))
    return {
        tree.code(func.value)
        for func in called
        if isinstance(func, cst.Attribute) and func.attr.value in _TENDS
    }


def _updated_after(plan: Plan, tree: SourceTree, modules: ModuleTable) -> Iterator[str]:
    """Places whose parameters the first optimizer holds that steps after the backward."""
    for unit in plan.sinks[-1].unit.block.units[plan.sinks[-1].unit.index :]:
        for optimizer in _steps_of(unit.node):
            held = [
                tree.code(node.func.value)
                for value in modules.values(optimizer)
                for node in descendants(value)
                if isinstance(node, cst.Call)
                and isinstance(node.func, cst.Attribute)
                and node.func.attr.value in ("parameters", "named_parameters")
            ]
            if held:
                yield from held
                return


def _steps_of(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """`optimizer` in `optimizer.step()` and in `scaler.step(optimizer)`."""
    for call in descendants(node):
        func = call.func if isinstance(call, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value == "step":
            yield from (argument.value for argument in cst.ensure_type(call, cst.Call).args)
            yield func.value
