"""What attention layers need of the exporter: known ranks, masks that are only data, dropout."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.modules import transformer

from .arguments import constant_of, is_none
from .double import is_double
from .exporter import dtype_of, dtype_to_onnx
from .paths import is_floating, scalar_type, traced_sizes
from .random import dropped
from .registry import Symbolic, as_graph, call_torch, surrounded
from .stand_ins import StandIn


def _unflatten(g: Any, input: Any, dim: Any, sizes: Any) -> Any:
    """unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)

    The exporter's own form hides the number of dimensions from ONNX Runtime's shape inference,
    which then gives up on every attention layer.
    """

    def number(value: int) -> Any:
        return g.op("Constant", value_t=torch.tensor([value]))

    axis = int(constant_of(dim)) % input.type().dim()
    shape = g.op("Shape", input)
    parts = [sizes_as_tensor(g, sizes)]
    if axis > 0:
        parts.insert(0, g.op("Slice", shape, number(0), number(axis)))
    if axis + 1 < input.type().dim():
        parts.append(g.op("Slice", shape, number(axis + 1), number(2**62)))
    return g.op("Reshape", input, g.op("Concat", *parts, axis_i=0))


def sizes_as_tensor(g: Any, sizes: Any) -> Any:
    """A list of sizes, constant or not, as a tensor of the graph."""
    import torch
    from torch.onnx import symbolic_helper

    constant = constant_of(sizes)
    if constant is not None:
        return g.op("Constant", value_t=torch.tensor(constant))
    return g.op(
        "Concat",
        *(
            symbolic_helper._unsqueeze_helper(g, size, [0])
            if not isinstance(constant_of(size), list)
            else size
            for size in symbolic_helper._unpack_list(sizes)
        ),
        axis_i=0,
    )


def _shares_keys(g: Any, query: Any, key: Any, value: Any, *options: Any) -> bool:
    """scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask,
    float dropout_p, bool is_causal, *, float? scale, bool enable_gqa) -> Tensor: several heads of
    the query may have one of the key, which the exporter knows nothing of."""
    return len(options) > 4 and bool(constant_of(options[4]))


def _is_torchs(g: Any, *arguments: Any) -> bool:
    """Whether it stays a call of torch."""
    return _shares_keys(g, *arguments) or is_double(g, *arguments) or _has_another_mask(g)


def _has_another_mask(g: Any) -> bool:
    """Whether the mask is of floats of another precision than the query."""
    query, _, _, mask, *_ = g.original_node.inputs()
    return is_floating(mask) and scalar_type(mask) != scalar_type(query)


def _attention(g: Any, query: Any, key: Any, value: Any, mask: Any, *options: Any) -> Any:
    """As torch, with a mask of the query's precision.

    torch's kernel reads another one as if it were. A layer that finds its mask to be causal never
    hands it over; here it does, see `_is_said_to_be_causal`.
    """
    if _has_another_mask(g):
        traced = next(g.original_node.inputs())
        mask = g.op("Cast", mask, to_i=dtype_to_onnx(dtype_of(traced)))
    draws = _drops(g, query, key, value, mask, *options)
    return call_torch("inputs", draws, None, g, query, key, value, mask, *options)


def _drops(g: Any, query: Any, key: Any, value: Any, *options: Any) -> bool:
    return len(options) > 1 and constant_of(options[1]) != 0.0


def _dropping_attention(
    otherwise: Symbolic, g: Any, query: Any, key: Any, value: Any, *options: Any
) -> Any:
    """As the exporter has it, but for what is dropped: that torch draws.

    A GPU draws inside of one kernel for all of it, which stays a call of torch.
    """
    sizes, p = _sizes_of_weights(g), constant_of(options[1])
    if sizes is None or p is None:
        return call_torch("inputs outputs", True, None, g, query, key, value, *options)
    exported = otherwise(g, query, key, value, *options)
    attended, *seen = _factors(exported)
    weights, values = attended.node().inputs()
    assert weights.node().kind() == "onnx::Dropout", "the exporter drops elements of the weights"
    whole = next(weights.node().inputs())
    left = dropped(g, whole, p, dtype_of(query), sizes)
    result = g.op("MatMul", left, values)
    for rows in seen:
        result = g.op("Mul", result, rows)
    result.setType(exported.type())
    return result


def _factors(exported: Any) -> tuple[Any, ...]:
    """The product of weights and values, and what `_masked_attention` multiplies it with."""
    return tuple(exported.node().inputs()) if exported.node().kind() == "onnx::Mul" else (exported,)


def _sizes_of_weights(g: Any) -> tuple[int, ...] | None:
    """The sizes that the weights of the attention had in the trace, None if that is not known."""
    query, key, *_ = g.original_node.inputs()
    sizes, others = traced_sizes(query), traced_sizes(key)
    on_cpu = query.type().device() == torch.device("cpu")
    if not on_cpu or not sizes or not others or sizes[:-2] != others[:-2]:
        return None
    return (*sizes[:-1], others[-2])


def _has_a_mask(g: Any, query: Any, key: Any, value: Any, *options: Any) -> bool:
    """Whether a row of the mask may leave nothing to attend to: torch gives zeros for it, and since
    2.5 whatever kernel it takes."""
    return bool(options) and not is_none(options[0]) and hasattr(torch.ops.aten, "_safe_softmax")


def _masked_attention(
    otherwise: Symbolic, g: Any, query: Any, key: Any, value: Any, mask: Any, *options: Any
) -> Any:
    """As the exporter has it, with nothing for rows whose mask leaves nothing.

    Softmax makes of such a row what is no number, and so are the gradients of all others then.
    """
    seen, mask = _mask_of_all_rows(g, mask, dtype_to_onnx(dtype_of(query)))
    return g.op("Mul", otherwise(g, query, key, value, mask, *options), seen)


def _mask_of_all_rows(g: Any, mask: Any, kind: int) -> tuple[Any, Any]:
    """For each row of the mask 1, or 0 if it leaves nothing; and the mask with all of these left.

    Args:
        g: the exporter's graph context.
        mask: of truth values, or of floats that are added.
        kind: ONNX's number of the dtype of what the rows are multiplied with.
    """
    if scalar_type(mask) == "Bool":
        seen = g.op("ReduceMax", g.op("Cast", mask, to_i=kind), axes_i=[-1])
        dropped = g.op("Equal", seen, g.op("Constant", value_t=torch.tensor(0.0)))
        return seen, g.op("Or", mask, dropped)
    lowest = g.op("Constant", value_t=torch.tensor(float("-inf")))
    dropped = g.op("Equal", g.op("ReduceMax", mask, axes_i=[-1]), lowest)
    nothing = g.op("Constant", value_t=torch.tensor(0.0))
    seen = g.op("Cast", g.op("Not", dropped), to_i=kind)
    return seen, g.op("Where", dropped, nothing, mask)


def _is_said_to_be_causal(mask: Any, is_causal: bool | None = None, size: Any = None) -> bool:
    """Stands in for `_detect_is_causal_mask`, which looks into the mask for a faster kernel.

    The mask is applied either way, and the next one may be another.
    """
    return is_causal is True


OPERATORS = (
    *as_graph("unflatten", _unflatten),
    *surrounded("scaled_dot_product_attention", _masked_attention, when=_has_a_mask),
    *surrounded("scaled_dot_product_attention", _dropping_attention, when=_drops),
    *as_graph("scaled_dot_product_attention", _attention, when=_is_torchs),
)

STAND_INS = (StandIn(transformer, "_detect_is_causal_mask", _is_said_to_be_causal),)
