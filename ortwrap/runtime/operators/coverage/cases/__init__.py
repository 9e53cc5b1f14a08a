"""Every case, by family, in both precisions."""

from __future__ import annotations

from ..case import Case, in_both_precisions
from . import (
    activations,
    assignments,
    attention,
    casts,
    compositions,
    convolution,
    distances,
    elementwise,
    embedding,
    gradient_stops,
    layout,
    losses,
    models,
    normalization,
    open_rows,
    pooling,
    products,
    random,
    rarer,
    recurrent,
    reductions,
    resizing,
    truths,
)

FAMILIES = (
    normalization,
    losses,
    compositions,
    gradient_stops,
    attention,
    casts,
    activations,
    convolution,
    pooling,
    resizing,
    recurrent,
    embedding,
    random,
    reductions,
    elementwise,
    layout,
    assignments,
    open_rows,
    truths,
    products,
    distances,
    rarer,
    models,
)

CASES: dict[str, tuple[Case, ...]] = {
    family.__name__.rsplit(".", 1)[1]: tuple(in_both_precisions(family.CASES))
    for family in FAMILIES
}
