"""What other files make and keep: modules, and modules among other things."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.evidence.kinds import Evidence
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import Definition, defined_elsewhere, kept_by_file
from ortwrap.engine.names.lineage import Ancestor
from ortwrap.engine.text.nodes import children


def made_elsewhere(call: cst.Call, bindings: Bindings) -> Evidence | None:
    """What is known of the object that calling a class or function of another file gives."""
    found = _called(call.func, bindings)
    if found is None:
        return None
    name = bindings.tree.code(call.func)
    role = found.file.module_classes.get(found.node)
    if role is not None:
        return Evidence(role, f"is built from `{name}` in {found.file.shown}", 2)
    returned = [_of_value(value, found) for value in _returned(found)]
    return _agreed(returned, name, found)


def kept_elsewhere(expression: cst.CSTNode, bindings: Bindings) -> Evidence | None:
    """What is known of an object that another file keeps in a variable, such as `config.net`."""
    found = kept_by_file(expression, bindings)
    if found is None or found.file.is_being_read:
        return None
    known = found.file.modules.evidence(found.node)
    if known is None or known.strength == 0:
        return None
    reason = f"is `{found.node.value}` of {found.file.shown} ({known.reason})"
    return Evidence(known.role, reason, known.strength)


def parts_made_elsewhere(
    value: cst.BaseExpression, bindings: Bindings
) -> Iterator[Evidence | None]:
    """The same for each part of a tuple that a function of another file gives."""
    found = _called(value.func, bindings) if isinstance(value, cst.Call) else None
    if found is None or not isinstance(value, cst.Call):
        return
    rows = [each.elements if isinstance(each, cst.Tuple) else () for each in _returned(found)]
    if len({len(row) for row in rows}) == 1:
        for column in zip(*rows):
            parts = [_of_value(element.value, found) for element in column]
            yield _agreed(parts, bindings.tree.code(value.func), found)


def _called(func: cst.BaseExpression, bindings: Bindings) -> Definition | None:
    """`build(args)`, or `config.build()` where a parameter is declared to be a `Config`."""
    found = defined_elsewhere(func, bindings)
    if found is None and isinstance(func, cst.Attribute):
        made = _class_of(func.value, bindings)
        if made is not None and isinstance(made.node, cst.ClassDef):
            method = Ancestor(made.node, made.file.bindings, made.file).method(func.attr.value)
            found = Definition(method, made.file) if method is not None else None
    # Of a file that is being looked at because this one asks, nothing is known yet.
    return None if found is None or found.file.is_being_read else found


def _class_of(owner: cst.BaseExpression, bindings: Bindings) -> Definition | None:
    """The class that the annotation of a parameter names."""
    bound = bindings.lookup(owner) if isinstance(owner, cst.Name) else []
    parameter = bound[0].node if len(bound) == 1 else None
    if not isinstance(parameter, cst.Param) or parameter.annotation is None:
        return None
    return defined_elsewhere(parameter.annotation.annotation, bindings)


def returned(function: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    """What a function returns, on all of its paths that return something."""
    nodes: list[cst.CSTNode] = [function.body]
    while nodes:
        node = nodes.pop()
        if isinstance(node, cst.Return) and node.value is not None:
            yield node.value
        elif not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            nodes.extend(children(node))


def _returned(found: Definition) -> Iterator[cst.BaseExpression]:
    return returned(found.node) if isinstance(found.node, cst.FunctionDef) else iter(())


def _of_value(value: cst.BaseExpression, found: Definition) -> Evidence | None:
    return found.file.modules.of_value(value)


def _agreed(known: list[Evidence | None], name: str, found: Definition) -> Evidence | None:
    """What all paths return; nothing where they return different things."""
    roles = {None if each is None else each.role for each in known}
    role = roles.pop() if len(roles) == 1 else None
    if role is None:
        return None
    return Evidence(role, f"is what `{name}` in {found.file.shown} makes", 2)
