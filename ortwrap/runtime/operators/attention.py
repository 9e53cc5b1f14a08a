"""What attention layers need of the exporter: known ranks, and masks that are only data."""

from __future__ import annotations

from typing import Any

from torch.nn.modules import transformer

from .arguments import constant_of, is_none
from .double import is_double
from .exporter import dtype_of, dtype_to_onnx
from .paths import is_floating, scalar_type
from .registry import Symbolic, as_graph, call_torch, surrounded
from .stand_ins import StandIn


def _unflatten(g: Any, input: Any, dim: Any, sizes: Any) -> Any:
    """unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)

    The exporter's own form hides the number of dimensions from ONNX Runtime's shape inference,
    which then gives up on every attention layer.
    """
    import torch

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
    return call_torch("inputs", False, None, g, query, key, value, mask, *options)


def _has_a_mask(g: Any, query: Any, key: Any, value: Any, *options: Any) -> bool:
    """Whether a row of the mask may leave nothing to attend to: torch gives zeros for it, and since
    2.5 whatever kernel it takes."""
    import torch

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
    import torch

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
    *as_graph("scaled_dot_product_attention", _attention, when=_is_torchs),
)

STAND_INS = (StandIn(transformer, "_detect_is_causal_mask", _is_said_to_be_causal),)
