"""Attributes of an instance that what a step calls reads: do they stay as long as steps run?"""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Bindings

_BUILDS = frozenset(["__init__", "setup", "build"])


def changes_after_init(
    attribute: str,
    home: cst.ClassDef | None,
    bindings: Bindings,
    meanwhile: Collection[cst.FunctionDef] | None,
) -> bool:
    """Another method of a class than those that build it assigns an attribute.

    Args:
        attribute: its name.
        home: the class.
        bindings: names of the script.
        meanwhile: the functions that may run between two steps; None for all of them.
    """
    for function in bindings.tree.functions:
        if bindings.tree.enclosing_class(function) is not home:
            continue
        builds = function.name.value in _BUILDS
        if builds or (meanwhile is not None and function not in meanwhile):
            continue
        reader = EffectsReader(bindings, function)
        if f"{reader.instance}.{attribute}" in reader.of(function.body).changes:
            return True
    return False


def functions_run_by(function: cst.CSTNode, bindings: Bindings) -> frozenset[cst.FunctionDef]:
    """A function and what it may call by a name or of its own instance, all of this file."""
    named: dict[str, list[cst.FunctionDef]] = {}
    for each in bindings.tree.functions:
        named.setdefault(each.name.value, []).append(each)
    found: dict[cst.CSTNode, None] = {function: None}
    for known in (waiting := [function]):
        for place in EffectsReader(bindings, known).of(_body(known)).reads:
            mentioned = named.get(place.rpartition(".")[2], [])
            waiting += [each for each in mentioned if each not in found]
            found.update(dict.fromkeys(mentioned))
    return frozenset(each for each in found if isinstance(each, cst.FunctionDef))


def _body(function: cst.CSTNode) -> cst.CSTNode:
    return function.body if isinstance(function, cst.FunctionDef) else function
