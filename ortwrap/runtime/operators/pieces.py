"""Cutting a tensor into pieces: by operators whose lists of pieces the exporter can unpack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor


def _tensor_split(input: Tensor, where: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """What `torch.tensor_split` returns, of numbers or of places given as Python numbers."""
    size = int(input.shape[dim])
    if isinstance(where, int):
        least, larger = divmod(size, where)
        ends = [index * least + min(index, larger) for index in range(1, where)]
    else:
        ends = [min(max(end + size if end < 0 else end, 0), size) for end in map(int, where)]
    pairs = zip([0, *ends], [*ends, size])
    return tuple(input.narrow(dim, start, max(end - start, 0)) for start, end in pairs)


def _split_along(axis: int) -> Callable[..., Any]:
    """`hsplit`, `vsplit` or `dsplit`."""

    def split(input: Tensor, where: Any) -> tuple[Tensor, ...]:
        return _tensor_split(input, where, 0 if input.dim() == 1 else axis)

    return split


def _split(input: Tensor, size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """What `torch.split` returns, which makes a Python number of a size that is a tensor."""
    return torch._VF.split(input, size, dim)  # type: ignore[attr-defined,no-any-return]


def _is_size(value: Any) -> bool:
    """Whether it is a size of tensors, or made of such, and not of what a batch holds."""
    if not isinstance(value, Tensor) or value.dim():
        return False
    with torch._C.DisableTorchFunction():
        waiting = [torch._C._get_value_trace(value)]  # type: ignore[attr-defined]
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
    torch.tensor_split: _tensor_split,
    Tensor.tensor_split: _tensor_split,
    torch.hsplit: _split_along(1),
    Tensor.hsplit: _split_along(1),
    torch.vsplit: _split_along(0),
    Tensor.vsplit: _split_along(0),
    torch.dsplit: _split_along(2),
    Tensor.dsplit: _split_along(2),
}


def in_other_words(function: Any, args: Sequence[Any]) -> Any:
    """What to call in the place of `function` while a model is traced: itself, if it exports."""
    if function is torch.where and len(args) == 1:
        return _places
    if function in (torch.split, Tensor.split) and len(args) > 1 and _is_size(args[1]):
        return _split
    # Places that are tensors would have to be read.
    plain = len(args) > 1 and not isinstance(args[1], Tensor)
    return IN_OTHER_WORDS.get(function, function) if plain else function
