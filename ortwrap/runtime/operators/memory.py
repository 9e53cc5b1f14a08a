"""Where in memory tensors lie."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from torch import Tensor

from ..untraced import untraced

# Whether two strided tensors meet may be hard to tell; after as many steps they are taken to.
_MAX_WORK = 100_000


class Memory:
    """The memory of one tensor, which lives as long.

    Attributes:
        storage: the same for tensors that share a storage.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self.storage = tensor.untyped_storage().data_ptr()
        size = tensor.element_size()
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "data": (tensor.data_ptr(), True),
            "shape": tuple(tensor.shape),
            "strides": tuple(size * stride for stride in tensor.stride()),
            "typestr": f"|V{size}",
        }

    def meets(self, other: Memory) -> bool:
        """Whether some element of one lies where one of the other does."""
        try:
            # Looks at no value.
            mine, theirs = numpy.asarray(self), numpy.asarray(other)
            return numpy.shares_memory(mine, theirs, _MAX_WORK)  # type: ignore[arg-type]
        except RuntimeError:
            return True


def memory_of(tensor: Tensor) -> Memory | None:
    """Where a tensor lies, None if it is of a kind that lies nowhere."""
    with untraced():
        if tensor.layout is not torch.strided or tensor.device.type == "meta":
            return None
        try:
            return Memory(tensor)
        except (RuntimeError, NotImplementedError):
            return None
