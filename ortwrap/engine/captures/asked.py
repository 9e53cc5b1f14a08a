"""Values of which the slice asks only what they are: `if self.teacher is None`.

The answer goes into forward. The value itself may be a function or an environment, which no graph
can be given.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants


class Asked:
    """Answers for the expressions of one slice."""

    def __init__(self, analyses: Analyses, found: LossSlice) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._pieces = found.pieces
        self._otherwise: set[str] | None = None

    def is_only_asked(self, node: cst.CSTNode) -> bool:
        """It asks what a value is that nothing in the slice reads otherwise."""
        subject = asked_about(node)
        if subject is None or not self._means_the_builtin(node):
            return False
        if self._otherwise is None:
            self._otherwise = self._read_otherwise()
        return self._tree.code(subject) not in self._otherwise

    def _means_the_builtin(self, node: cst.CSTNode) -> bool:
        func = node.func if isinstance(node, cst.Call) else None
        return not isinstance(func, cst.Name) or self._bindings.resolve(func) is None

    def _read_otherwise(self) -> set[str]:
        """Everything that is read but to ask what it is."""
        asked: set[cst.CSTNode] = set()
        read: set[str] = set()
        for piece in self._pieces:
            for node in descendants(piece.node):
                subject = asked_about(node)
                if subject is not None:
                    asked.add(subject)
                if isinstance(node, (cst.Name, cst.Attribute)) and node not in asked:
                    read.add(self._tree.code(node))
        return read


def asked_about(node: cst.CSTNode) -> cst.BaseExpression | None:
    """`x` in `x is None` and in `isinstance(x, Box)`, if it is a name or an attribute."""
    subject: cst.BaseExpression | None = None
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        operator, other = node.comparisons[0].operator, node.comparisons[0].comparator
        is_none = isinstance(other, cst.Name) and other.value == "None"
        subject = node.left if is_none and isinstance(operator, (cst.Is, cst.IsNot)) else None
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        kinds = node.func.value == "isinstance" and len(node.args) == 2
        subject = node.args[0].value if kinds else None
    inner = subject
    while isinstance(inner, cst.Attribute):
        inner = inner.value
    return subject if isinstance(inner, cst.Name) else None
