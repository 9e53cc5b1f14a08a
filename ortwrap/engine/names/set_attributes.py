"""Statements and calls that may give an attribute of an object another value, by whatever name."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import last_name

_READS = frozenset("get keys values items copy".split())


def may_set(attribute: str, owner: str, bindings: Bindings) -> Iterator[cst.CSTNode]:
    """What may set an attribute of the object that a name of the module stands for.

    Args:
        attribute: its name.
        owner: the name of the object, which functions may know by other names.
        bindings: the names of the file.
    """
    for target in _targets(bindings):
        if isinstance(target, cst.Attribute) and target.attr.value == attribute:
            if not _belongs_to_a_new_object(target, bindings):
                yield target
        elif isinstance(target, cst.Subscript) and _is_all_attributes(target.value, bindings):
            yield target
    for call in bindings.tree.calls:
        if _sets_by_text(call, attribute, bindings) or _may_change_whole(call, owner, bindings):
            yield call


def _targets(bindings: Bindings) -> Iterator[cst.CSTNode]:
    """Everything that is assigned to, looped into or deleted."""
    statements = (unit.node for unit in bindings.tree.units.values())
    bound: list[cst.CSTNode] = []
    for node in statements:
        if isinstance(node, cst.Assign):
            bound += [each.target for each in node.targets]
        elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For, cst.Del)):
            bound.append(node.target)
        elif isinstance(node, cst.With):
            bound += [item.asname.name for item in node.items if item.asname is not None]
    while bound:
        target = bound.pop()
        if isinstance(target, (cst.Tuple, cst.List)):
            bound += [element.value for element in target.elements]
        elif isinstance(target, cst.StarredElement):
            bound.append(target.value)
        else:
            yield target


def _belongs_to_a_new_object(target: cst.Attribute, bindings: Bindings) -> bool:
    """`self.weight = weight` in a constructor."""
    function = bindings.tree.enclosing(target)
    constructs = isinstance(function, cst.FunctionDef) and function.name.value == "__init__"
    return constructs and _is_first_parameter(target.value, function)


def _is_first_parameter(node: cst.CSTNode, function: cst.CSTNode) -> bool:
    if not isinstance(function, cst.FunctionDef) or not isinstance(node, cst.Name):
        return False
    return bool(function.params.params) and function.params.params[0].name.value == node.value


def _is_own_instance(node: cst.CSTNode, bindings: Bindings) -> bool:
    """`self` in a method."""
    function = bindings.tree.enclosing(node)
    method = isinstance(function, cst.FunctionDef) and bindings.tree.enclosing_class(function)
    return bool(method) and _is_first_parameter(node, function)


def _is_all_attributes(node: cst.CSTNode, bindings: Bindings) -> bool:
    """`vars(x)`, `x.__dict__`, but that of a method's own instance."""
    if isinstance(node, cst.Call):
        return last_name(node.func) == "vars" and bool(node.args)
    if not isinstance(node, cst.Attribute) or node.attr.value != "__dict__":
        return False
    return not _is_own_instance(node.value, bindings)


def _sets_by_text(call: cst.Call, attribute: str, bindings: Bindings) -> bool:
    """`setattr(x, name, value)` with a name that may be this one, but for a method's instance."""
    if last_name(call.func) not in ("setattr", "delattr", "__setattr__") or len(call.args) < 2:
        return False
    name = call.args[-2 if last_name(call.func) != "delattr" else -1].value
    if isinstance(name, cst.SimpleString):
        return name.evaluated_value == attribute
    return not _is_own_instance(call.args[0].value, bindings)


def _may_change_whole(call: cst.Call, owner: str, bindings: Bindings) -> bool:
    """`args.update(...)`, `vars(args).update(...)`, `parser.parse_args(rest, args)`."""
    func = call.func
    if any(item.keyword is not None and item.keyword.value == "namespace" for item in call.args):
        return True
    if last_name(func) == "parse_args" and len(call.args) > 1:
        return True
    if not isinstance(func, cst.Attribute) or func.attr.value in _READS:
        return False
    named = isinstance(func.value, cst.Name) and func.value.value == owner
    return named or _is_all_attributes(func.value, bindings)
