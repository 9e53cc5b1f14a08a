"""Whether a function of another file may trade places with a run of the model.

It is looked through in its own file, as functions of the script are in theirs. What its arguments
are to the script is not known there, so that nothing done to them may matter; nor is it known which
code of the project changes a global of that file, so that the function may read no such global.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable, Union

import libcst as cst

from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import Definition, OtherFile
from ortwrap.engine.text.nodes import calls_in, descendants

if TYPE_CHECKING:
    from ortwrap.engine.names.helpers import Helpers

# Why one function of a file does harm, given which of its names something else may read.
Look = Callable[[OtherFile, cst.FunctionDef, frozenset[str]], Union[str, None]]


def why_harmful(function: cst.FunctionDef, file: OtherFile, look: Look) -> str | None:
    """Why calling a function elsewhere could make a difference; None if it cannot.

    Args:
        function: what is called.
        file: where it is defined.
        look: how its statements are judged.
    """
    for each in reached_from(function, file.helpers):
        if each.decorators or each.asynchronous is not None:
            return f"`{each.name.value}` is decorated"
        if any(isinstance(node, (cst.Yield, cst.Await)) for node in descendants(each.body)):
            return f"other code runs in `{each.name.value}`"
        changing = _changing_global(each, file.bindings)
        if changing is not None:
            return f"`{each.name.value}` reads `{changing}`, which changes"
    reader = EffectsReader(file.bindings, function)
    given = Aliases(reader, function).closure(_parameters(function, file.bindings))
    return look(file, function, frozenset({*given, *file.bindings.module.names}))


def changed_arguments(call: cst.Call, found: Definition) -> Iterator[cst.BaseExpression]:
    """The arguments that a function of another file surely changes."""
    if isinstance(found.node, cst.FunctionDef):
        changed = found.file.helpers.callees.changed_by(found.node, surely=True)
        for parameter, argument in pair_arguments(found.node, call):
            if parameter in changed:
                yield argument


def names_called_in(found: Definition) -> set[str]:
    """The full names of what a function of another file calls, of which some may draw numbers."""
    if not isinstance(found.node, cst.FunctionDef):
        return set()
    functions = reached_from(found.node, found.file.helpers)
    calls = (call for function in functions for call in calls_in(function.body))
    return set(filter(None, (found.file.bindings.qualified(call.func) for call in calls)))


def _parameters(function: cst.FunctionDef, bindings: Bindings) -> set[str]:
    names = bindings.scope(function).names
    return {name for name, bound in names.items() if any(b.kind == "parameter" for b in bound)}


def reached_from(function: cst.FunctionDef, helpers: Helpers) -> list[cst.FunctionDef]:
    """A function, and those of its file that it calls, directly or not."""
    found = [function]
    for each in found:
        for node in descendants(each.body):
            called = helpers.called(node.func) if isinstance(node, cst.Call) else None
            if called is not None and called not in found:
                found.append(called)
    return found


def _changing_global(function: cst.FunctionDef, bindings: Bindings) -> str | None:
    """A global that the function reads and that some code binds anew or changes in place."""
    reader = EffectsReader(bindings, function)
    for place, nodes in reader.of(function.body).reads.items():
        owner = bindings.resolve(nodes[0]) if isinstance(nodes[0], cst.Name) else None
        if owner is None or not owner.is_module:
            continue
        bound = owner.names[place]
        several = len(bound) > 1 or _is_changed(place, bindings)
        if several and any(binding.kind == "variable" for binding in bound):
            return place
    return None


def _is_changed(name: str, bindings: Bindings) -> bool:
    """Some function of the file declares a global its own, or changes it in place."""
    for function in bindings.tree.functions:
        scope = bindings.scope(function)
        own = name in scope.names and name not in scope.declared_global
        changes = EffectsReader(bindings, function).of(function.body).changes
        if not own and (name in scope.declared_global or name in changes):
            return True
    return False
