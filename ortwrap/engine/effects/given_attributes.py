"""Calls of what an instance was given: `self.net(x)` reads no other attribute of the instance.

A call of `self.step` may, since a method knows its instance.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, instance_name
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants


def places_read(node: cst.CSTNode, reader: EffectsReader) -> set[str]:
    """The places that code reads, its instance only if more than what it was given is called."""
    reads = reader.of(node).reads
    instance, bindings = reader.instance, reader.bindings
    whole = instance is not None and any(
        not _calls_what_was_given(each, bindings) for each in reads.get(instance, ())
    )
    return {place for place in reads if place != instance or whole}


def _calls_what_was_given(instance: cst.CSTNode, bindings: Bindings) -> bool:
    """`self` of `self.net(x)`, where every class here sets its `net` to what knows no instance."""
    func = bindings.tree.parents[instance]
    called = bindings.tree.parents.get(func)
    if not isinstance(func, cst.Attribute) or not isinstance(called, cst.Call):
        return False
    name = func.attr.value
    values = bindings.attribute_values.get(name, [])
    method = name in bindings.tree.function_names
    known = called.func is func and bool(values) and not method
    return known and all(_knows_no_instance(value, bindings) for value in values)


def _knows_no_instance(value: cst.BaseExpression, bindings: Bindings) -> bool:
    """`net`, `nn.MSELoss()`, `Adam(self.net.parameters())`: but not `Timer(self.update)`."""
    tree = bindings.tree
    instance = instance_name(tree.enclosing(value), bindings)
    for node in descendants(value):
        if isinstance(node, cst.Lambda):
            return False
        if isinstance(node, cst.Name):
            parent = tree.parents[node]
            called = isinstance(parent, cst.Call) and parent.func is node
            whole = node.value == instance and not isinstance(parent, cst.Attribute)
            if whole or (node.value in tree.function_names and not called):
                return False
    return True
