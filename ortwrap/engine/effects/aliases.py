"""Places that may hold the same tensor, or views of one: changing one changes the others."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.effects.mutation import has_key
from ortwrap.engine.effects.statement import EffectsReader, place_of, root_place
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.text.nodes import children

# Methods that give a new value, so that what is done to it leaves the old one alone.
_COPIES = frozenset(
    "clone item mean sum max min argmax argmin norm softmax log_softmax exp log abs pow add mul "
    "sub div tolist size dim numel eq ne gt lt ge le sqrt sigmoid tanh relu topk sort any all copy "
    "parameters named_parameters gather index_select masked_select masked_fill scatter scatter_add "
    "index_add cumsum cumprod clamp clamp_min clamp_max sign round floor ceil repeat_interleave "
    "matmul mm bmm logsumexp std var prod square neg logical_not logical_and logical_or "
    "nonzero".split()
)


_VIEWS = frozenset(
    "flatten reshape squeeze unsqueeze transpose permute from_numpy as_tensor asarray split chunk "
    "unbind narrow broadcast_to swapaxes ravel t atleast_1d view_as_real view_as_complex".split()
)
_PASS_THROUGH = frozenset("enumerate zip iter list tuple reversed".split())
_FACTS = frozenset("shape dtype device ndim".split())
_CONSTANTS = frozenset(["True", "False", "None"])


class Aliases:
    """Groups of places of one function that assignments and loops tie together.

    Args:
        reader: of the function.
        function: the function or the module.
        ties: pairs of its places that are known to be tied otherwise.
        objects: of the script, if what their methods return shall count.
    """

    def __init__(
        self,
        reader: EffectsReader,
        function: cst.CSTNode,
        ties: Iterable[tuple[str, str]] = (),
        objects: Objects | None = None,
    ) -> None:
        self._reader = reader
        self._objects = objects
        self._parent: dict[str, str] = {}
        # The same without what lies in containers: these grow, and their elements stay.
        self._same: dict[str, str] = {}
        for one, other in ties:
            for parent in (self._parent, self._same):
                parent[_find(one, parent)] = _find(other, parent)
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
            elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
                fills = node.func.attr.value in ("append", "extend", "insert", "add", "update")
                for argument in node.args if fills else ():
                    self._tie_root(node.func.value, argument.value, self._parent)
            stack.extend(children(node))

    def closure(self, places: set[str]) -> set[str]:
        """The places and all that may be the same objects."""
        return places | _tied(places, self._parent)

    def same(self, places: set[str]) -> set[str]:
        """The places and all that may be the same container, or have come out of it."""
        return places | _tied(places, self._same)

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
        self._tie_root(target, value, self._parent)
        if not has_key(target):
            self._tie_root(target, value, self._same)

    def _tie_root(self, target: cst.CSTNode, value: cst.CSTNode, parent: dict[str, str]) -> None:
        left = root_place(target, self._reader.instance)
        if left is None:
            return
        for right in self._sources(value):
            parent[_find(left, parent)] = _find(right, parent)

    def _sources(self, value: cst.CSTNode) -> set[str]:
        """The places that an expression gives a way into, unless it copies."""
        if isinstance(value, (cst.List, cst.Tuple, cst.Dict, cst.Set)):
            return set().union(*(self._sources(element.value) for element in value.elements))
        if isinstance(value, cst.IfExp):
            return self._sources(value.body) | self._sources(value.orelse)
        if isinstance(value, cst.BooleanOperation):
            return self._sources(value.left) | self._sources(value.right)
        if isinstance(value, cst.Call):
            return self._sources_of_call(value)
        place = place_of(value, self._reader.instance)
        if place is not None:
            return {place} - _CONSTANTS
        if isinstance(value, cst.Attribute) and value.attr.value in _FACTS:
            return set()
        if isinstance(value, (cst.Attribute, cst.Subscript)):
            return self._sources(value.value)
        return set()

    def _sources_of_call(self, call: cst.Call) -> set[str]:
        given = [self._sources(argument.value) for argument in call.args]
        if isinstance(call.func, cst.Name):
            passes = call.func.value in _PASS_THROUGH
            own = self._reader.bindings.definition(call.func) is not None
            # A function of this file may hand back what it was given, or a view of it.
            return set().union(*given) if passes or own else set()
        if not isinstance(call.func, cst.Attribute):
            return set()
        name = call.func.attr.value
        if self._reader.bindings.qualified(call.func) is not None:
            return given[0] if name in _VIEWS and given else set()
        if name in _COPIES or (self._objects and self._objects.gives_number(call.func)):
            return set()
        return self._sources(call.func.value)


def _tied(places: set[str], parent: dict[str, str]) -> set[str]:
    roots = {_find(place, parent) for place in places}
    return {place for place in parent if _find(place, parent) in roots}


def _find(place: str, parent: dict[str, str]) -> str:
    parent.setdefault(place, place)
    while parent[place] != place:
        place = parent[place]
    return place
