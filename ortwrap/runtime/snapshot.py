"""The state that a forward pass may change, taken and given back.

An export runs the model several times, and an attempt on ONNX Runtime may fail half way: neither
may be seen afterwards in buffers, random number generators, modes, attributes or hooks.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from . import c_random
from .containers import Containers
from .contents import version_of
from .data_writes import bits_of


@dataclass(frozen=True)
class RandomState:
    """Where the generators of Python, NumPy, C and torch stand.

    Attributes:
        python: None when only torch's were asked for.
        numpy: None where it is not imported.
        c: None where it cannot be had.
        cpu: torch's.
        cuda: torch's, one per device.
    """

    python: object
    numpy: dict[str, Any] | None
    c: bytes | None
    cpu: Tensor
    cuda: Sequence[Tensor]

    @classmethod
    def take(cls) -> RandomState:
        numpy = sys.modules.get("numpy")
        return cls(
            random.getstate(),
            numpy.random.get_state(legacy=False) if numpy else None,
            c_random.take(),
            torch.get_rng_state(),
            torch.cuda.get_rng_state_all() if _uses_cuda() else (),
        )

    @classmethod
    def of_torch(cls) -> RandomState:
        """Of torch alone: in microseconds."""
        cuda = torch.cuda.get_rng_state_all() if _uses_cuda() else ()
        return cls(None, None, None, torch.get_rng_state(), cuda)

    def restore(self) -> None:
        if self.python is not None:
            random.setstate(self.python)  # type: ignore[arg-type]
        if self.numpy is not None:
            sys.modules["numpy"].random.set_state(self.numpy)
        c_random.restore(self.c)
        torch.set_rng_state(self.cpu)
        if self.cuda:
            torch.cuda.set_rng_state_all(list(self.cuda))

    def torch_moved(self, later: RandomState) -> bool:
        """Whether torch drew random numbers between this state and `later`."""
        if len(self.cuda) != len(later.cuda):
            return True
        pairs = zip((self.cpu, *self.cuda), (later.cpu, *later.cuda))
        return not all(torch.equal(mine, theirs) for mine, theirs in pairs)

    def python_moved(self, later: RandomState) -> bool:
        """Whether Python's or NumPy's global generator was drawn from before `later`."""
        return self.python != later.python or _numpy_position(self) != _numpy_position(later)

    def c_moved(self, later: RandomState) -> bool:
        """Whether `rand()` of the C library was called before `later`."""
        return self.c != later.c


def _uses_cuda() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


class Snapshot:
    """The state of a tree of modules at one moment."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        """Takes the state of every one of `modules` (flattened, no duplicates)."""
        self.modules = tuple(modules)
        self.random = RandomState.take()
        self._containers = Containers()
        self._owners = {id(module.__dict__): module for module in modules}
        for module in modules:
            self._containers.remember_container(module.__dict__)
        self._registered = [
            (module, name, buffer)
            for module in modules
            for name, buffer in module._buffers.items()
            if buffer is not None
        ]
        self._buffers = [(buffer, buffer.detach().clone()) for _, _, buffer in self._registered]
        # A backward that is still to come may have saved a buffer: torch must not take what an
        # attempt writes to it, and what is written back, for changes.
        self._counters = [
            _unsafe_preserve_version_counter(buffer)
            for buffer, _ in self._buffers
            if not buffer.is_inference()
        ]
        self._parameters = [
            (parameter, version_of(parameter), bits_of(parameter))
            for module in modules
            for parameter in module._parameters.values()
            if parameter is not None
        ]

    def restore(self) -> None:
        """Puts everything back as it was; identities of buffers and containers included."""
        self._containers.restore()
        for buffer, value in self._buffers:
            if buffer.is_inference():
                with torch.inference_mode():
                    buffer.copy_(value)
            else:
                buffer.data.copy_(value)
        for counter in self._counters:
            counter.__exit__()
        self.random.restore()

    def parameter_changed_until(self, later: Snapshot) -> bool:
        """Whether a parameter was written to in place before `later`, through `.data` or not."""
        pairs = zip(self._parameters, later._parameters)
        return any(
            one is next_ and (version != next_version or bits not in (None, next_bits))
            for (one, version, bits), (next_, next_version, next_bits) in pairs
        )

    @property
    def buffer_values(self) -> list[Tensor]:
        """The values of all buffers at that moment."""
        return [value for _, value in self._buffers]

    def buffer_values_now(self) -> list[Tensor]:
        """The values, at this moment, of the buffers that have these names."""
        found = (module._buffers.get(name) for module, name, _ in self._registered)
        return [buffer.detach().clone() for buffer in found if buffer is not None]

    def changes_of_buffers_until(self, later: Snapshot) -> Iterator[tuple[nn.Module, str, bool]]:
        """The buffers that are others in `later`, a snapshot of the same modules, each once.

        Yields:
            Its module, its name there, and whether it is another tensor.
        """
        seen: set[int] = set()
        rows = zip(self._registered, self._buffers, later._registered, later._buffers)
        for (module, name, buffer), (_, value), (_, _, next_), (_, next_value) in rows:
            replaced = next_ is not buffer
            if id(buffer) not in seen and (replaced or not _same(value, next_value)):
                yield module, name, replaced
            seen.add(id(buffer))

    def changed_attributes(self) -> list[tuple[nn.Module | None, str]]:
        """The attributes that were set, removed or grew since, nested ones included.

        Not those of buffers in whose place another one of the same kind was put.

        Returns:
            The module of each, None for what is inside of a container, and its name.
        """
        tables = {id(module._buffers) for module, _, _ in self._registered}
        return [
            (self._owners.get(id(container)), name)
            for container, name, content in self._containers.changes()
            if id(container) not in tables or not _alike(container.get(name), content.get(name))
        ]


def _alike(tensor: Any, before: Any) -> bool:
    """Whether one tensor can stand for another one in a graph, and holds no graph of its own."""
    if type(tensor) is not Tensor or type(before) is not Tensor or tensor.requires_grad:
        return False
    kinds = [(one.shape, one.dtype, one.device, one.layout) for one in (tensor, before)]
    return kinds[0] == kinds[1]


def _same(left: Tensor, right: Tensor) -> bool:
    if left.layout is not torch.strided:
        # torch compares none of them, and no graph holds one.
        return True
    if left.shape != right.shape or left.dtype is not right.dtype:
        return False
    # What is not a number stays what it is.
    return bool(
        torch.equal(left, right) or ((left == right) | (left.isnan() & right.isnan())).all()
    )


def _numpy_position(state: RandomState) -> object:
    if state.numpy is None:
        return None
    inner = state.numpy["state"]
    return inner["pos"], inner["key"].tobytes()
