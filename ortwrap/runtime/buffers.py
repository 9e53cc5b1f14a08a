"""State that forward keeps in buffers: a graph returns it, and it is put there after each call.

    with torch.no_grad():
        self.ema.mul_(0.9).add_(hidden.mean(0), alpha=0.1)      # written into
        self.center = 0.9 * self.center + 0.1 * batch_center    # another tensor

ONNX Runtime never writes to what it is given. What operators of torch write to from inside a
graph, as those of BatchNorm do, is not the concern of this file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .tree import set_by_hooks

if TYPE_CHECKING:
    from .eager import EagerCall


@dataclass(frozen=True)
class Kept:
    """A buffer that forward changes.

    Attributes:
        owner: the name of its module in the wrapper.
        name: its name in that module.
        replaced: forward puts another tensor in its place, instead of writing into it.
    """

    owner: str
    name: str
    replaced: bool

    @property
    def full_name(self) -> str:
        """Its name in the wrapper."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


def changed_buffers(wrapper: nn.Module, eager: EagerCall) -> tuple[Kept, ...]:
    """The buffers that an eager call changed, each once."""
    names = {id(module): name for name, module in wrapper.named_modules()}
    return tuple(
        Kept(names[id(module)], name, replaced)
        for module, name, replaced in eager.before.changes_of_buffers_until(eager.after)
        if id(module) in names
    )


def by_forward_itself(wrapper: nn.Module, changed: Sequence[Kept]) -> tuple[Kept, ...]:
    """Those of them that the user's code changes, and no layer or hook of torch."""
    return tuple(kept for kept in changed if _is_users(wrapper.get_submodule(kept.owner), kept))


def _is_users(module: nn.Module, kept: Kept) -> bool:
    of_hooks = tuple(set_by_hooks(module))
    by_hook = bool(of_hooks) and kept.name.startswith(of_hooks)
    return not type(module).__module__.startswith("torch.") and not by_hook


@contextlib.contextmanager
def set_aside(
    wrapper: nn.Module, kept: Sequence[Kept], written: set[Kept]
) -> Iterator[list[Tensor]]:
    """Runs forward on copies of these buffers.

    Args:
        wrapper: the user's wrapper.
        kept: the buffers.
        written: gets those of them that operators write to, unseen by a trace.

    Yields:
        A list, which at the end holds what forward made of each.
    """
    owners = [wrapper.get_submodule(one.owner) for one in kept]
    originals = [owner._buffers[one.name] for owner, one in zip(owners, kept)]
    made: list[Tensor] = []
    try:
        for owner, one, original in zip(owners, kept, originals):
            assert original is not None, "a buffer that changes its value is a tensor"
            owner._buffers[one.name] = original.clone()
        copies = {id(owner._buffers[one.name]): one for owner, one in zip(owners, kept)}
        with _Operators(copies, written) if kept else contextlib.nullcontext():
            yield made
        for owner, one in zip(owners, kept):
            value = owner._buffers[one.name]
            assert value is not None, "forward was seen to make a tensor"
            # Two outputs of a graph must not be one value.
            made.append(value.detach().clone())
    finally:
        for owner, one, original in zip(owners, kept, originals):
            owner._buffers[one.name] = original


# What they write to are arguments of theirs that no schema marks.
_WRITING = frozenset({torch.batch_norm, torch.instance_norm, F.batch_norm, F.instance_norm})


class _Operators(TorchFunctionMode):
    """Notes which of some tensors are handed to an operator that may write to them."""

    def __init__(self, tensors: Mapping[int, Kept], written: set[Kept]) -> None:
        super().__init__()
        self._tensors = tensors
        self._written = written

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if func in _WRITING:
            given = (*args, *(kwargs or {}).values())
            named = (self._tensors.get(id(argument)) for argument in given)
            self._written.update(one for one in named if one is not None)
        return func(*args, **(kwargs or {}))


def put_back(owner: nn.Module, kept: Kept, value: Tensor) -> Tensor:
    """Does to a buffer what forward did; returns the tensor that it is now.

    Args:
        owner: its module.
        kept: the buffer.
        value: what it is to be, in memory of ONNX Runtime.
    """
    buffer = owner._buffers[kept.name]
    assert buffer is not None, "the graph has it as an input"
    if kept.replaced:
        owner._buffers[kept.name] = buffer = value.clone()
        return buffer
    with torch.no_grad():
        return buffer.copy_(value)
