"""Attributes that every instance of a class has, from its classes or from their constructors.

An attribute counts as there only where nothing in the files of these classes deletes it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.statement import EffectsReader, place_of
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.lineage import Ancestor, Lineage, parent
from ortwrap.engine.text.nodes import descendants

# A constructor's methods may call others: a longer chain is followed no further.
_LONGEST_CHAIN = 4


def always_has(lineage: Lineage, attribute: str) -> bool:
    """A class of the line gives every instance this attribute, and none takes it away."""
    if any(member.deletes(attribute) for member in lineage.members):
        return False
    return bool(lineage.givers(attribute)) or any(
        _sets(attribute, init, member.bindings, lineage) for member, init in _constructors(lineage)
    )


def _constructors(lineage: Lineage) -> Iterator[tuple[Ancestor, cst.FunctionDef]]:
    """The `__init__` that surely run for every instance, by `super()` from one to the next.

    Of several bases only the first is sure to come next, and what comes behind it is not.
    """
    member: Ancestor | None = lineage.members[0]
    single = True
    while member is not None:
        bases = [parent(base.value, member) for base in member.node.bases]
        init = member.method("__init__")
        if init is not None:
            yield member, init
        stops = not single if init is None else not (single and _hands_on(init, member))
        if stops or (init is None and (member.gives("__init__") or len(bases) > 1)):
            return
        single = len(bases) == 1
        member = bases[0] if bases else None


def _sets(
    attribute: str,
    init: cst.FunctionDef,
    bindings: Bindings,
    lineage: Lineage,
    longest: int = _LONGEST_CHAIN,
) -> bool:
    """A constructor gives its instance an attribute, before anything can leave it.

    So does a method that it calls: `self.build_model()`.
    """
    reader = EffectsReader(bindings, init)
    for unit in bindings.tree.blocks(init)[0].units:
        if f"{reader.instance}.{attribute}" in surely_binds(unit, bindings.tree, reader):
            return True
        called = _called_on_itself(unit.node, reader.instance, lineage) if longest else None
        if called is not None and _sets(attribute, *called, lineage, longest - 1):
            return True
        if any(isinstance(inner, cst.Return) for inner in descendants(unit.node)):
            return False
    return False


def _called_on_itself(
    node: cst.CSTNode, instance: str | None, lineage: Lineage
) -> tuple[cst.FunctionDef, Bindings] | None:
    """The method that a statement runs on the instance, if every instance has the same."""
    call = node.value if isinstance(node, (cst.Expr, cst.Assign)) else None
    func = call.func if isinstance(call, cst.Call) else None
    if not isinstance(func, cst.Attribute) or place_of(func, instance) is None:
        return None
    name = func.attr.value
    member = lineage.definer(name)
    method = member.method(name) if member is not None else None
    if member is None or method is None or _may_be_another(name, lineage):
        return None
    return method, member.bindings


def _may_be_another(name: str, lineage: Lineage) -> bool:
    """A class that derives from the first one, in its file, has a method of its own."""
    first = lineage.members[0]
    return any(
        Ancestor(node, first.bindings, first.file).gives(name)
        for node in first.bindings.tree.classes
        if node is not first.node
        and any(
            member.node is first.node
            for member in Lineage(Ancestor(node, first.bindings, first.file)).members
        )
    )


def _hands_on(init: cst.FunctionDef, member: Ancestor) -> bool:
    """A constructor calls that of the next class, before anything can leave it."""
    for unit in member.bindings.tree.blocks(init)[0].units:
        call = unit.node.value if isinstance(unit.node, cst.Expr) else None
        func = call.func if isinstance(call, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value == "__init__":
            return _is_next(func.value, member)
        if any(isinstance(inner, cst.Return) for inner in descendants(unit.node)):
            return False
    return False


def _is_next(owner: cst.BaseExpression, member: Ancestor) -> bool:
    """`super()`, `super(Solver, self)`, or the only base by its name."""
    if isinstance(owner, cst.Call):
        func = owner.func
        named = isinstance(func, cst.Name) and func.value == "super"
        return named and member.bindings.resolve(cst.ensure_type(func, cst.Name)) is None
    bases = [base.value for base in member.node.bases]
    return len(bases) == 1 and bases[0].deep_equals(owner)
