"""The state that a forward pass may change, taken and given back.

An export runs the model several times, and an attempt on ONNX Runtime may fail half way: neither
may be seen afterwards in buffers, random number generators, modes, attributes or hooks.
"""

from __future__ import annotations

import random
import sys
import types
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from . import c_random
from .contents import version_of
from .data_writes import bits_of

# Deeper or larger than this is no configuration or counter of a model, but its user's data.
_MAX_DEPTH = 4
_MAX_CONTAINERS = 20_000

_CONTAINERS = (dict, OrderedDict, list, set, deque)
_LEAVE_ALONE = (
    Tensor,
    nn.Module,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
)


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
        self.random = RandomState.take()
        self._containers: list[tuple[Any, Any]] = []
        self._owners = {id(module.__dict__): module for module in modules}
        seen: set[int] = set()
        for module in modules:
            self._save(module.__dict__, seen, 0)
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
        for container, content in self._containers:
            _refill(container, content)
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
            for container, content in self._containers
            for name in _differences(container, content)
            if id(container) not in tables or not _alike(container.get(name), content.get(name))
        ]

    def _save(self, container: Any, seen: set[int], depth: int) -> None:
        if id(container) in seen or len(seen) > _MAX_CONTAINERS:
            return
        seen.add(id(container))
        values = list(container.values()) if isinstance(container, dict) else list(container)
        self._containers.append((container, dict(container) if _is_dict(container) else values))
        if depth == _MAX_DEPTH:
            return
        for value in values:
            if type(value) in _CONTAINERS:
                self._save(value, seen, depth + 1)
            elif _has_attributes(value):
                self._save(vars(value), seen, depth + 1)


def _has_attributes(value: Any) -> bool:
    return hasattr(value, "__dict__") and not isinstance(value, _LEAVE_ALONE)


def _alike(tensor: Any, before: Any) -> bool:
    """Whether one tensor can stand for another one in a graph, and holds no graph of its own."""
    if type(tensor) is not Tensor or type(before) is not Tensor or tensor.requires_grad:
        return False
    kinds = [(one.shape, one.dtype, one.device, one.layout) for one in (tensor, before)]
    return kinds[0] == kinds[1]


def _is_dict(container: Any) -> bool:
    return isinstance(container, dict)


def _refill(container: Any, content: Any) -> None:
    if isinstance(container, dict):
        if not _same_dict(container, content):
            container.clear()
            container.update(content)
    elif isinstance(container, set):
        if container != set(content):
            container.clear()
            container.update(content)
    elif not _same_items(container, content):
        container.clear()
        container.extend(content)


def _differences(container: Any, content: Any) -> list[str]:
    if isinstance(container, dict):
        return [
            str(key)
            for key in {**container, **content}
            if not _unchanged(container.get(key, _MISSING), content.get(key, _MISSING))
        ]
    if isinstance(container, set):
        return [] if container == set(content) else ["a set"]
    return [] if _same_items(container, content) else [f"a {type(container).__name__}"]


def _unchanged(value: Any, before: Any) -> bool:
    if value is before:
        return True
    plain = isinstance(value, (bool, int, float, str)) and type(value) is type(before)
    return plain and bool(value == before)


_MISSING = object()


def _same_dict(left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    return list(left) == list(right) and _same_items(left.values(), right.values())


def _same_items(left: Any, right: Any) -> bool:
    return len(left) == len(right) and all(a is b for a, b in zip(left, right))


def _same(left: Tensor, right: Tensor) -> bool:
    if left.layout is not torch.strided:
        # torch compares none of them, and no graph holds one.
        return True
    return left.shape == right.shape and bool(torch.equal(left, right))


def _numpy_position(state: RandomState) -> object:
    if state.numpy is None:
        return None
    inner = state.numpy["state"]
    return inner["pos"], inner["key"].tobytes()
