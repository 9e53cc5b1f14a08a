"""Why a loss was not found to come from a module: the reason that the user can act on."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.computed_from import computed_from
from ortwrap.engine.effects.statement import EffectsReader, instance_name, place_of, root_place
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.lineage import Ancestor
from ortwrap.engine.reasons.unknown_calls import (
    first_plain_object,
    first_unknown_call,
    is_given,
)
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree


def why_no_module(
    sink: Sink, tree: SourceTree, bindings: Bindings, modules: ModuleTable
) -> Refuse | None:
    """A better reason than that no module is known; None if there is none."""
    why = _Reasons(sink, tree, bindings, modules)
    reasons = (
        why.backward_of_the_instance,
        why.log_probabilities_kept,
        why.terms_filled_elsewhere,
        why.bound_by_a_condition,
        why.module_picked,
        why.set_by_another_method,
        why.read_from_another_method,
        why.trained_tensor,
        why.loss_given,
        why.plain_object,
        why.unknown_call,
    )
    return next(filter(None, (reason() for reason in reasons)), None)


class _Reasons:
    """The reasons that there may be: each gives a refusal, or None where it does not hold."""

    def __init__(
        self, sink: Sink, tree: SourceTree, bindings: Bindings, modules: ModuleTable
    ) -> None:
        self._sink = sink
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._loss = tree.brief(sink.loss)
        function = tree.enclosing(sink.call)
        self._body = function if isinstance(function, cst.Module) else function.body
        self._reader = EffectsReader(bindings, function)

    def backward_of_the_instance(self) -> Refuse | None:
        """`self.backward()` of a base class elsewhere."""
        loss = self._sink.loss
        if not isinstance(loss, cst.Name) or loss.value != self._reader.instance:
            return None
        call = cst.ensure_type(self._sink.call, cst.Call)
        return Refuse("OW101", call, loss=self._tree.brief(call), unknown=self._not_told(call))

    def log_probabilities_kept(self) -> Refuse | None:
        stored = next(_stored_log_probabilities(self._tree), None)
        if ".log_prob(" in self._tree.module.code_for_node(self._body):
            return None
        return None if stored is None else self._kept(stored)

    def terms_filled_elsewhere(self) -> Refuse | None:
        filled = next(_filled_elsewhere(self._sink, self._tree, self._bindings), None)
        return None if filled is None else self._kept(filled)

    def bound_by_a_condition(self) -> Refuse | None:
        condition = next(_bound_by_condition(self._sink, self._tree, self._reader), None)
        if condition is None:
            return None
        return Refuse("OW104", condition, loss=self._loss, line=self._tree.line(condition))

    def module_picked(self) -> Refuse | None:
        picked = next(_picked(self._body, self._tree, self._modules), None)
        if picked is None:
            return None
        return Refuse("OW112", picked, loss=self._loss, code=self._tree.brief(picked))

    def set_by_another_method(self) -> Refuse | None:
        """The loss reads an attribute that another method sets."""
        written = self._reader.of(self._body).writes
        for place in self._reader.of(self._sink.loss).reads:
            method = None if place in written else self._setter(place)
            if method is not None:
                return self._in_another_method(self._loss, method)
        return None

    def read_from_another_method(self) -> Refuse | None:
        """The step reads an attribute that another method sets by running a module."""
        effects = self._reader.of(self._body)
        for place in sorted(set(effects.reads) - effects.writes):
            method = self._setter(place)
            if method is not None and self._runs_module(place, method):
                return self._in_another_method(place, method)
        return None

    def trained_tensor(self) -> Refuse | None:
        leaf = next(_leaves(self._sink, self._tree, self._reader), None)
        if leaf is None:
            return None
        return Refuse("OW110", leaf, loss=self._loss, name=self._tree.code(leaf))

    def loss_given(self) -> Refuse | None:
        if not is_given(self._sink, self._tree, self._bindings):
            return None
        return Refuse("OW102", loss=self._loss, function=self._function_name())

    def plain_object(self) -> Refuse | None:
        plain = first_plain_object(self._sink, self._tree, self._bindings, self._modules)
        if plain is None:
            return None
        called, home = plain
        name = self._tree.code(called.func)
        unknown = f": `{name}` is an object of {home}, which is no `nn.Module`"
        if isinstance(called.func, cst.Attribute) and self._modules.objects.holds(
            called.func.value
        ):
            unknown = (
                f": `{name}` is of an object of {home}, in which no module was found that it runs"
            )
        return Refuse("OW101", called, loss=self._loss, unknown=unknown)

    def unknown_call(self) -> Refuse | None:
        call = first_unknown_call(self._sink, self._tree, self._bindings, self._modules)
        if call is None:
            return None
        unknown = self._not_told(call)
        giver = _giver_elsewhere(call.func, self._reader.instance, self._modules)
        if giver is not None:
            name = self._tree.code(call.func)
            unknown = f": `{name}` is a method of {giver.place}, to be rewritten there"
        return Refuse("OW101", call, loss=self._loss, unknown=unknown)

    def _not_told(self, call: cst.Call) -> str:
        return f", and what `{self._tree.code(call.func)}` runs is not told here"

    def _kept(self, call: cst.Call) -> Refuse:
        """The graph of what a call keeps is that of an earlier run of the policy."""
        line = self._tree.line(call)
        return Refuse("OW208", call, loss=self._loss, code=self._tree.brief(call), line=line)

    def _function_name(self) -> str:
        return self._tree.qualified_function(self._sink.call) or ""

    def _in_another_method(self, value: str, method: cst.FunctionDef) -> Refuse:
        name, function = method.name.value, self._function_name()
        return Refuse("OW111", method, loss=value, method=name, function=function)

    def _setter(self, place: str) -> cst.FunctionDef | None:
        """The other method that assigns an attribute of the instance."""
        if "." not in place:
            return None
        tree = self._tree
        mine = tree.enclosing(self._sink.call)
        for function in tree.functions:
            if function is mine or tree.enclosing_class(function) is not tree.enclosing_class(mine):
                continue
            reader = EffectsReader(self._bindings, function)
            attribute = f"{reader.instance}.{place.split('.', 1)[1]}"
            if function.name.value != "__init__" and attribute in reader.of(function.body).writes:
                return function
        return None

    def _runs_module(self, place: str, method: cst.FunctionDef) -> bool:
        """`self.output = self.net(self.data)`: what the method assigns is what a module gave."""
        reader = EffectsReader(self._bindings, method)
        attribute = f"{reader.instance}.{place.partition('.')[2]}"
        return any(
            isinstance(call, cst.Call) and self._modules.is_trainable(call.func)
            for node in self._tree.assignments
            if self._tree.enclosing(node) is method and attribute in reader.of(node).writes
            for call in descendants(node)
        )


def _giver_elsewhere(
    func: cst.BaseExpression, instance: str | None, modules: ModuleTable
) -> Ancestor | None:
    """The base class in another file that has the method which `self.shared_step` is."""
    home, place = modules.classes.home(func), place_of(func, instance)
    if home is None or place is None or "." not in place:
        return None
    givers = modules.classes.lineage(home).givers(place.split(".", 1)[1])
    return givers[0] if givers and givers[0].file is not None else None


def _stored_log_probabilities(tree: SourceTree) -> Iterator[cst.Call]:
    """`saved.append(dist.log_prob(action))`, also inside of a tuple."""
    for call in tree.calls:
        stores = isinstance(call.func, cst.Attribute) and call.func.attr.value == "append"
        if stores and any(
            isinstance(inner, cst.Attribute) and inner.attr.value == "log_prob"
            for argument in call.args
            for inner in descendants(argument.value)
        ):
            yield call


def _filled_elsewhere(sink: Sink, tree: SourceTree, bindings: Bindings) -> Iterator[cst.Call]:
    """`for reward, prob in self.data:`, where another method does `self.data.append(item)`."""
    function = tree.enclosing(sink.call)
    instance = instance_name(function, bindings)
    for loop in tree.ancestors(sink.call):
        place = root_place(loop.iter, instance) if isinstance(loop, cst.For) else None
        if place is None or "." not in place:
            continue
        for call in tree.calls:
            there = tree.enclosing(call)
            adds = isinstance(call.func, cst.Attribute) and call.func.attr.value == "append"
            if adds and there is not function:
                owner = cst.ensure_type(call.func, cst.Attribute).value
                theirs = place_of(owner, instance_name(there, bindings)) or ""
                same_class = tree.enclosing_class(there) is tree.enclosing_class(function)
                if same_class and theirs.partition(".")[2] == place.partition(".")[2]:
                    yield call


def _bound_by_condition(
    sink: Sink, tree: SourceTree, reader: EffectsReader
) -> Iterator[cst.NamedExpr]:
    """`if (loss := criterion(model(x), y)) is not None:` around the backward."""
    read = set(reader.of(sink.loss).reads)
    for ancestor in tree.ancestors(sink.call):
        if isinstance(ancestor, (cst.If, cst.While)):
            for node in descendants(ancestor.test):
                if isinstance(node, cst.NamedExpr) and reader.of(node).writes & read:
                    yield node


def _picked(
    body: cst.CSTNode, tree: SourceTree, modules: ModuleTable
) -> Iterator[cst.BaseExpression]:
    """`models["g"]` where it is called: a module of a list or dict, by its place there."""
    for node in descendants(body):
        func = node.func if isinstance(node, cst.Call) else None
        if isinstance(func, cst.Subscript) and modules.holds_modules(func.value):
            yield func
        if isinstance(node, cst.CompFor) and modules.holds_modules(node.iter):
            yield node.iter
        if isinstance(node, cst.For) and modules.holds_modules(node.iter):
            yield node.iter


def _leaves(sink: Sink, tree: SourceTree, reader: EffectsReader) -> Iterator[cst.CSTNode]:
    """What is bound to a tensor that requires grad: names, and attributes that the loss reads."""
    mine = tree.enclosing_class(tree.enclosing(sink.call))
    read = {
        place.partition(".")[2]
        for node in computed_from(sink.loss, tree, reader)
        for place in reader.of(node).reads
    }
    for node in tree.assignments:
        target = _trained_by(node) if isinstance(node, cst.Assign) else None
        if target is None:
            continue
        home = tree.enclosing_class(tree.enclosing(node))
        own = place_of(target, instance_name(tree.enclosing(node), reader.bindings)) or ""
        if home is None or (home is mine and own.partition(".")[2] in read - {""}):
            yield target


def _trained_by(node: cst.Assign) -> cst.BaseExpression | None:
    """What an assignment makes a tensor that requires grad: `x.requires_grad = True` as well."""
    target, value = node.targets[0].target, node.value
    if isinstance(target, cst.Attribute) and target.attr.value == "requires_grad":
        return target.value if isinstance(value, cst.Name) and value.value == "True" else None
    return target if any(map(_is_trained, descendants(value))) else None


def _is_trained(node: cst.CSTNode) -> bool:
    """`torch.zeros(1, requires_grad=True)`."""
    return isinstance(node, cst.Call) and any(
        argument.keyword is not None
        and argument.keyword.value == "requires_grad"
        and isinstance(argument.value, cst.Name)
        and argument.value.value == "True"
        for argument in node.args
    )
