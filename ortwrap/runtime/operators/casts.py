"""Casts to the dtype that a tensor has already: `.float()` of what is float.

ONNX Runtime takes such a cast out of the graph of gradients again. Where a slice is cast that no
gradient flows to, or a copy that goes into a reduction, it cannot: "Argument mismatch when removing
edge".
"""

from __future__ import annotations

from typing import Any

import torch

from .arguments import Arguments, constant_of, trains_through
from .calls import Slot
from .paths import scalar_type, traced_sizes
from .registry import as_graph, torch_node


def _changes_nothing(g: Any, exported: Any, *arguments: Any) -> bool:
    """to(Tensor self, ..., bool copy, MemoryFormat? memory_format), whichever the overload."""
    *_, copies, _ = arguments
    return _keeps_dtype(g, exported) and constant_of(copies) is False


def _copies(g: Any, exported: Any, *arguments: Any) -> bool:
    """The same, where a copy is wanted: it stays what it is when a buffer is written to."""
    *_, copies, _ = arguments
    return _keeps_dtype(g, exported) and constant_of(copies) is True


def _keeps_dtype(g: Any, exported: Any) -> bool:
    """The graph is asked too: the exporter may have made another dtype than the trace had."""
    value, *_ = g.original_node.inputs()
    wanted = scalar_type(g.original_node.output())
    return wanted is not None and scalar_type(value) == wanted == scalar_type(exported)


def _itself(g: Any, tensor: Any, *_: Any) -> Any:
    return tensor


def _copy(g: Any, tensor: Any, *_: Any) -> Any:
    traced = next(g.original_node.inputs())
    arguments = Arguments(
        (Slot(0),),
        tensors=[tensor],
        trained=int(trains_through(traced, tensor, g.graph)),
        sizes=(traced_sizes(traced),),
    )
    return torch_node("", g, torch.clone, arguments)


OPERATORS = (
    *as_graph("to", _itself, when=_changes_nothing),
    *as_graph("to", _copy, when=_copies),
)
