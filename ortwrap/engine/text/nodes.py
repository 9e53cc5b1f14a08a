"""Walking LibCST nodes without their whitespace, which is most of a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache

import libcst as cst

_LAYOUT = frozenset(
    "lpar rpar lbracket rbracket lbrace rbrace leading_lines lines_after_decorators header footer "
    "trailing_whitespace comma semicolon equal dot colon indent operator star first_colon "
    "second_colon trailing_comma separator attr keyword".split()
)


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Fields of a node type that can hold code; names of attributes and keywords are none."""
    names = (field.name for field in fields(kind))
    defines = kind in (cst.FunctionDef, cst.ClassDef, cst.Param)
    return tuple(
        name
        for name in names
        if name not in _LAYOUT
        and not name.startswith("whitespace")
        and not (defines and name == "name")
    )


class _NodeTypes(dict[type, bool]):
    """Whether a type is one of nodes: they are abstract classes, whose `isinstance` is slow."""

    def __missing__(self, kind: type) -> bool:
        known = self[kind] = issubclass(kind, cst.CSTNode)
        return known


_is_node = _NodeTypes().__getitem__


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes of code directly inside `node`; LibCST's own property copies whitespace too."""
    found: list[cst.CSTNode] = []
    for name in _fields(type(node)):
        value = getattr(node, name)
        kind = type(value)
        if kind is list or kind is tuple:
            found.extend(item for item in value if _is_node(type(item)))
        elif _is_node(kind):
            found.append(value)
    return found


def descendants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """`node` and everything inside of it, outer nodes first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def calls_in(node: cst.CSTNode) -> Iterator[cst.Call]:
    """The calls in `node`, itself included, outer ones first."""
    return (inner for inner in descendants(node) if isinstance(inner, cst.Call))


def returns_of(function: cst.FunctionDef) -> list[cst.Return]:
    """The `return` statements of a function, not of those inside of it, in source order."""
    found: list[cst.Return] = []
    stack: list[cst.CSTNode] = [function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Return):
            found.append(node)
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.BaseExpression)):
            stack.extend(reversed(children(node)))
    return found


def called_name(call: cst.Call) -> str:
    """The last name of what is called; nothing where that has none."""
    return last_name(call.func)


def last_name(node: cst.CSTNode) -> str:
    """`step` in `self.optimizer.step`; nothing of what is no name."""
    name = node.attr if isinstance(node, cst.Attribute) else node
    return name.value if isinstance(name, cst.Name) else ""


def stored_names(node: cst.CSTNode) -> set[str]:
    """Names that a piece binds, attributes of the instance under their last name."""
    names: set[str] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        targets: list[cst.CSTNode] = []
        if isinstance(current, cst.Assign):
            targets = [target.target for target in current.targets]
        elif isinstance(current, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For)):
            targets = [current.target]
        elif isinstance(current, cst.AsName):
            targets = [current.name]
        while targets:
            target = targets.pop()
            if isinstance(target, (cst.Tuple, cst.List)):
                targets.extend(element.value for element in target.elements)
            elif isinstance(target, cst.Name):
                names.add(target.value)
            elif isinstance(target, cst.Attribute):
                names.add(target.attr.value)
        stack.extend(children(current))
    return names


def loaded_names(node: cst.CSTNode) -> list[str]:
    """Names in a statement in source order, but for attributes and keywords."""
    if isinstance(node, cst.Name):
        return [node.value]
    if isinstance(node, cst.Attribute):
        return loaded_names(node.value)
    if isinstance(node, cst.Arg):
        return loaded_names(node.value)
    if isinstance(node, cst.AssignTarget) and _binds_names_alone(node.target):
        return []
    return [name for child in children(node) for name in loaded_names(child)]


def _binds_names_alone(target: cst.CSTNode) -> bool:
    """A name, or a tuple of names: `loss, _ = ...` reads none of them."""
    if isinstance(target, (cst.Tuple, cst.List)):
        return all(_binds_names_alone(element.value) for element in target.elements)
    return isinstance(target, cst.Name)
