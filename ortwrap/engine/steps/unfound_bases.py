"""Steps that return their loss to whatever a base class is that no file at hand defines."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.evidence.libraries import unknown_base
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.classes import Classes
from ortwrap.engine.steps.consumers import is_of_another_framework
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.nodes import last_name, returns_of


def steps_of_unfound_bases(
    bindings: Bindings, classes: Classes, sinks: Iterable[Sink]
) -> dict[Sink, str]:
    """The last `return` of each such step, with the base class that nothing is known of.

    A step that runs backward by itself, or that this file calls, has its sink there.
    """
    if is_of_another_framework(bindings):
        return {}
    tree = bindings.tree
    trains = {tree.enclosing(sink.call) for sink in sinks}
    called = {last_name(call.func) for call in tree.calls if not _asks_base_class(call.func)}
    found: dict[Sink, str] = {}
    for function in tree.functions:
        home = tree.enclosing_class(function)
        if home is None or function in trains or function.name.value in called:
            continue
        if not _is_handed_to_a_framework(function):
            continue
        base = unknown_base(home, classes)
        if base is None or classes.framework(home) is not None:
            continue
        for node in returns_of(function)[-1:]:
            if node.value is not None:
                found[Sink(node, node.value, tree.units[node])] = base
    return found


def _is_handed_to_a_framework(function: cst.FunctionDef) -> bool:
    """Lightning calls a `training_step`, the `Trainer` of Hugging Face asks for outputs too."""
    named = {parameter.name.value for parameter in function.params.params}
    asks = function.name.value == "compute_loss" and "return_outputs" in named
    return function.name.value == "training_step" or asks


def _asks_base_class(func: cst.BaseExpression) -> bool:
    """`super().training_step`: an override, which whoever calls that one calls."""
    owner = func.value if isinstance(func, cst.Attribute) else None
    return isinstance(owner, cst.Call) and last_name(owner.func) == "super"
