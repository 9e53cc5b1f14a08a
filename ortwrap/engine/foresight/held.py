"""The classes of the modules that a name or an attribute holds.

Names are followed through assignments, arguments, loops, and functions that return what they made,
in the script and in the files that it imports.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.stateless import CONTAINERS
from ortwrap.engine.evidence.kinds import SAME_OBJECT, WRAPPERS
from ortwrap.engine.foresight.code import Code, Source
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.names.made_elsewhere import returned
from ortwrap.engine.text.nodes import calls_in, descendants

# Each is a way that a script may go, and has the classes of all modules that it runs there.
Held = list[list[Ancestor]]

_LONGEST = 8
_CONTAINERS = frozenset(f"torch.nn.{kind}" for kind in CONTAINERS)


def held(node: cst.BaseExpression, code: Code) -> Held:
    """What a name or attribute holds in a function; nothing where one way is unknown."""
    own = code.lineage
    if own is not None and isinstance(node, cst.Attribute) and code.is_instance(node.value):
        return _together(_of_attribute(node.attr.value, own, code.source))
    if isinstance(node, cst.Subscript):
        return held(node.value, code)
    looped = _looped_over(node, code.source)
    if looped is not None:
        inside = (each for each in descendants(looped) if isinstance(each, cst.Attribute))
        first = next(inside, None)
        return [] if first is None else held(first, code)
    return _of_values(code.source.values(node), code.source, _LONGEST)


def definition(
    func: cst.BaseExpression, source: Source
) -> tuple[cst.ClassDef | cst.FunctionDef, Source] | None:
    """The class or function that an expression names, and its file."""
    here = source.bindings.definition(func)
    if isinstance(here, (cst.ClassDef, cst.FunctionDef)):
        return here, source
    there = defined_elsewhere(func, source.bindings)
    return None if there is None else (there.node, source.beside(there.file.bindings, there.file))


def _of_attribute(name: str, lineage: Lineage, source: Source) -> Iterator[Held]:
    """For each value that some class of a line gives an attribute."""
    for member in lineage.members:
        tree = member.bindings.tree
        for value in member.bindings.attribute_values.get(name, ()):
            if tree.enclosing_class(tree.enclosing(value)) is member.node:
                yield _of_value(value, source.beside(member.bindings, member.file), _LONGEST)


def _of_values(values: list[cst.BaseExpression], source: Source, longest: int) -> Held:
    return _together(_of_value(value, source, longest) for value in values)


def _together(all_ways: Iterator[Held]) -> Held:
    """All ways of several values, or none if one of them is unknown."""
    found: Held = []
    for ways in all_ways:
        if not ways:
            return []
        found += ways
    return found


def _of_value(value: cst.BaseExpression, source: Source, longest: int) -> Held:
    if longest <= 0:
        return []
    if isinstance(value, cst.IfExp):
        return _of_values([value.body, value.orelse], source, longest - 1)
    if isinstance(value, (cst.Name, cst.Attribute)):
        return _of_values(source.values(value), source, longest - 1)
    if not isinstance(value, cst.Call):
        return []
    found = definition(value.func, source)
    if found is not None:
        return _given_by(*found, longest)
    given = [argument.value for argument in value.args]
    qualified = source.bindings.qualified(value.func)
    if qualified in _CONTAINERS:
        return _of_container(value, source)
    if qualified in WRAPPERS and given:
        return _of_value(given[0], source, longest - 1)
    if not isinstance(value.func, cst.Attribute):
        return []
    owner = definition(value.func.value, source)
    if owner is not None and isinstance(owner[0], cst.ClassDef):
        return _given_by(*owner, longest)  # Net.from_pretrained(...)
    itself = value.func.attr.value in SAME_OBJECT
    return _of_value(value.func.value, source, longest - 1) if itself else []


def _given_by(node: cst.ClassDef | cst.FunctionDef, source: Source, longest: int) -> Held:
    if isinstance(node, cst.ClassDef):
        return [[Ancestor(node, source.bindings, source.file)]]
    return _of_values(list(returned(node)), source, longest - 1)


def _of_container(value: cst.Call, source: Source) -> Held:
    """The classes of everything that is made in `nn.Sequential(...)`."""
    found = [definition(call.func, source) for call in calls_in(value)]
    made = [
        Ancestor(node, its.bindings, its.file)
        for node, its in filter(None, found)
        if isinstance(node, cst.ClassDef)
    ]
    return [made] if made else []


def _looped_over(node: cst.BaseExpression, source: Source) -> cst.BaseExpression | None:
    """`self.layers`, for the `layer` of `for layer in self.layers`."""
    bound = source.bindings.lookup(node) if isinstance(node, cst.Name) else []
    inner: cst.CSTNode | None = bound[0].node if len(bound) == 1 else None
    while isinstance(inner, (cst.Name, cst.Tuple, cst.Element, cst.List)):
        inner = source.bindings.tree.parents.get(inner)
    return inner.iter if isinstance(inner, (cst.For, cst.CompFor)) else None
