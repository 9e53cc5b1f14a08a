"""Casts to the dtype that a tensor has already: `.float()` of what is float.

ONNX Runtime takes such a cast out of the graph of gradients again, and where a slice is cast that
no gradient flows to, it cannot: "Argument mismatch when removing edge".
"""

from __future__ import annotations

from typing import Any

from .arguments import constant_of
from .paths import scalar_type
from .registry import as_graph


def _changes_nothing(g: Any, exported: Any, *arguments: Any) -> bool:
    """to(Tensor self, ..., bool copy, MemoryFormat? memory_format), whichever the overload.

    The graph is asked too: the exporter may have made another dtype than the trace had. A copy
    stays: of a buffer it keeps what was there before the buffer is written to.
    """
    value, *_ = g.original_node.inputs()
    *_, copies, _ = arguments
    wanted = scalar_type(g.original_node.output())
    known = wanted is not None and scalar_type(value) == wanted == scalar_type(exported)
    return known and constant_of(copies) is False


def _itself(g: Any, tensor: Any, *_: Any) -> Any:
    return tensor


OPERATORS = as_graph("to", _itself, when=_changes_nothing)
