"""Where an exception ends that a statement may raise, itself or by a function that it calls.

    for x, y in loader:
        try:
            out = model(x)
            check_labels(y)                # raises ValueError
            loss = criterion(out, y)       # has to wait for it
        except ValueError:
            continue

A loss that moves up past such a statement is computed where it would not have been, and may raise
something else before.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Union

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.tree import SourceTree

_Try = Union[cst.Try, cst.TryStar]

# A chain of calls longer than this is followed no further.
_LONGEST_CHAIN = 4


class Raising:
    """Answers for the statements of one script."""

    def __init__(self, tree: SourceTree, bindings: Bindings) -> None:
        self._tree = tree
        self._bindings = bindings

    def ends_in(self, statement: cst.CSTNode) -> list[cst.CSTNode]:
        """The handlers and `finally` suites of its function that such an exception comes to."""
        raised = list(self._raised_by(statement, self._bindings, _LONGEST_CHAIN))
        ends: list[cst.CSTNode] = []
        for each in self._tries_around(statement) if raised else ():
            ends += (handler for handler in each.handlers if _may_catch(handler, raised))
            ends += filter(None, [each.finalbody])
        return ends

    def goes_on(self, statement: cst.CSTNode) -> bool:
        """Training may go on after an exception that the statement raises."""
        raised = list(self._raised_by(statement, self._bindings, _LONGEST_CHAIN))
        return bool(raised) and self._is_caught(statement, raised, _LONGEST_CHAIN)

    def _is_caught(self, node: cst.CSTNode, raised: list[str], longest: int) -> bool:
        for each in self._tries_around(node):
            caught = any(_may_catch(handler, raised) for handler in each.handlers)
            if caught and not self._ends_training(each, node):
                return True
        function = self._tree.enclosing(node)
        if isinstance(function, cst.Module) or longest <= 0:
            return False
        calls = self._bindings.calls_of(function)
        return any(self._is_caught(call, raised, longest - 1) for call in calls)

    def _tries_around(self, node: cst.CSTNode) -> Iterator[_Try]:
        """Every `try` of the function that has the node in its body, the innermost first."""
        inside = node
        for around in self._tree.ancestors(node):
            if isinstance(around, cst.FunctionDef):
                return
            if isinstance(around, (cst.Try, cst.TryStar)) and inside is around.body:
                yield around
            inside = around

    def _ends_training(self, each: _Try, node: cst.CSTNode) -> bool:
        """The `try` is around the loop of the steps, and in no loop itself."""
        around = list(self._tree.ancestors(node))
        place = around.index(each)
        loops = [isinstance(found, (cst.For, cst.While)) for found in around]
        return any(loops[:place]) and not any(loops[place:])

    def _raised_by(self, node: cst.CSTNode, bindings: Bindings, longest: int) -> Iterator[str]:
        """The names of the exceptions; an empty one where that is not known."""
        stack = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, cst.Assert):
                yield "AssertionError"
            elif isinstance(current, cst.Raise):
                yield _name_of(current.exc)
            elif isinstance(current, cst.Call) and longest > 0:
                yield from self._raised_in(current, bindings, longest - 1)
            if not isinstance(current, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                stack.extend(children(current))

    def _raised_in(self, call: cst.Call, bindings: Bindings, longest: int) -> Iterator[str]:
        called = bindings.definition(call.func)
        if isinstance(called, cst.FunctionDef):
            yield from self._raised_by(called.body, bindings, longest)
        elif called is None:
            found = defined_elsewhere(call.func, bindings)
            if found is not None and isinstance(found.node, cst.FunctionDef):
                yield from self._raised_by(found.node.body, found.file.bindings, longest)


def _name_of(raised: cst.BaseExpression | None) -> str:
    made = raised.func if isinstance(raised, cst.Call) else raised
    return made.value if isinstance(made, cst.Name) else ""


def _may_catch(handler: cst.ExceptHandler | cst.ExceptStarHandler, raised: list[str]) -> bool:
    kinds = handler.type
    each = [item.value for item in kinds.elements] if isinstance(kinds, cst.Tuple) else [kinds]
    return any(_may_be(name, _name_of(kind)) for kind in each for name in raised)


def _may_be(raised: str, caught: str) -> bool:
    """An exception of the one name is one of the other, unless Python's own say otherwise."""
    kinds = [getattr(builtins, name, None) for name in (raised, caught)]
    if all(isinstance(kind, type) for kind in kinds):
        return issubclass(kinds[0], kinds[1])  # type: ignore[arg-type]
    return caught not in ("KeyboardInterrupt", "SystemExit", "StopIteration")
