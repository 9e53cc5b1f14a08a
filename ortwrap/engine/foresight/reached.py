"""What the calls of a function run: the classes of its modules, their methods, and helpers."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.foresight.code import Code, Source
from ortwrap.engine.foresight.held import Held, definition, held
from ortwrap.engine.names.classes import RUN_BY_A_CALL
from ortwrap.engine.names.lineage import Ancestor, Lineage

# Each is a way that a call may go, and all of one run together.
Ways = list[list[Code]]


def run_by(call: cst.Call, code: Code) -> Ways:
    """What a call runs, as far as the project's files tell; nothing where one way is unknown."""
    found = definition(call.func, code.source)
    if found is not None:
        node, source = found
        return [[_function(node, source)]] if isinstance(node, cst.FunctionDef) else []
    func, own = call.func, code.lineage
    if own is not None and code.is_instance(func):
        return _methods([[own.members[0]]], RUN_BY_A_CALL, code.source)
    if own is not None and isinstance(func, cst.Attribute) and code.is_instance(func.value):
        methods = list(_named(own, (func.attr.value,), code.source))
        if methods:
            return [methods]
    ways = held(func, code)
    if ways or not isinstance(func, cst.Attribute):
        return _methods(ways, RUN_BY_A_CALL, code.source)
    return _methods(held(func.value, code), (func.attr.value,), code.source)


def _methods(ways: Held, names: tuple[str, ...], source: Source) -> Ways:
    return [
        [method for member in way for method in _named(Lineage(member), names, source)]
        for way in ways
    ]


def _named(lineage: Lineage, names: tuple[str, ...], source: Source) -> Iterator[Code]:
    for name in names:
        for member in lineage.members:
            method = member.method(name)
            if method is not None:
                yield _method(method, member, lineage, source)
                break


def _method(node: cst.FunctionDef, home: Ancestor, lineage: Lineage, source: Source) -> Code:
    params = node.params.params
    instance = params[0].name.value if params else ""
    theirs = source.beside(home.bindings, home.file)
    return Code(node.body.body, theirs, instance, lineage, node)


def _function(node: cst.FunctionDef, source: Source) -> Code:
    return Code(node.body.body, source, function=node)
