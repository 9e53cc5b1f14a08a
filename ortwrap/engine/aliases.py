"""Places that may hold the same tensor, or views of one: changing one changes the others."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects import EffectsReader, place_of, root_place
from ortwrap.engine.nodes import children

# Methods that give a new value, so that what is done to it leaves the old one alone.
_COPIES = frozenset(
    "clone item mean sum max min argmax argmin norm softmax log_softmax exp log abs pow add mul "
    "sub div tolist size dim numel eq ne gt lt ge le sqrt sigmoid tanh relu topk sort any all copy "
    "parameters named_parameters".split()
)


_PASS_THROUGH = frozenset("enumerate zip iter list tuple reversed".split())
_FACTS = frozenset("shape dtype device ndim".split())


class Aliases:
    """Groups of places of one function that assignments and loops tie together."""

    def __init__(self, reader: EffectsReader, function: cst.CSTNode) -> None:
        self._reader = reader
        self._parent: dict[str, str] = {}
        stack = list(children(function))
        while stack:
            node = stack.pop()
            if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
                continue
            if isinstance(node, cst.Assign):
                for target in node.targets:
                    self._tie(target.target, node.value)
            elif isinstance(node, (cst.AnnAssign, cst.NamedExpr)) and node.value is not None:
                self._tie(node.target, node.value)
            elif isinstance(node, cst.For):
                self._tie(node.target, node.iter)
            stack.extend(children(node))

    def closure(self, places: set[str]) -> set[str]:
        """The places and all that may be the same objects."""
        roots = {self._find(place) for place in places}
        tied = {place for place in self._parent if self._find(place) in roots}
        return places | tied

    def _tie(self, target: cst.CSTNode, value: cst.BaseExpression) -> None:
        if isinstance(target, (cst.Tuple, cst.List)):
            if isinstance(value, (cst.Tuple, cst.List)):
                if len(value.elements) == len(target.elements):
                    for element, source in zip(target.elements, value.elements):
                        self._tie(element.value, source.value)
                return
            for element in target.elements:
                self._tie(element.value, value)
            return
        instance = self._reader.instance
        left, right = place_of(target, instance), self._source(value)
        if left is not None and right is not None:
            self._parent[self._find(left)] = self._find(right)

    def _source(self, value: cst.BaseExpression) -> str | None:
        """The place that an expression gives a way into, unless it copies."""
        node: cst.CSTNode = value
        while isinstance(node, (cst.Attribute, cst.Subscript, cst.Call)):
            if isinstance(node, cst.Call):
                if isinstance(node.func, cst.Name) and node.func.value in _PASS_THROUGH:
                    return self._source(node.args[0].value) if node.args else None
                if not isinstance(node.func, cst.Attribute):
                    return None
                if node.func.attr.value in _COPIES:
                    return None
                node = node.func
            if place_of(node, self._reader.instance) is not None:
                break
            if isinstance(node, (cst.Attribute, cst.Subscript)):
                if isinstance(node, cst.Attribute) and node.attr.value in _FACTS:
                    return None
                node = node.value
        return root_place(node, self._reader.instance)

    def _find(self, place: str) -> str:
        self._parent.setdefault(place, place)
        while self._parent[place] != place:
            place = self._parent[place]
        return place
