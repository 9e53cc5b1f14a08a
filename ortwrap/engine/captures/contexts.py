"""Contexts that forward may enter: those that only say how torch computes.

Others time, count or hold something, on every step; a graph enters none of them.
"""

from __future__ import annotations

from typing import Any, Callable

import libcst as cst

from ortwrap.engine.analyses import Analyses

_OF_NUMBERS = ("torch.", "contextlib.nullcontext", "contextlib.suppress")


class Contexts:
    """Answers for the `with` statements of one script."""

    def __init__(self, analyses: Analyses) -> None:
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._helpers = analyses.helpers
        # Names that are being looked at, so that those which refer to themselves come to an end.
        self._open: set[Any] = set()

    def only_compute(self, node: cst.With) -> bool:
        """Nothing but numbers would be other if forward did not enter it again in a step."""
        return all(self._is_known(item.item) for item in node.items)

    def _is_known(self, context: cst.BaseExpression) -> bool:
        if isinstance(context, cst.Call):
            return self._makes_known(context.func)
        if isinstance(context, cst.IfExp):
            return self._is_known(context.body) and self._is_known(context.orelse)
        return self._holds(context, self._is_known)

    def _makes_known(self, func: cst.BaseExpression) -> bool:
        """What is called makes such a context; helpers of the script are looked into elsewhere."""
        if isinstance(func, cst.IfExp):
            return self._makes_known(func.body) and self._makes_known(func.orelse)
        if isinstance(func, cst.Lambda):
            return self._is_known(func.body)
        if isinstance(func, cst.Call):
            partial = self._bindings.qualified(func.func) == "functools.partial"
            return partial and bool(func.args) and self._makes_known(func.args[0].value)
        qualified = self._bindings.qualified(func)
        if qualified is not None:
            return qualified.startswith(_OF_NUMBERS) or "autocast" in qualified
        if self._helpers.called(func) is not None:
            return True
        # Of `accelerator` and `fabric` only the method's name tells what it does.
        if isinstance(func, cst.Attribute) and "autocast" in func.attr.value:
            return True
        return self._holds(func, self._makes_known)

    def _holds(self, node: cst.BaseExpression, known: Callable[[cst.BaseExpression], bool]) -> bool:
        """Whatever a name or an attribute may hold is known."""
        key = self._modules.key(node)
        if key is None or key in self._open:
            return key is not None
        self._open.add(key)
        try:
            values = self._modules.all_values(node)
            return all(map(known, values)) if values else False
        finally:
            self._open.discard(key)
