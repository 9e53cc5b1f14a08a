"""Activations whose gradient ONNX Runtime lacks, and the sigmoid, which it rounds otherwise.

Near 1 its sigmoid is a digit or two off. The logarithm of what is left to 1, in a binary cross
entropy, makes steps of a hundred out of that. The exporter takes the logarithm of a sigmoid for one
of the other: of -20 that is infinite, and its gradient not a number. silu and glu multiply with a
sigmoid, which near -17 has no digit right. No gradient goes through relu6 at its two bounds, where
that of Clip does.
"""

from __future__ import annotations

from .registry import as_torch

OPERATORS = as_torch(
    "elu celu selu softplus mish hardswish hardsigmoid prelu relu6 sigmoid log_sigmoid silu glu"
)
