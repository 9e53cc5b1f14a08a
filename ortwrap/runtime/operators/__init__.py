"""Operators of torch that ORTModule 1.19.2 cannot train, or trains wrongly.

One file per family, each a table of operators. Nothing installed is edited: symbolics, gradients
and shape rules are registered with the exporter and with ONNX Runtime.

    operators.register()            # once, after compat.apply(), before the first ORTModule
    with operators.tracing(...):    # around the forward that is traced
"""

from __future__ import annotations

import functools

from .tracing import tracing

__all__ = ["register", "tracing"]


@functools.lru_cache(maxsize=1)
def register() -> None:
    """Registers every operator, once."""
    from . import (
        fast_dropout,
        faster_kernels,
        gradient_stops,
        inference,
        registry,
        remaining,
        shapes,
    )
    from .families import FAMILIES

    inference.install()
    shapes.install()
    gradient_stops.register()
    faster_kernels.register()
    fast_dropout.register()
    for family in FAMILIES:
        registry.register(family.OPERATORS)
    registry.register(remaining.operators())
