"""Every family of operators, in the order of registration."""

from __future__ import annotations

from . import (
    activations,
    convolution,
    distances,
    elementwise,
    embedding,
    gradient_stops,
    layout,
    losses,
    normalization,
    pooling,
    recurrent,
    reductions,
    resizing,
)

FAMILIES = (
    activations,
    convolution,
    distances,
    elementwise,
    embedding,
    gradient_stops,
    layout,
    losses,
    normalization,
    pooling,
    recurrent,
    reductions,
    resizing,
)
