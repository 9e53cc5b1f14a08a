"""What a tensor holds, told by more than what torch counts.

torch counts what is written to a tensor, but not what is written through its `.data`, as averages
of a teacher are, nor to an array of NumPy that shares its memory, nor to inference tensors.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

# Compared at each call: what is larger than the first by so many entries from all over it.
_MOST_ENTRIES = 2**16
_SOME_ENTRIES = 2**12
_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def version_of(tensor: Tensor) -> int:
    """How often it was written to, as torch counts; 0 where it does not."""
    return 0 if tensor.is_inference() else tensor._version


class Content:
    """What a tensor held at one moment.

    Attributes:
        key: equal for equal content of one tensor, as far as it is looked at.
    """

    __slots__ = ("_entries", "_held", "_start", "_tensor", "_version", "key")

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self._version = version_of(tensor)
        entries = _entries_of(tensor)
        self._start = 0 if entries is None else tensor.data_ptr()
        self._entries = entries
        self._held = None if entries is None else entries.clone()
        held = () if self._held is None else hash(tuple(self._held.flatten().tolist()))
        whole = entries is not None and entries.numel() == tensor.numel()
        self.key: Hashable = (None if whole else self._version, held)

    def unchanged(self) -> bool:
        """Whether it holds the same still. False may also mean that it does so elsewhere."""
        if version_of(self._tensor) != self._version:
            return False
        if self._entries is None or self._held is None:
            return True
        return self._tensor.data_ptr() == self._start and torch.equal(self._entries, self._held)


def _entries_of(tensor: Tensor) -> Tensor | None:
    """A view of the bits of its entries, or of some of them; None where they cannot be had soon."""
    raw = None if is_lazy(tensor) else tensor.detach()
    if raw is None or type(raw) is not Tensor or raw.device.type != "cpu":
        return None
    if raw.layout is not torch.strided or raw.is_quantized:
        return None
    real = torch.view_as_real(raw) if raw.is_complex() else raw
    bits = real.view(_INTEGERS[real.element_size()])
    if bits.numel() <= _MOST_ENTRIES:
        return bits
    for axis, size in enumerate(bits.shape):
        apart = min(size, math.ceil(bits.numel() / _SOME_ENTRIES))
        if apart > 1:
            bits = bits[(slice(None),) * axis + (slice(None, None, apart),)]
    return bits
