"""Lists and dicts: what makes one, and what a loop over one of modules gives a name to."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

Paired = Iterator[tuple[cst.CSTNode, cst.BaseExpression, bool]]


def makes_container(value: cst.BaseExpression, bindings: Bindings) -> bool:
    """`{}`, `[first]`, `OrderedDict()`: a list or dict that is new, for others to fill."""
    if isinstance(value, cst.Call) and not value.args:
        builtins = ("dict", "list")
        named = any(_is_builtin(value, name, bindings) for name in builtins)
        return named or bindings.qualified(value.func) == "collections.OrderedDict"
    return isinstance(value, (cst.Dict, cst.List))


def members(value: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The expressions that a list, dict or comprehension is written out with."""
    if isinstance(value, (cst.List, cst.Tuple)):
        return [element.value for element in value.elements]
    if isinstance(value, (cst.ListComp, cst.GeneratorExp)):
        return [value.elt]
    if isinstance(value, cst.Dict):
        plain = all(isinstance(element, cst.DictElement) for element in value.elements)
        return [element.value for element in value.elements] if plain else []
    return [value.value] if isinstance(value, cst.DictComp) else []


def loop_pairs(target: cst.CSTNode, iterable: cst.BaseExpression, bindings: Bindings) -> Paired:
    """Loop variables, each with the container that it runs over, and whether over its values.

    `for i, (model, optimizer) in enumerate(zip(models, optimizers))` gives `model` with `models`.
    Of a dict, `.values()` and `.items()` give the values, and the plain loop its keys.
    """
    names = [item.value for item in target.elements] if isinstance(target, cst.Tuple) else []
    if isinstance(target, cst.Name):
        yield from _values(target, iterable)
    elif isinstance(iterable, cst.Call):
        arguments = [argument.value for argument in iterable.args]
        if _is_builtin(iterable, "enumerate", bindings) and len(names) == 2 and arguments:
            yield from loop_pairs(names[1], arguments[0], bindings)
        elif _is_builtin(iterable, "zip", bindings) and len(names) == len(arguments):
            for name, argument in zip(names, arguments):
                yield from loop_pairs(name, argument, bindings)
        elif _method(iterable) == "items" and len(names) == 2:
            yield names[1], _owner(iterable), True


def _values(target: cst.Name, iterable: cst.BaseExpression) -> Paired:
    if not isinstance(iterable, cst.Call):
        yield target, iterable, False
    elif _method(iterable) == "values":
        yield target, _owner(iterable), True


def _method(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) and not call.args else ""


def _owner(call: cst.Call) -> cst.BaseExpression:
    return cst.ensure_type(call.func, cst.Attribute).value


def _is_builtin(call: cst.Call, name: str, bindings: Bindings) -> bool:
    func = call.func
    named = isinstance(func, cst.Name) and func.value == name
    return named and bindings.resolve(cst.ensure_type(func, cst.Name)) is None
