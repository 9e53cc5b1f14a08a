"""A step in a function that another one defines: its wrapper is made where that one is.

for epoch in range(epochs):
    def closure():           # runs many times in one step of LBFGS
        ...
    optimizer.step(closure)
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.effects.liveness import surely_bound
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Binding, Bindings, Scope
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.writing.deletions import targets_of


def definition_behind(
    function: cst.CSTNode, places: Iterable[str], tree: SourceTree, bindings: Bindings
) -> Unit | None:
    """The `def` of a function that will find the same objects in some places as code above it.

    Args:
        function: what holds a step.
        places: names in it.
        tree: the script.
        bindings: its names.
    """
    unit = tree.units.get(function)
    if not isinstance(function, cst.FunctionDef) or unit is None or function.decorators:
        return None
    if tree.enclosing_class(function) is not None:
        return None
    uses = _uses(function, tree, bindings)
    runs_here = _are_all_below(uses, function, tree)
    is_at_top = unit.block.owner is tree.module
    if is_at_top and not (runs_here and any(_is_given_to_step(use, tree) for use in uses)):
        return None
    scope = bindings.scope(function)
    stay = all(_stays(scope, place, unit, runs_here, tree, bindings) for place in places)
    return unit if stay else None


def _uses(function: cst.FunctionDef, tree: SourceTree, bindings: Bindings) -> list[cst.Name]:
    name = function.name.value
    same = (use for use in tree.names if use.value == name and use is not function.name)
    return [use for use in same if function in {bound.node for bound in bindings.lookup(use)}]


def _are_all_below(uses: list[cst.Name], function: cst.FunctionDef, tree: SourceTree) -> bool:
    """Behind its definition the function is called or is an optimizer's closure, no more."""
    end, around = tree.span(function).end, tree.enclosing(function)
    return all(
        tree.span(use).start >= end
        and tree.enclosing(use) is around
        and (_is_called(use, tree) or _is_given_to_step(use, tree))
        for use in uses
    )


def _is_called(use: cst.Name, tree: SourceTree) -> bool:
    parent = tree.parents.get(use)
    return isinstance(parent, cst.Call) and parent.func is use


def _is_given_to_step(use: cst.Name, tree: SourceTree) -> bool:
    """`optimizer.step(closure)`."""
    argument = tree.parents.get(use)
    call = tree.parents.get(argument) if isinstance(argument, cst.Arg) else None
    func = call.func if isinstance(call, cst.Call) else None
    return isinstance(func, cst.Attribute) and func.attr.value == "step"


def _stays(
    scope: Scope, place: str, unit: Unit, runs_here: bool, tree: SourceTree, bindings: Bindings
) -> bool:
    """A name that the function does not bind means one object until the function has run."""
    if "." in place:
        # What other methods make of it is asked where the function around is looked through.
        root = place.split(".")[0]
        return runs_here and _stays(scope, root, unit, runs_here, tree, bindings)
    owner = scope.owner(place)
    if owner is None or owner is scope or isinstance(owner.node, cst.ClassDef):
        return False
    bound = owner.names[place]
    if any(_home(binding, tree) is not owner.node for binding in bound):
        # Some function binds it by `global` or `nonlocal`.
        return False
    if any(isinstance(node, cst.Del) and _deletes(node, place) for node in tree.units):
        # Its memory is freed there, which a wrapper would hold.
        return False
    around = tree.enclosing(unit.node)
    if owner.node is not around:
        return runs_here or (len(bound) == 1 and bound[0].kind == "parameter")
    start = tree.span(unit.node).start
    above = all(each.kind == "parameter" or tree.span(each.node).start < start for each in bound)
    once = len(bound) == 1 and not tree.is_in_a_loop(bound[0].node)
    known = above and place in surely_bound(unit, tree, EffectsReader(bindings, around))
    return known and (once or runs_here)


def _home(binding: Binding, tree: SourceTree) -> cst.CSTNode:
    """The function or module whose running binds the name."""
    return tree.enclosing(binding.node)


def _deletes(node: cst.Del, name: str) -> bool:
    return any(isinstance(each, cst.Name) and each.value == name for each in targets_of(node))
