"""Losses that a step returns to a framework, which runs backward: Lightning's `training_step`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

import libcst as cst

from ortwrap.engine.effects.computed_from import computed_from
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.lightning import optimizes_by_hand
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.names.members import constant_index
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.nodes import calls_in, returns_of
from ortwrap.engine.text.tree import SourceTree, Unit

# What to take of a value: a key or a position, or the loss in whichever form it has.
Pick = Union[str, int, None]


class ReturnedLosses:
    """Follows what `training_step` returns to where its loss is computed.

    A step that returns `self._shared_step(batch)` has its loss computed there: the sink is the
    `return` of `_shared_step`, so that training and validation go on sharing it.
    """

    def __init__(
        self, tree: SourceTree, bindings: Bindings, modules: ModuleTable, helpers: Helpers
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._helpers = helpers
        self._followed: set[cst.FunctionDef] = set()

    def find(self) -> Iterator[Sink]:
        """A sink for every place at which a returned loss is computed, each once."""
        classes = self._modules.classes
        for function in self._tree.functions:
            home = self._tree.enclosing_class(function)
            if home is None:
                continue
            if function.name.value == "compute_loss" and classes.is_trainer(home):
                yield from self._of_trainer(function)
            if function.name.value != "training_step":
                continue
            members = classes.lineage(home).members
            by_hand = any(optimizes_by_hand(member.node) for member in members)
            if classes.is_lightning(home) and not by_hand:
                yield from self._of_function(function, None)

    def beside(self, sinks: list[Sink]) -> list[Sink]:
        """The same and the sinks given, but for those that go back through one of the same.

        A `training_step` may run backward on what `self.compute_loss` gave it.
        """
        returned = list(self.find())
        steps: set[cst.CSTNode] = {self._tree.enclosing(sink.call) for sink in returned}
        return [*(sink for sink in sinks if not self._comes_from(sink, steps)), *returned]

    def _comes_from(self, sink: Sink, steps: set[cst.CSTNode]) -> bool:
        reader = EffectsReader(self._bindings, self._tree.enclosing(sink.call))
        return any(
            self._helpers.called(call.func) in steps
            for node in (computed_from(sink.loss, self._tree, reader) if steps else ())
            for call in calls_in(node)
        )

    def behind(self, call: cst.Call, pick: Pick) -> list[Sink]:
        """A sink for every place at which the function that is called computes its loss.

        Where that is a method which derived classes have of their own, any of them may be it.
        """
        helpers = self._helpers.possible(call.func)
        followed, self._followed = self._followed, set()
        try:
            return [sink for helper in helpers for sink in self._of_function(helper, pick)]
        finally:
            self._followed = followed

    def _of_trainer(self, function: cst.FunctionDef) -> Iterator[Sink]:
        """`return (loss, outputs) if return_outputs else loss`: one sink for each `return`."""
        for node in returns_of(function):
            losses = {self._tree.code(loss): loss for loss in _alternatives(node.value)}
            for loss in losses.values():
                yield Sink(node, loss, self._tree.units[node])

    def _of_function(self, function: cst.FunctionDef, pick: Pick) -> Iterator[Sink]:
        if function in self._followed:
            return
        self._followed.add(function)
        for node in returns_of(function):
            if node.value is not None and not _is_none(node.value):
                yield from self._of_value(node.value, pick, node, self._tree.units[node])

    def _of_value(
        self, value: cst.BaseExpression, pick: Pick, at: cst.Return, unit: Unit
    ) -> Iterator[Sink]:
        """The sinks of one returned expression, of which `pick` is the loss."""
        element = self._element(value, "loss" if pick is None else pick)
        if element is not None:
            yield from self._of_value(element, None, at, unit)
            return
        if isinstance(value, cst.Subscript) and pick is None:
            key = constant_index(value)
            if key is not None:
                if self._is_result(value.value, key):
                    yield Sink(at, value, unit)
                    return
                yield from self._of_value(value.value, key, at, unit)
                return
        if isinstance(value, cst.Name):
            bound = self._only_binding(value, pick)
            if bound is not None:
                yield from self._of_value(*bound, at, self._tree.unit_of(bound[0]))
                return
        helper = self._helpers.called(value.func) if isinstance(value, cst.Call) else None
        if helper is not None and self._runs_module(helper):
            yield from self._of_function(helper, pick)
            return
        if pick is None:
            yield Sink(at, value, unit)

    def _is_result(self, value: cst.BaseExpression, pick: Pick) -> bool:
        """`terms["loss"]` of what a call gave that nothing here tells more about."""
        bound = self._bindings.lookup(value) if isinstance(value, cst.Name) else []
        plain = len(bound) == 1 and bound[0].kind == "variable"
        assign = self._tree.parents.get(self._tree.parents[bound[0].node]) if plain else None
        called = isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Call)
        return called and self._only_binding(cst.ensure_type(value, cst.Name), pick) is None

    def _element(self, value: cst.BaseExpression, pick: Pick) -> cst.BaseExpression | None:
        """The picked element of a dict or tuple that is written out."""
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Name):
            name = self._bindings.qualified(value.func) or value.func.value
            if name not in ("dict", "collections.OrderedDict", "OrderedDict"):
                return None
            for argument in value.args:
                if argument.keyword is not None and argument.keyword.value == pick:
                    return argument.value
            first = value.args[0] if value.args else None
            plain = first is not None and first.keyword is None and not first.star
            return self._element(first.value, pick) if first is not None and plain else None
        if isinstance(value, cst.Dict):
            for item in value.elements:
                key = item.key if isinstance(item, cst.DictElement) else None
                if isinstance(key, cst.SimpleString) and key.evaluated_value == pick:
                    return item.value
        if isinstance(value, cst.Tuple) and isinstance(pick, int):
            starred = any(isinstance(item, cst.StarredElement) for item in value.elements)
            if not starred and pick < len(value.elements):
                return value.elements[pick].value
        return None

    def _only_binding(self, name: cst.Name, pick: Pick) -> tuple[cst.BaseExpression, Pick] | None:
        """What a name is bound to, once in its function, if a loss can be followed into that.

        A name for the loss itself stays the sink's; one for a dict, or for what a helper that
        runs the model returned, only passes it on.
        """
        bound = self._bindings.lookup(name)
        if len(bound) != 1 or bound[0].kind != "variable":
            return None
        target: cst.CSTNode = bound[0].node
        position: Pick = None
        parent = self._tree.parents[target]
        if isinstance(parent, cst.Element):
            targets = self._tree.parents[parent]
            if not isinstance(targets, cst.Tuple) or pick is not None:
                return None
            position = targets.elements.index(parent)
            parent = self._tree.parents[targets]
        assign = self._tree.parents.get(parent)
        if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
            return None
        value = assign.value
        pick = pick if position is None else position
        if isinstance(value, cst.Call):
            helper = self._helpers.called(value.func)
            if helper is not None and self._runs_module(helper):
                return value, pick
        written_out = self._element(value, "loss" if pick is None else pick) is not None
        return (value, pick) if written_out else None

    def _runs_module(self, function: cst.FunctionDef) -> bool:
        return bool(self._helpers.held_modules(function))


def _alternatives(value: cst.BaseExpression | None) -> Iterator[cst.BaseExpression]:
    """The losses among what `compute_loss` returns, alone or in front of the outputs."""
    if isinstance(value, cst.IfExp):
        yield from _alternatives(value.body)
        yield from _alternatives(value.orelse)
    elif isinstance(value, cst.Tuple) and value.elements:
        yield value.elements[0].value
    elif value is not None:
        yield value


def _is_none(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"
