"""Every family of operators, in the order of registration."""

from __future__ import annotations

from . import (
    activations,
    asked_sizes,
    attention,
    casts,
    convolution,
    creation,
    cross_entropy,
    distances,
    distributions,
    double,
    elementwise,
    embedding,
    gradient_stops,
    layout,
    log_probabilities,
    losses,
    masked_losses,
    normalization,
    open_rows,
    pooling,
    products,
    random,
    recurrent,
    reductions,
    resizing,
    spectral,
)

FAMILIES = (
    activations,
    attention,
    casts,
    convolution,
    creation,
    distances,
    distributions,
    elementwise,
    embedding,
    gradient_stops,
    layout,
    losses,
    cross_entropy,
    log_probabilities,
    normalization,
    pooling,
    products,
    random,
    recurrent,
    reductions,
    resizing,
    spectral,
    # Where there may be no rows, and in double, it goes before what the others say.
    open_rows,
    double,
    # What these change are the arguments of all others.
    asked_sizes,
    masked_losses,
)

STAND_INS = (
    *attention.STAND_INS,
    *distributions.STAND_INS,
    *losses.STAND_INS,
    *normalization.STAND_INS,
    *pooling.STAND_INS,
    *recurrent.STAND_INS,
    *spectral.STAND_INS,
)
