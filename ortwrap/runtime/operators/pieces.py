"""Cutting a tensor into pieces: by operators whose lists of pieces the exporter can unpack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..untraced import traced_value
from .pooling import lp_pool


def _tensor_split(
    input: Tensor, where: Any = None, dim: int = 0, *, sections: Any = None, indices: Any = None
) -> tuple[Tensor, ...]:
    """What `torch.tensor_split` returns, of numbers or of places given as Python numbers."""
    where = next(one for one in (where, sections, indices) if one is not None)
    ends = _ends(input.shape[dim], where) if isinstance(where, int) else list(where)
    before = [slice(None)] * (dim % input.dim())
    keys = [(*before, slice(*pair)) for pair in zip([0, *ends], [*ends, None])]
    return tuple([input[key] for key in keys])


def _ends(size: Any, sections: int) -> list[Any]:
    """Where all sections but the last end, of which the first ones are the larger."""
    least, larger = size // sections, size % sections
    least_of = min if isinstance(larger, int) else torch.clamp_max
    return [index * least + least_of(larger, index) for index in range(1, sections)]


def _split_along(axis: int) -> Callable[..., Any]:
    """`hsplit`, `vsplit` or `dsplit`."""

    def split(input: Tensor, where: Any) -> tuple[Tensor, ...]:
        return _tensor_split(input, where, 0 if input.dim() == 1 else axis)

    return split


def _chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """What `torch.chunk` returns, which may be fewer pieces than the exporter counts on."""
    longest = (input.shape[dim] + chunks - 1) // chunks
    with torch._C.DisableTorchFunction():
        given = -(-int(input.shape[dim]) // max(int(longest), 1))
    return torch.chunk(input, chunks, dim) if given == chunks else _split(input, longest, dim)


def _split(input: Tensor, size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """What `torch.split` returns, which makes a Python number of a size that is a tensor."""
    return torch._VF.split(input, size, dim)  # type: ignore[attr-defined,no-any-return]


def _is_size(value: Any) -> bool:
    """Whether it is a size of tensors, or made of such, and not of what a batch holds."""
    if not isinstance(value, Tensor) or value.dim():
        return False
    waiting = [traced_value(value)]
    while waiting:
        node = waiting.pop().node()
        if node.kind() == "prim::Param":
            return False
        if node.kind() != "aten::size":
            waiting.extend(node.inputs())
    return True


def _places(condition: Tensor) -> tuple[Tensor, ...]:
    """What `torch.where` returns of one argument."""
    return condition.nonzero(as_tuple=True)


IN_OTHER_WORDS: Mapping[Any, Callable[..., Any]] = {
    torch.chunk: _chunk,
    Tensor.chunk: _chunk,
    torch.tensor_split: _tensor_split,
    Tensor.tensor_split: _tensor_split,
    torch.hsplit: _split_along(1),
    Tensor.hsplit: _split_along(1),
    torch.vsplit: _split_along(0),
    Tensor.vsplit: _split_along(0),
    torch.dsplit: _split_along(2),
    Tensor.dsplit: _split_along(2),
    F.lp_pool1d: lp_pool(1),
    F.lp_pool2d: lp_pool(2),
    F.lp_pool3d: lp_pool(3),
}


def in_other_words(function: Any, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """What to call in the place of `function` while a model is traced: itself, if it exports."""
    if function is torch.where and len(args) == 1:
        return _places
    if function in (torch.split, Tensor.split) and len(args) > 1 and _is_size(args[1]):
        return _split
    # Places that are tensors would have to be read.
    where = next(iter((*args[1:], *keywords.values())), None)
    return IN_OTHER_WORDS.get(function, function) if not isinstance(where, Tensor) else function
