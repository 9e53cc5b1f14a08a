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
