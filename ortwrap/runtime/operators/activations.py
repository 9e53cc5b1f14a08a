"""Activations whose gradient ONNX Runtime lacks, and the sigmoid, which it rounds otherwise.

Near 1 its sigmoid is a digit or two off. The logarithm of what is left to 1, in a binary cross
entropy, makes steps of a hundred out of that. The exporter takes the logarithm of a sigmoid for one
of the other: of -20 that is infinite, and its gradient not a number. silu and glu multiply with a
sigmoid, which near -17 has no digit right. No gradient goes through relu6 at its two bounds, where
that of Clip does. gelu it writes as a chain of sums and products, which ONNX Runtime finds again
behind some layers and not behind others, and never that of the approximation: a dozen passes over
its elements.
"""

from __future__ import annotations

from typing import Any

from .arguments import constant_of
from .paths import scalar_type
from .registry import as_graph, as_torch


def _is_exact_in_float(g: Any, input: Any, *approximate: Any) -> bool:
    """gelu(Tensor self, *, str approximate="none")"""
    return scalar_type(input) == "Float" and not _is_approximate(g, input, *approximate)


def _is_approximate(g: Any, input: Any, *approximate: Any) -> bool:
    """gelu(Tensor self, *, str approximate="none")"""
    return bool(approximate) and constant_of(approximate[0]) == "tanh"


def _gelu(g: Any, input: Any, *_: Any) -> Any:
    return g.op("com.microsoft::Gelu", input).setType(input.type())


OPERATORS = (
    *as_torch(
        "elu celu selu softplus mish hardswish hardsigmoid prelu relu6 sigmoid log_sigmoid silu glu"
    ),
    *as_graph("gelu", _gelu, when=_is_exact_in_float),
    *as_torch("gelu", when=_is_approximate, keeps="inputs"),
)
