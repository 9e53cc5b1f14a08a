"""DistributedDataParallel around a model: its synchronisation around a step that runs as a graph.

DDP's forward prepares the reducer, broadcasts buffers, runs the model and tells the reducer what to
wait for; gradients are averaged by hooks on the parameters, which a graph's backward reaches like
any other. So the graph is made of the model inside, and what DDP does before and after its forward
is done, by DDP itself, before and after the step.

None of that depends on what computes the step between: a rank on which a graph fails runs eagerly
while the others do not, and all of them go on.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils._python_dispatch import TorchDispatchMode

from .pins import pin, pinned
from .structure import Leaves, Opaque, describe, rebuild, template_of

_HOOKS = tuple(name for name in nn.Module().__dict__ if "_hooks" in name)
_COLLECTIVES = frozenset({"c10d", "_c10d_functional"})


class Undistributed(nn.Module):
    """Stands in a step for a model in DistributedDataParallel: the same without synchronisation."""

    # Not in __dict__: the reducer is no part of a graph, nor is a count of calls.
    __slots__ = ("_around",)

    def __init__(self, distributed: DistributedDataParallel, model: nn.Module) -> None:
        """
        Args:
            distributed: what the user's step was given.
            model: what is inside.
        """
        super().__init__()
        self.module = model
        self._around = _Around(distributed)
        # Hooks on the outer module are seen, and rule a graph out, whenever they are added.
        self.__dict__.update({name: distributed.__dict__[name] for name in _HOOKS})

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self._around.calls += 1
        args, kwargs = self._around.moved(args, kwargs)
        return self.module(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """What a step asks its DistributedDataParallel for besides calling it."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_"):
                raise
            return getattr(self._around.distributed, name)

    def __deepcopy__(self, memo: Any) -> Undistributed:
        copied = Undistributed(self._around.distributed, copy.deepcopy(self.module, memo))
        copied.training = self.training
        return copied


def stand_in_for(distributed: DistributedDataParallel, model: nn.Module) -> Undistributed:
    """The stand-in of a DistributedDataParallel: one, as long as it lives, for the same model."""
    known = pinned(distributed, Undistributed)
    if known is not None and known.module is model:
        return cast(Undistributed, known)
    made = Undistributed(distributed, model)
    pin(distributed, Undistributed, made)
    return made


class _Around:
    """What is around a model, where neither guards nor copies look."""

    __slots__ = ("calls", "distributed")

    def __init__(self, distributed: DistributedDataParallel) -> None:
        self.distributed: Any = distributed
        self.calls = 0

    def moved(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments of the model, on its device."""
        ids = self.distributed.device_ids
        if not ids:
            return args, kwargs
        from torch.distributed.utils import _to_kwargs

        device = torch.device(self.distributed.device_type, ids[0])
        several_args, several_kwargs = _to_kwargs((*args, _nothing()), kwargs, device, False)
        return several_args[0][:-1], several_kwargs[0]


def _nothing() -> torch.Tensor:
    """An argument where DDP wants one."""
    return torch.empty(0)


def objection(module: nn.Module) -> str | None:
    """Why `module`, if it is a DistributedDataParallel, must run as it is; None if it need not."""
    if not isinstance(module, DistributedDataParallel):
        return None
    if type(module).forward is not DistributedDataParallel.forward or "forward" in vars(module):
        return "its forward is not DistributedDataParallel's own"
    if getattr(module, "mixed_precision", None) is not None:
        return "DistributedDataParallel casts the parameters"
    for name in ("_use_python_reducer", "_delay_all_reduce_all_params"):
        if getattr(module, name, False):
            return f"DistributedDataParallel reduces in another way ({name})"
    if any(isinstance(one, nn.SyncBatchNorm) for one in module.modules()):
        return "SyncBatchNorm communicates between processes in forward"
    return None


class Distribution:
    """What the DistributedDataParallel modules of a step do around each call."""

    def __init__(self, modules: Sequence[Any]) -> None:
        """
        Args:
            modules: what the step works on.
        """
        self._stand_ins = [one for one in modules if isinstance(one, Undistributed)]

    def __bool__(self) -> bool:
        return bool(self._stand_ins)

    def follow_mode(self) -> None:
        """Takes over the mode that the user's code has set."""
        for stand_in in self._stand_ins:
            stand_in.training = stand_in._around.distributed.training

    def before(self) -> None:
        """Does what DistributedDataParallel does before its model's forward."""
        for stand_in in self._stand_ins:
            stand_in._around.calls = 0
            stand_in._around.distributed._pre_forward(_nothing())

    def after(self, result: Any) -> Any:
        """Does what it does afterwards.

        Args:
            result: what the step returns.

        Returns:
            The same with tensors that tell the reducer when their backward starts, if it asks
            for that.
        """
        for stand_in in self._stand_ins:
            distributed = stand_in._around.distributed
            leaves = Leaves()
            try:
                describe(result, leaves)
            except Opaque:
                result = distributed._post_forward(result)
            else:
                tensors = distributed._post_forward(leaves.tensors)
                result = rebuild(template_of(result), tensors)
        return result

    def objection(self) -> str | None:
        """Why the call that has just run eagerly cannot be a graph, None if it can."""
        for stand_in in self._stand_ins:
            if stand_in._around.calls != 1:
                return f"DistributedDataParallel is called {stand_in._around.calls} times in a step"
        return None


class Communication(TorchDispatchMode):
    """Notices when processes talk to each other inside.

    Attributes:
        seen: whether they did.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.seen = self.seen or func.namespace in _COLLECTIVES
        return func(*args, **(kwargs or {}))


def is_running() -> bool:
    """Whether this process is one of several that train together."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()
