"""Losses that are computed in another function than the one that runs backward.

A helper that moves the batch, prints or counts cannot move into forward; the forward pass and the
loss inside of it can. So the sink moves: to the `return` of the helper, or to the assignment of
`self.loss` in the method that computes it. The backward stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.statement import EffectsReader, instance_name, overlap, place_of
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.steps.returned import Pick, ReturnedLosses
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.tree import SourceTree


class Relocation:
    """Finds where else the loss of a sink can be lifted."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        helpers: Helpers,
        returned: ReturnedLosses,
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._helpers = helpers
        self._returned = returned

    def behind_helper(self, found: LossSlice) -> list[Sink]:
        """The returns of the one helper that runs all the modules of a slice, if one does."""
        if self._uses_graphs_twice:
            return []
        reader = EffectsReader(self._bindings, self._tree.enclosing(found.sink.call))
        flow = GradientFlow(self._bindings, self._modules, reader, self._helpers)
        running = [piece for piece in found.pieces if flow.module_uses(piece.node)]
        if len(running) != 1:
            return []
        node = running[0].node
        rest = [piece for piece in found.pieces if piece is not running[0]]
        taken = set().union({found.place or ""}, *(flow.reads(piece.node) for piece in rest))
        picked = _picked(node, taken, reader.instance)
        if picked is None or not self._runs_all(picked[0], node, flow):
            return []
        return self._returned.behind(*picked)

    def _runs_all(self, call: cst.Call, node: cst.CSTNode, flow: GradientFlow) -> bool:
        """It calls a plain function of this file, and nothing beside it runs a module."""
        helpers = self._helpers.possible(call.func)
        inside = set(descendants(call))
        plain = all(
            helper.asynchronous is None
            and not helper.decorators
            and not any(isinstance(each, cst.Yield) for each in descendants(helper.body))
            for helper in helpers
        )
        # `compute(model(x), y)`: what the model gave would only be an input there.
        given = (inner for argument in call.args for inner in calls_in(argument.value))
        if any(map(flow.module_uses, given)):
            return False
        return bool(helpers) and plain and all(use in inside for use in flow.module_uses(node))

    def in_other_method(self, sink: Sink) -> list[Sink]:
        """The one assignment, in another method, of the attribute that backward is called on."""
        function = self._tree.enclosing(sink.call)
        instance = instance_name(function, self._bindings)
        home = self._tree.enclosing_class(function)
        places = EffectsReader(self._bindings, function).of(sink.loss).reads
        attributes = [place for place in places if instance and place.startswith(f"{instance}.")]
        if home is None or len(attributes) != 1 or self._uses_graphs_twice:
            return []
        name = attributes[0].split(".", 1)[1]
        stored = list(self._stored(name))
        if len(stored) != 1:
            return []
        node = stored[0]
        there = self._tree.enclosing(node)
        if there is function or self._tree.enclosing_class(there) is not home:
            return []
        return [Sink(node, node.value, self._tree.unit_of(node))]

    def _stored(self, name: str) -> Iterator[cst.Assign]:
        """Assignments to an attribute of this name, whosever, but for a first `None` or number."""
        for node in self._tree.assignments:
            targets = [item.target for item in node.targets] if isinstance(node, cst.Assign) else []
            for target in targets:
                named = isinstance(target, cst.Attribute) and target.attr.value == name
                if named and not _is_a_start(cst.ensure_type(node, cst.Assign).value):
                    yield cst.ensure_type(node, cst.Assign)

    def calls_any(self, node: cst.CSTNode, functions: set[cst.CSTNode]) -> bool:
        """Running a statement runs one of these functions of the script."""
        stack, seen = [node], set[cst.CSTNode]()
        while stack:
            for call in descendants(stack.pop()):
                for called in self._called_by(call):
                    if called in functions:
                        return True
                    if called not in seen:
                        seen.add(called)
                        stack.append(called.body)
        return False

    def _called_by(self, node: cst.CSTNode) -> list[cst.FunctionDef]:
        return self._helpers.possible(node.func) if isinstance(node, cst.Call) else []

    @cached_property
    def _uses_graphs_twice(self) -> bool:
        """Somewhere in the script a backward keeps its graph, or a gradient is asked for."""
        return any(
            (self._bindings.qualified(call.func) or "").startswith("torch.autograd.grad")
            or any(map(self._keeps_graph, call.args))
            for call in self._tree.calls
        )

    def _keeps_graph(self, argument: cst.Arg) -> bool:
        """`create_graph=second_order` is as good as never on, as it is where a loss stays."""
        keyword = argument.keyword.value if argument.keyword is not None else ""
        if keyword == "create_graph":
            return self._tree.code(argument.value) == "True"
        return keyword == "retain_graph"


def _is_a_start(value: cst.BaseExpression) -> bool:
    """`None` or a number, until a step has run."""
    none = isinstance(value, cst.Name) and value.value == "None"
    return none or isinstance(value, (cst.Integer, cst.Float))


def _picked(
    node: cst.CSTNode, taken: set[str], instance: str | None
) -> tuple[cst.Call, Pick] | None:
    """The call that a statement's value comes from, and what of its result is the loss."""
    value: cst.CSTNode | None = node
    pick: Pick = None
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        value, target = node.value, node.targets[0].target
        if isinstance(target, (cst.Tuple, cst.List)):
            places = [place_of(element.value, instance) or "" for element in target.elements]
            wanted = [index for index, place in enumerate(places) if overlap({place}, taken)]
            if len(wanted) != 1:
                return None
            pick = wanted[0]
    if isinstance(value, cst.Subscript) and pick is None:
        index = value.slice[0].slice
        key = index.value if isinstance(index, cst.Index) else None
        if isinstance(key, cst.Integer):
            value, pick = value.value, int(key.value)
        elif isinstance(key, cst.SimpleString) and isinstance(key.evaluated_value, str):
            value, pick = value.value, key.evaluated_value
    return (value, pick) if isinstance(value, cst.Call) else None
