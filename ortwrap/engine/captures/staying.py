"""Functions and methods over inputs that forward cannot run: they run before the call, as ever."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.captures.converters import converts_data
from ortwrap.engine.captures.randomness import moves_a_generator
from ortwrap.engine.evidence.plain_objects import ObjectMethod
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import calls_in

_ARITHMETIC = frozenset("float int min max abs round pow divmod".split())
_TAKES_VALUES = ("OW301", "OW304", "OW305")


def has_to_stay(function: cst.FunctionDef, name: str, helpers: Helpers, bindings: Bindings) -> bool:
    """`one_hot(labels)`, which takes values out of what it is given, or makes a tensor of it.

    Where forward can run a function it does; the draws of one that draws keep their order.

    Args:
        function: what is called.
        name: what it is called by.
        helpers: the functions of its file.
        bindings: the names of its file.
    """
    draws = any(moves_a_generator(call.func, bindings) for call in calls_in(function.body))
    if draws or helpers.held_modules(function):
        return False
    try:
        helpers.check(function, name)
    except Refuse as refusal:
        return refusal.page.code in _TAKES_VALUES
    return converts_data(function, bindings)


def stays_with_its_object(method: ObjectMethod | None, name: str, helpers: Helpers) -> bool:
    """`memory.sample(16)` of a replay buffer, which reads what the object has at each step.

    Args:
        method: what is called, if it is a method of a plain object.
        name: what it is called by.
        helpers: the functions of the script.
    """
    if method is None:
        return False
    file, function = method.home.file, method.function
    there = helpers if file is None else file.helpers
    if there.held_modules(function):
        return False
    try:
        there.check(function, name)
    except Refuse as refusal:
        return refusal.page.code in (*_TAKES_VALUES, "OW107")
    return has_to_stay(function, name, there, method.home.bindings)


def is_arithmetic(function: cst.FunctionDef | None, bindings: Bindings) -> bool:
    """`kl_weight(step)` of this file, which computes with Python numbers alone."""
    if function is None:
        return False
    calls = list(calls_in(function.body))
    return bool(calls) and all(
        (bindings.qualified(call.func) or "").startswith("math.")
        or (isinstance(call.func, cst.Name) and call.func.value in _ARITHMETIC)
        for call in calls
    )
