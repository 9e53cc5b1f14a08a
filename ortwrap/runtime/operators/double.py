"""float64: what ONNX Runtime has no kernel for in double, or computes through float.

Its CPU kernels are made for float. In double many have no gradient kernel, and ReduceMean's
gradient divides by a float. Who trains in double wants its precision: torch computes, also where
the model goes through float on its way, as losses of transformers do.
"""

from __future__ import annotations

from typing import Any

from .arguments import is_list
from .paths import scalar_type, trains_in_double
from .registry import as_torch


def is_double(g: Any, *arguments: Any) -> bool:
    """Whether one of the first two arguments is a tensor of float64, or the model has such."""
    return trains_in_double(g.graph) or any(_type(one) == "Double" for one in arguments[:2])


def _is_taken_for_float(g: Any, *arguments: Any) -> bool:
    """Whether the first two arguments have no dimensions, one of them in float64, or are float.

    The exporter takes such a sum or product for one of Python numbers, and makes it float. In
    float, torch and ONNX Runtime add up gradients of what was broadcast in another order.
    """
    types = [_type(one) for one in arguments[:2]]
    if "Float" in types and "Double" not in types:
        return trains_in_double(g.graph)
    return "Double" in types and not any(
        type_ is not None and one.type().dim() != 0 for type_, one in zip(types, arguments)
    )


def _makes_double(g: Any, *_: Any) -> bool:
    """Without a dtype the exporter makes float, also where torch's default is another."""
    return scalar_type(g.original_node.output()) == "Double"


def _writes_to_double(g: Any, written: Any, *_: Any) -> bool:
    """Whether the first argument is of float64: masks are written to as in other models."""
    return _type(written) == "Double"


def _type(argument: Any) -> str | None:
    if hasattr(argument, "node") and is_list(argument):
        argument = next(argument.node().inputs())
    return scalar_type(argument) if hasattr(argument, "type") else None


OPERATORS = (
    *as_torch("add sub mul div rsub neg", when=_is_taken_for_float),
    *as_torch("zeros ones full eye empty", when=_makes_double),
    *as_torch("mean sum max min logsumexp norm std var", when=is_double),
    *as_torch("linear matmul mm bmm addmm baddbmm mv dot einsum", when=is_double, keeps="inputs"),
    *as_torch("relu leaky_relu hardtanh gelu silu glu", when=is_double),
    *as_torch("sigmoid tanh softmax log_softmax softshrink hardshrink", when=is_double),
    *as_torch("sin cos exp erf log sqrt reciprocal pow abs square", when=is_double),
    *as_torch("clamp clamp_min clamp_max maximum minimum where lerp addcmul", when=is_double),
    *as_torch("cat stack embedding avg_pool2d max_pool2d", when=is_double),
    *as_torch("scatter", when=_writes_to_double),
    *as_torch("cross_entropy_loss", when=is_double),
    *as_torch("_weight_norm", when=is_double),
    *as_torch("native_layer_norm layer_norm group_norm", when=is_double, keeps="inputs"),
)
