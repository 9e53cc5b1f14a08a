"""Which checks of its arguments a call passes when it is run eagerly.

A check may be given a size, as the number of classes that it allows: for each size of a batch that
a graph is proved for, there is another check to ask.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .complaints import Complaint, complaint_at
from .contents import version_of
from .reasons import current_frame

TO_PYTHON = {
    getattr(Tensor, name): name
    for name in (
        "item __bool__ __int__ __float__ __index__ __complex__ tolist numpy __array__ "
        "is_nonzero equal allclose __format__ __repr__"
    ).split()
    if hasattr(Tensor, name)
}
TO_PYTHON.update(
    {torch.equal: "torch.equal", torch.allclose: "torch.allclose", torch.is_nonzero: "is_nonzero"}
)


class Given:
    """The tensors that a call is given, as they are when it begins."""

    def __init__(self, tensors: Sequence[Tensor], without: Collection[int] = ()) -> None:
        self._tensors = tensors
        self._places = {
            id(tensor): (index, version_of(tensor))
            for index, tensor in enumerate(tensors)
            if index not in without
        }

    def index_of(self, tensor: Tensor) -> int | None:
        """Which of them it is, if nothing has been written to it since."""
        index, version = self._places.get(id(tensor), (None, 0))
        return index if index is not None and version_of(tensor) == version else None


class Passing(TorchFunctionMode):
    """Collects the checks that are passed in it.

    Attributes:
        complaints: each of them once.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        """
        Args:
            tensors: those that the call is given.
        """
        super().__init__()
        self.complaints: list[Complaint] = []
        self._given = Given(tensors)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        frame = current_frame() if func in TO_PYTHON else None
        complaint = complaint_at(frame, self._given.index_of) if frame is not None else None
        if complaint is not None:
            note(complaint, self.complaints)
        return func(*args, **(kwargs or {}))


def note(complaint: Complaint, complaints: list[Complaint]) -> None:
    """Adds a check, which is met several times if it reads several values."""
    if not any(complaint.asks_the_same(known) for known in complaints):
        complaints.append(complaint)
