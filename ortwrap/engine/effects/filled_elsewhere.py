"""Objects of a script that the run of a model fills by code of other files.

features = {}
keep_features(model, ["fc1"], features)     # registers hooks that fill it
tap = FeatureTap(model.fc1)                 # keeps what its hook is given
model = Net(context)                        # whose forward sets `context.aux`
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, instance_name, place_of
from ortwrap.engine.effects.traces import registers_a_hook
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import Definition, defined_elsewhere
from ortwrap.engine.text.nodes import calls_in

_CONSTRUCTOR = "__init__"


def filled_elsewhere(bindings: Bindings) -> Iterator[str]:
    """The places of a script that hold such objects, whatever function they are local to."""
    for call in bindings.tree.calls if bindings.elsewhere is not None else ():
        found = defined_elsewhere(call.func, bindings)
        if found is None:
            continue
        constructor, filled = _filled_by(found)
        for parameter, argument in () if constructor is None else pair_arguments(constructor, call):
            if parameter in filled:
                yield from _place(argument, call, bindings)
        if isinstance(found.node, cst.ClassDef) and _hooks_in(found.node):
            yield from _places_of_result(call, bindings)


def _filled_by(found: Definition) -> tuple[cst.FunctionDef | None, set[str]]:
    """The function that a call runs, and which of its parameters a model's run changes."""
    if isinstance(found.node, cst.FunctionDef):
        changed = EffectsReader(found.file.bindings, found.node).of(found.node.body).mutates
        return found.node, changed if _hooks_in(found.node) else set()
    classes = found.file.modules.classes
    constructor = classes.inherited(found.node, _CONSTRUCTOR)
    run_by_a_model = found.node in found.file.module_classes or _hooks_in(found.node)
    if constructor is None or not run_by_a_model:
        return None, set()
    changed = {
        place.partition(".")[2]
        for home in classes.family(found.node)
        for method in home.body.body
        if isinstance(method, cst.FunctionDef) and method.name.value != _CONSTRUCTOR
        for place in EffectsReader(found.file.bindings, method).of(method.body).mutates
        if place.startswith("self.")
    }
    return constructor, {name for kept, name in _kept(constructor) if kept in changed}


def _kept(constructor: cst.FunctionDef) -> Iterator[tuple[str, str]]:
    """Attributes with the parameters that the constructor sets them to, as they are."""
    for line in constructor.body.body:
        for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            value = node.value if isinstance(node, cst.Assign) else None
            if isinstance(node, cst.Assign) and isinstance(value, cst.Name):
                for target in node.targets:
                    if isinstance(target.target, cst.Attribute):
                        yield target.target.attr.value, value.value


def _hooks_in(node: cst.CSTNode) -> bool:
    return any(map(registers_a_hook, calls_in(node)))


def _place(node: cst.CSTNode, call: cst.Call, bindings: Bindings) -> Iterator[str]:
    place = place_of(node, instance_name(bindings.tree.enclosing(call), bindings))
    if place is not None:
        yield place


def _places_of_result(call: cst.Call, bindings: Bindings) -> Iterator[str]:
    """`tap = FeatureTap(layer)`, `taps = [FeatureTap(layer) for layer in layers]`."""
    node = bindings.tree.unit_of(call).node
    for target in node.targets if isinstance(node, cst.Assign) else ():
        yield from _place(target.target, call, bindings)
