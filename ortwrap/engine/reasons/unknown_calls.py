"""What a loss is computed from where no module is known: what is called, or what a caller gives."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.effects.computed_from import computed_from
from ortwrap.engine.effects.statement import EffectsReader, place_of, root_place
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.plain_objects import plain_class_of
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.nodes import calls_in
from ortwrap.engine.text.tree import SourceTree

# By what they are called, functions that may run a model: this only chooses what to point at.
_MAY_RUN = re.compile(
    r"forward|predict|infer|run|model|net|encode|decode|step|loss|generat|discrimin|evaluat",
    re.IGNORECASE,
)
_LIBRARIES = ("torch.", "numpy.", "math.", "random.", "time.")


def first_unknown_call(
    sink: Sink, tree: SourceTree, bindings: Bindings, modules: ModuleTable
) -> cst.Call | None:
    """`self.forward_pass(x)` of a base class, `predict(x)` of another file."""
    reader = EffectsReader(bindings, tree.enclosing(sink.call))
    calls = (
        call
        for node in computed_from(sink.loss, tree, reader)
        for call in calls_in(node)
        if _is_unknown(call.func, bindings, modules, reader.instance)
        and _MAY_RUN.search(tree.code(call.func).rpartition(".")[2])
    )
    return min(calls, key=lambda call: tree.span(call).start, default=None)


def first_plain_object(
    sink: Sink, tree: SourceTree, bindings: Bindings, modules: ModuleTable
) -> tuple[cst.Call, str] | None:
    """`net(x)` where `net` is an object of a class that is no module, with that class.

    Or `net.run(x)`, where no object is called itself.
    """
    reader = EffectsReader(bindings, tree.enclosing(sink.call))
    calls = [call for node in computed_from(sink.loss, tree, reader) for call in calls_in(node)]
    called = [(call, _plain_class(call.func, bindings, modules)) for call in calls]
    asked = [
        (call, _plain_class(call.func.value, bindings, modules))
        for call in calls
        if isinstance(call.func, cst.Attribute) and _MAY_RUN.search(call.func.attr.value)
    ]
    for found in (called, asked):
        known = [(call, home) for call, home in found if home is not None]
        if known:
            return min(known, key=lambda each: tree.span(each[0]).start)
    return None


def _plain_class(owner: cst.BaseExpression, bindings: Bindings, modules: ModuleTable) -> str | None:
    """The class of the object that an expression gives, where that is no module."""
    lineage = modules.objects.lineage(owner)
    if lineage is not None:
        return lineage.members[0].place
    made = [
        plain_class_of(value, bindings, modules.module_classes)
        for value in modules.all_values(owner) or ()
        if bindings.tree.code(value) != "None"
    ]
    return made[0] if made and all(made) else None


def is_given(sink: Sink, tree: SourceTree, bindings: Bindings) -> bool:
    """`runner.outputs["loss"]`: the loss is a part of a parameter, scaled at most."""
    function = tree.enclosing(sink.call)
    reader = EffectsReader(bindings, function)
    loss = _unscaled(sink.loss)
    for node in computed_from(sink.loss, tree, reader):
        if isinstance(node, cst.Assign) and isinstance(loss, cst.Name):
            names = [item.target for item in node.targets]
            if any(isinstance(each, cst.Name) and each.value == loss.value for each in names):
                loss = _unscaled(node.value)
    root = root_place(loss, reader.instance)
    part = isinstance(loss, (cst.Attribute, cst.Subscript)) and root != reader.instance
    bound = bindings.scope(function).names.get(root or "", [])
    return part and bool(bound) and all(each.kind == "parameter" for each in bound)


def _unscaled(loss: cst.BaseExpression) -> cst.BaseExpression:
    """`loss` of `scaler.scale(loss)`, `loss.mean()` and `loss / rounds`; not of `w * D(x)`."""
    while True:
        if isinstance(loss, cst.BinaryOperation):
            if any(calls_in(loss.right)):
                return loss
            loss = loss.left
        elif isinstance(loss, cst.Call) and isinstance(loss.func, cst.Attribute):
            method = loss.func.attr.value
            if method in ("mean", "sum"):
                loss = loss.func.value
            elif method == "scale" and loss.args:
                loss = loss.args[0].value
            else:
                return loss
        else:
            return loss


def _is_unknown(
    func: cst.BaseExpression, bindings: Bindings, modules: ModuleTable, instance: str | None
) -> bool:
    """It is a function, or a method of the instance, that this file does not define."""
    if modules.evidence(func) is not None or bindings.definition(func) is not None:
        return False
    if isinstance(func, cst.Attribute) and place_of(func, instance) is not None:
        return modules.classes.called_on_instance(func) is None
    qualified = bindings.qualified(func)
    return qualified is not None and not f"{qualified}.".startswith(_LIBRARIES)
