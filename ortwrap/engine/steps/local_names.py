"""What forward calls what a slice binds: an attribute of the instance is a local there."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import children


def local_name(place: str, found: LossSlice) -> str:
    """The name of a place in forward; `self.fake` beside another `fake` is `self_fake`.

    Args:
        place: a name, or an attribute that the slice binds.
        found: the slice.
    """
    instance, dot, name = place.rpartition(".")
    if not dot:
        return place
    others = {other for piece in found.pieces for other in _names(piece.node, instance)}
    others = {found.name if found.inline else "", *others} - {place}
    local = name
    while local in others or f"{instance}.{local}" in others:
        local = f"{instance}_{name}" if local == name else f"{local}_"
    return local


def _names(node: cst.CSTNode, instance: str) -> Iterator[str]:
    """Names in a piece, and attributes of the instance with its name before them."""
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, cst.Attribute):
        if isinstance(node.value, cst.Name) and node.value.value == instance:
            yield f"{instance}.{node.attr.value}"
        else:
            yield from _names(node.value, instance)
    elif isinstance(node, cst.Arg):
        yield from _names(node.value, instance)
    else:
        for child in children(node):
            yield from _names(child, instance)
