"""Where a loss is consumed: `loss.backward()` and everything that runs it on the user's behalf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.statement import instance_name, place_of
from ortwrap.engine.effects.taken_values import takes_value
from ortwrap.engine.evidence.libraries import runs_steps
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.steps.loss_takers import LossTakers
from ortwrap.engine.steps.retaining import Retention, keeps_graph, one_runs, only_keeps_graph
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.tree import SourceTree, Unit

_CASTS = frozenset(["typing.cast", "typing_extensions.cast"])


@dataclass(frozen=True, eq=False)
class Sink:
    """One place that runs backward on a loss.

    Attributes:
        call: the call that consumes the loss, or the `return`, assignment or addition, in branches
            or not, that hands it to whoever does.
        loss: the expression of the loss, inside `call`.
        unit: the statement after which the loss is consumed.
        inside: what the function that is called does with the graph behind its backward.
    """

    call: cst.Call | cst.Return | cst.Assign | cst.AugAssign | cst.If
    loss: cst.BaseExpression
    unit: Unit
    inside: Retention = Retention.NONE

    @property
    def keeps_graph(self) -> str | None:
        """The argument by which some backward is told to keep the graph."""
        inside = "retain_graph=True" if self.inside is not Retention.NONE else None
        return keeps_graph(self.call) or inside


class SinkFinder:
    """Finds every sink of a script, in source order."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        takers: LossTakers,
        extra: tuple[str, ...] = (),
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._extra = frozenset(extra)
        self._takers = takers
        self.helpers: dict[cst.CSTNode, str] = {}
        self._inner: list[Sink] = []

    def find(self) -> list[Sink]:
        """All sinks, calls of the script's own backward helpers included."""
        direct = [sink for call in self._tree.calls for sink in self._direct(call)]
        self.helpers = dict(self._helpers(direct))
        inside = {id(sink) for sink in direct if self._tree.enclosing(sink.call) in self.helpers}
        self._inner = [sink for sink in direct if id(sink) in inside]
        sinks = [sink for sink in direct if id(sink) not in inside]
        called: set[cst.CSTNode | None] = set()
        for call in self._tree.calls:
            for function, sink in self._through_helper(call):
                called |= self._all_named(call.func) or {function}
                sinks.append(sink)
            sinks += self._through_other_file(call)
        # A helper that nobody here calls stands for a step in another file: keep its row.
        sinks += [
            sink
            for sink in direct
            if id(sink) in inside
            and self._tree.enclosing(sink.call) not in called
            and not self._is_reached_as_object(sink, sinks)
        ]
        return sorted(sinks, key=lambda sink: self._tree.span(sink.call).start)

    def _all_named(self, func: cst.CSTNode) -> set[cst.CSTNode | None]:
        """The functions that branches bind a name to."""
        return {self._bindings.definition(value) for value in self._modules.values(func)} - {None}

    def _is_reached_as_object(self, sink: Sink, others: list[Sink]) -> bool:
        """`loss_scaler(loss, optimizer)` and `accelerator.backward(loss)` run a class's method.

        Lightning hands what `training_step` returns to the `backward` of a module.
        """
        function = self._tree.enclosing(sink.call)
        home = self._tree.enclosing_class(function)
        if home is None:
            return False
        name = cst.ensure_type(function, cst.FunctionDef).name.value
        if name == "backward" and self._modules.classes.is_lightning(home):
            return True
        for other in others:
            call = cst.ensure_type(other.call, cst.Call)
            by_name = isinstance(call.func, cst.Attribute) and call.func.attr.value == name
            takes_loss = bool(call.args) and other.loss is call.args[0].value
            if takes_loss and (by_name or name == "__call__"):
                return True
        return False

    def _direct(self, call: cst.Call) -> Iterator[Sink]:
        func = call.func
        unit = self._tree.unit_of(call)
        positional = [argument.value for argument in call.args if _may_be_loss(argument)]
        named = self._name(func)
        if named in self._extra and positional:
            yield Sink(call, positional[0], unit)
        elif runs_steps(self._bindings.qualified(func) or ""):
            yield Sink(call, call, unit)
        elif self._bindings.qualified(func) == "torch.autograd.backward":
            if positional:
                yield Sink(call, _alone(positional[0]), unit)
        elif isinstance(func, cst.Attribute) and func.attr.value == "manual_backward":
            if positional:
                yield Sink(call, positional[0], unit)
        elif isinstance(func, cst.Attribute) and func.attr.value == "backward":
            yield from self._backward(call, func.value, positional, unit)
        elif positional and self._names_backward(func, positional[0]):
            yield Sink(call, _alone(positional[0]), unit)
        elif self._asks_for_backward(func):
            asked = cst.ensure_type(func, cst.Call).args[0].value
            yield from self._backward(call, asked, positional, unit)
        elif self._takers.is_scaled_by(call):
            yield Sink(call, positional[0], unit)

    def _names_backward(self, func: cst.BaseExpression, loss: cst.BaseExpression) -> bool:
        """`from torch.autograd import backward`, or `backward = accelerator.backward`."""
        if not isinstance(func, cst.Name):
            return False
        if self._bindings.qualified(func) == "torch.autograd.backward":
            return True
        values = self._modules.values(func)
        return bool(values) and all(
            isinstance(value, cst.Attribute)
            and value.attr.value == "backward"
            and self._takers.takes_loss(value.value, loss)
            for value in values
        )

    def _asks_for_backward(self, func: cst.CSTNode) -> bool:
        """`getattr(loss, "backward")`."""
        if not isinstance(func, cst.Call) or len(func.args) != 2:
            return False
        asks = isinstance(func.func, cst.Name) and func.func.value == "getattr"
        name = func.args[1].value
        named = isinstance(name, cst.SimpleString) and name.evaluated_value == "backward"
        return (
            asks and named and self._bindings.resolve(cst.ensure_type(func.func, cst.Name)) is None
        )

    def _backward(
        self,
        call: cst.Call,
        receiver: cst.BaseExpression,
        positional: list[cst.BaseExpression],
        unit: Unit,
    ) -> Iterator[Sink]:
        if self._is_super(receiver) or self._is_own_method(call.func):
            return
        receiver = self._without_cast(receiver)
        if positional and self._takers.takes_loss(receiver, positional[0]):
            yield Sink(call, positional[0], unit)
            return
        if isinstance(receiver, cst.Call):
            scaled = receiver.func
            if isinstance(scaled, cst.Attribute) and scaled.attr.value in ("scale", "scale_loss"):
                if receiver.args:
                    yield Sink(call, receiver.args[0].value, unit)
                return
        apex = self._apex_scope(receiver)
        if apex is not None:
            yield Sink(call, apex[1], apex[0])
            return
        if not self._is_of_no_tensor(call, receiver):
            yield Sink(call, receiver, unit)

    def _without_cast(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """`loss` in `cast(torch.Tensor, loss)`, which is for type checkers alone."""
        while isinstance(node, cst.Call) and self._bindings.qualified(node.func) in _CASTS:
            if len(node.args) != 2:
                break
            node = node.args[1].value
        return node

    def _is_of_no_tensor(self, call: cst.Call, receiver: cst.BaseExpression) -> bool:
        """`grad = my_extension.backward(ctx.saved, grad)`: a tensor's backward gives nothing."""
        if not call.args:
            return False
        imported = self._bindings.qualified(receiver)
        kept = isinstance(self._tree.parents[call], (cst.Assign, cst.AnnAssign))
        return kept or (imported is not None and not imported.startswith("torch."))

    def _is_own_method(self, func: cst.BaseExpression) -> bool:
        """`self.backward()` of a class that defines it: the backward of a tensor is in there."""
        if not isinstance(func, cst.Attribute):
            return False
        instance = instance_name(self._tree.enclosing(func), self._bindings)
        of_instance = place_of(func, instance) == f"{instance}.{func.attr.value}"
        return of_instance and self._modules.classes.called_on_instance(func) is not None

    @staticmethod
    def _is_super(receiver: cst.BaseExpression) -> bool:
        return (
            isinstance(receiver, cst.Call)
            and isinstance(receiver.func, cst.Name)
            and receiver.func.value == "super"
        )

    def _apex_scope(self, receiver: cst.BaseExpression) -> tuple[Unit, cst.BaseExpression] | None:
        """`with amp.scale_loss(loss, optimizer) as scaled_loss: scaled_loss.backward()`."""
        if not isinstance(receiver, cst.Name):
            return None
        for ancestor in self._tree.ancestors(receiver):
            if not isinstance(ancestor, cst.With):
                continue
            for item in ancestor.items:
                named = item.asname is not None and isinstance(item.asname.name, cst.Name)
                if (
                    named
                    and isinstance(item.item, cst.Call)
                    and self._name(item.item.func) == "scale_loss"
                    and item.item.args
                    and cst.ensure_type(item.asname, cst.AsName).name.deep_equals(receiver)
                ):
                    return self._tree.units[ancestor], item.item.args[0].value
        return None

    def _helpers(self, sinks: list[Sink]) -> Iterator[tuple[cst.CSTNode, str]]:
        """Functions whose sink consumes one of their own parameters, which no one rebinds."""
        for sink in sinks:
            function = self._tree.enclosing(sink.call)
            if not isinstance(function, cst.FunctionDef):
                continue
            root: cst.CSTNode = sink.loss
            while isinstance(root, cst.BinaryOperation):
                root = root.left
            own = instance_name(function, self._bindings)
            if isinstance(root, cst.Name) and root.value != own:
                names = self._bindings.scope(function).names
                bound = names.get(root.value, [])
                given = {
                    node.value
                    for node in descendants(sink.loss)
                    if isinstance(node, cst.Name)
                    and any(binding.kind == "parameter" for binding in names.get(node.value, []))
                }
                scaled = isinstance(sink.loss, cst.BinaryOperation) and isinstance(
                    sink.loss.operator, cst.Divide
                )
                alone = given == {root.value} or scaled
                is_parameter = bool(bound) and bound[0].kind == "parameter"
                if is_parameter and alone and self._only_rescaled(root, function):
                    yield function, root.value

    def _only_rescaled(self, name: cst.Name, function: cst.FunctionDef) -> bool:
        instance = instance_name(function, self._bindings)
        for node in self._tree.assignments:
            if self._tree.enclosing(node) is not function or isinstance(node, cst.AugAssign):
                continue
            if isinstance(node, cst.Assign):
                stored = [place_of(target.target, instance) for target in node.targets]
                if name.value in stored and name.value not in self._tree.code(node.value):
                    return False
        return True

    def _through_helper(self, call: cst.Call) -> Iterator[tuple[cst.CSTNode, Sink]]:
        function = self._bindings.definition(call.func)
        if function is None and isinstance(call.func, cst.Attribute):
            function = self._method(call.func)
        if function is None and isinstance(call.func, cst.Name):
            function = self._one_of_several(call.func, call)
        if function in self.helpers and isinstance(function, cst.FunctionDef):
            for parameter, argument in pair_arguments(function, call):
                if parameter == self.helpers[function]:
                    unit, inside = self._tree.unit_of(call), self._retention_of_any(call, function)
                    yield function, Sink(call, argument, unit, inside)

    def _retention_of_any(self, call: cst.Call, function: cst.FunctionDef) -> Retention:
        """What the worst of the functions does that a call may run."""
        called = {*self._all_named(call.func), function}
        return max(
            self._retention(each, self.helpers.get(each), self._inner)
            for each in called
            if isinstance(each, cst.FunctionDef)
        )

    def _retention(
        self, function: cst.FunctionDef, loss: str | None, sinks: list[Sink]
    ) -> Retention:
        """Whether a function keeps the graph of a parameter, and may go back through it again."""
        inner = [sink for sink in sinks if self._tree.enclosing(sink.call) is function]
        if not any(sink.keeps_graph for sink in inner):
            return Retention.NONE
        own = {node for sink in inner for node in descendants(sink.call)}
        others = [
            node
            for node in descendants(function.body)
            if isinstance(node, cst.Name) and node.value == loss and node not in own
        ]
        once = one_runs([sink.unit for sink in inner], self._tree) and not any(
            self._tree.is_in_a_loop(sink.call) for sink in inner
        )
        spent = once and all(takes_value(node, self._tree) for node in others)
        return Retention.FOR_OTHERS if spent else Retention.FOR_MORE

    def _through_other_file(self, call: cst.Call) -> Iterator[Sink]:
        """`update(loss, optimizer)` of the project, which runs backward on what it is given."""
        found = defined_elsewhere(call.func, self._bindings)
        if found is None or not isinstance(found.node, cst.FunctionDef):
            return
        if "backward" not in found.file.tree.text:
            # Most files: what their modules are need not be known.
            return
        tree, bindings, modules = found.file.tree, found.file.bindings, found.file.modules
        takers = LossTakers(bindings, modules, frozenset())
        there = SinkFinder(tree, bindings, modules, takers)
        taken, inside = there.taken_by(found.node)
        for parameter, argument in pair_arguments(found.node, call):
            if parameter == taken:
                yield Sink(call, argument, self._tree.unit_of(call), inside)

    def taken_by(self, function: cst.FunctionDef) -> tuple[str | None, Retention]:
        """The parameter that a function runs backward on, where it only takes its value besides."""
        sinks = [
            sink
            for call in calls_in(function.body)
            for sink in self._direct(call)
            if isinstance(sink.call, cst.Call) and only_keeps_graph(sink.call)
        ]
        name = dict(self._helpers(sinks)).get(function)
        inside = {node for sink in sinks for node in descendants(sink.call)}
        uses = [
            node
            for node in descendants(function.body)
            if isinstance(node, cst.Name) and node.value == name and node not in inside
        ]
        taken = name if all(takes_value(node, self._tree) for node in uses) else None
        return taken, self._retention(function, name, sinks)

    def _one_of_several(self, func: cst.Name, call: cst.Call) -> cst.CSTNode | None:
        """`backward_pass`, which branches bind to helpers that take the loss at the same place."""
        values = self._modules.values(func)
        chosen = [self._bindings.definition(value) for value in values]
        arguments = {
            argument
            for function in chosen
            if isinstance(function, cst.FunctionDef) and function in self.helpers
            for parameter, argument in pair_arguments(function, call)
            if parameter == self.helpers[function]
        }
        known = bool(chosen) and all(function in self.helpers for function in chosen)
        return chosen[0] if known and len(arguments) == 1 else None

    def _method(self, func: cst.Attribute) -> cst.FunctionDef | None:
        for function in self.helpers:
            home = self._tree.enclosing_class(function)
            if home is None or not isinstance(function, cst.FunctionDef):
                continue
            inside = home in self._tree.ancestors(func)
            if inside and function.name.value == func.attr.value:
                return function
        return None

    @staticmethod
    def _name(func: cst.CSTNode) -> str:
        if isinstance(func, cst.Attribute):
            return func.attr.value
        return func.value if isinstance(func, cst.Name) else ""


def _may_be_loss(argument: cst.Arg) -> bool:
    """By its place or by the names that functions which run backward have for it."""
    if argument.keyword is not None:
        return argument.keyword.value in ("loss", "tensors")
    return not argument.star


def _alone(losses: cst.BaseExpression) -> cst.BaseExpression:
    """The loss of `torch.autograd.backward((loss,))`; several are left as they are."""
    if not isinstance(losses, (cst.Tuple, cst.List)) or len(losses.elements) != 1:
        return losses
    only = losses.elements[0]
    return only.value if isinstance(only, cst.Element) else losses
