"""Where parameters are updated: the `step` of an optimizer."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.tree import SourceTree

_NOT_AN_OPTIMIZER = re.compile(r"sched|prof|lr|warmup|bar|writer|logger", re.IGNORECASE)


def runs_update(node: cst.CSTNode, tree: SourceTree, instance: str | None) -> bool:
    """A statement calls `step` of something else than the instance, a scheduler or a logger."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.FunctionDef):
            continue
        if isinstance(current, cst.Call) and isinstance(current.func, cst.Attribute):
            owner = tree.code(current.func.value)
            updates = current.func.attr.value == "step" and owner != instance
            other = _NOT_AN_OPTIMIZER.search(owner) or _is_taken_apart(current, tree)
            if updates and not other:
                return True
        stack.extend(children(current))
    return False


def _is_taken_apart(call: cst.Call, tree: SourceTree) -> bool:
    """`state, reward, done, info = env.step(action)`: an optimizer returns no such thing."""
    parent = tree.parents[call]
    targets = parent.targets if isinstance(parent, cst.Assign) else ()
    return any(isinstance(target.target, (cst.Tuple, cst.List)) for target in targets)
