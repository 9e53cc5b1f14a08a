"""Tensors of a trace that share memory, such as `x` and `x.t()`.

torch traces a write in place as a new value of the very tensor that is written. What other tensors
hold that lie in the same memory the trace does not tell: to a graph they stay what they were, which
no batch shows whose mask is empty. Here a view that is read after a write is made anew, and where
the memory was written through a view, of which the exporter follows few, the export is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, NamedTuple

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from ..data_writes import written_by
from ..untraced import traced_value
from .arguments import NotSupported
from .memory import Memory, memory_of

# What the exporter takes for an assignment to the whole, if a part is written to by it.
_ASSIGNS = frozenset(
    "__setitem__ __iadd__ __imul__ __isub__ __itruediv__ add_ clamp_ copy_ div_ exp_ fill_ "
    "index_add_ masked_fill_ masked_scatter_ mul_ neg_ pow_ relu_ scatter_ scatter_add_ sigmoid_ "
    "sub_ zero_".split()
)
_GETTERS_OF_VALUES = frozenset(
    getattr(Tensor, name).__get__ for name in ("T", "H", "mT", "mH", "real", "imag", "data")
)
_OF_NO_VALUES = frozenset(
    "size dim numel nelement ndimension stride storage_offset __len__ data_ptr untyped_storage "
    "element_size is_floating_point is_complex is_contiguous get_device requires_grad_ retain_grad "
    "register_hook new_zeros new_ones new_full new_empty new_tensor zeros_like ones_like full_like "
    "empty_like rand_like randn_like".split()
)
_Run = Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any]


class _Origin(NamedTuple):
    """How a view was made: `function(*args, **keywords)`, or one part of what that returns."""

    function: Callable[..., Any]
    args: Sequence[Any]
    keywords: Mapping[str, Any]
    part: int | None
    with_gradients: bool


@dataclass
class _Known:
    """What is known of a tensor.

    Attributes:
        up_to: how many writes there had been when its traced value was right.
        origin: how it was made, if it is a view.
        made: how many writes there had been then.
        as_made: whether its traced value is that of the line that made it.
    """

    up_to: int
    origin: _Origin | None = None
    made: int = 0
    as_made: bool = True


class _Write(NamedTuple):
    number: int
    tensor: Tensor
    memory: Memory


class Aliases:
    """Follows the writes of one trace."""

    def __init__(self, run: _Run) -> None:
        """
        Args:
            run: makes a call part of the trace.
        """
        self._run = run
        self._known: Any = WeakTensorKeyDictionary()
        self._memories: Any = WeakTensorKeyDictionary()
        self._writes: dict[int, list[_Write]] = {}
        self._count = 0

    def meet(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> list[tuple[Tensor, int]]:
        """Sees to it that a call reads what eager would; the version of each tensor that it reads.

        Raises:
            NotSupported: the graph cannot know what eager would read.
        """
        tensors = list(tensors_in((args, keywords)))
        if not tensors or _reads_no_values(function):
            return []
        # `y[0] *= 2` writes to what `y[0]` returned, and then assigns that to where it is.
        own = args[2] if function is Tensor.__setitem__ else None
        for tensor in tensors:
            self.bring_up_to_date(tensor, own)
        return [(tensor, tensor._version) for tensor in tensors if not tensor.is_inference()]

    def follow(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
        met: Sequence[tuple[Tensor, int]],
        result: Any,
        assigned: Tensor | None,
    ) -> None:
        """Learns what a call has done.

        Args:
            function: what was called.
            args: its arguments.
            keywords: those by keyword.
            met: what `meet` returned before.
            result: what it returned.
            assigned: what has been written to in the trace, if that is not what in eager is.
        """
        changed = [tensor for tensor, version in met if tensor._version != version]
        if changed:
            name = _name(function)
            named = {id(tensor) for tensor in written_by(name, args, keywords)}
            chosen = [tensor for tensor in changed if id(tensor) in named] or changed
            for tensor in chosen:
                self._write(tensor, name, assigned)
        if met:
            for part, tensor in _results(result):
                self._make(tensor, _Origin(function, args, keywords, part, torch.is_grad_enabled()))

    def stands_for(self, copy: Tensor, view: Tensor) -> None:
        """The trace has a copy where eager has a view."""
        self._memories[copy] = memory_of(view)

    def read(self, tensors: Sequence[Tensor]) -> None:
        """Sees to it that the trace knows what tensors hold that it returns."""
        for tensor in tensors:
            self.bring_up_to_date(tensor)

    def bring_up_to_date(self, tensor: Tensor, own: Any = None) -> None:
        """Sees to it that the trace knows what a tensor holds.

        Args:
            tensor: what is about to be read.
            own: a tensor whose writes do not matter, since it is assigned.

        Raises:
            NotSupported: it cannot.
        """
        known = self._known.get(tensor)
        if known is None:
            self._known[tensor] = known = _Known(0)
        if not self._is_behind(tensor, known, own):
            return
        if known.origin is None:
            raise NotSupported(
                "forward reads a tensor that was written to in place through another one"
            )
        for source in tensors_in((known.origin.args, known.origin.keywords)):
            self.bring_up_to_date(source)
        self._renew(tensor, known, known.origin)

    def _is_behind(self, tensor: Tensor, known: _Known, own: Any = None) -> bool:
        memory = self._memory(tensor)
        if memory is None:
            return False
        return any(
            write.number > known.up_to and write.tensor is not own and memory.meets(write.memory)
            for write in self._writes.get(memory.storage, ())
        )

    def _is_written_since(self, made: int, tensor: Tensor) -> bool:
        memory = self._memory(tensor)
        writes = self._writes.get(memory.storage, ()) if memory is not None else ()
        return any(write.number > made for write in writes)

    def _renew(self, tensor: Tensor, known: _Known, origin: _Origin) -> None:
        """Makes a view once more, of what it is a view of now."""
        function, args, keywords, part, with_gradients = origin
        with torch.set_grad_enabled(with_gradients):
            now = self._run(function, args, keywords)
        if part is not None:
            now = now[part]
        value = traced_value(now)
        with torch._C.DisableTorchFunction():
            torch._C._set_value_trace(tensor, value)  # type: ignore[attr-defined]
        known.up_to, known.as_made = self._count, False

    def _write(self, tensor: Tensor, name: str, assigned: Tensor | None) -> None:
        if tensor.requires_grad and not torch.is_grad_enabled():
            raise NotSupported("forward writes in place, without gradients, to what is trained")
        memory = self._memory(tensor)
        if memory is None:
            return
        written = tensor if assigned is None else assigned
        right = [written, *(self._followed(written) if name in _ASSIGNS else ())]
        self._count += 1
        write = _Write(self._count, tensor, memory)
        self._writes.setdefault(memory.storage, []).append(write)
        self._known[written].as_made = False
        for one in right:
            self._known[one].up_to = self._count

    def _followed(self, part: Tensor) -> Iterator[Tensor]:
        """What the exporter takes for written to if a part is: one write by each line."""
        known = self._known[part]
        for _ in range(2):
            if not known.as_made or not _is_part(known.origin):
                return
            made, part = known.made, known.origin.args[0]
            known = self._known[part]
            if self._is_behind(part, known) or self._is_written_since(made, part):
                return
            yield part
            if not _is_of_numbers(known.origin):
                return

    def _make(self, tensor: Tensor, origin: _Origin) -> None:
        if self._known.get(tensor) is not None:
            return
        memory = self._memory(tensor)
        sources = map(self._memory, tensors_in((origin.args, origin.keywords)))
        is_view = memory is not None and any(
            source is not None and source.storage == memory.storage for source in sources
        )
        self._known[tensor] = _Known(self._count, origin if is_view else None, self._count)

    def _memory(self, tensor: Tensor) -> Memory | None:
        return self._memories.get(tensor) or memory_of(tensor)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in nested containers."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def _results(result: Any) -> Iterator[tuple[int | None, Tensor]]:
    """The tensors that a call returned, and which part of the result each is."""
    if isinstance(result, Tensor):
        yield None, result
    elif isinstance(result, (tuple, list)):
        yield from ((at, one) for at, one in enumerate(result) if isinstance(one, Tensor))


def _reads_no_values(function: Callable[..., Any]) -> bool:
    name = _name(function)
    if name == "__get__":
        return function not in _GETTERS_OF_VALUES
    return name in _OF_NO_VALUES


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", ""))


def _is_part(origin: _Origin | None) -> bool:
    """Whether a view is a part of another tensor, by numbers and slices."""
    if origin is None or origin.keywords or origin.part is not None:
        return False
    if origin.function is Tensor.select:
        return True
    return origin.function is Tensor.__getitem__ and makes_part(origin.args[1])


def makes_part(key: Any) -> bool:
    """Whether what stands in brackets is numbers and slices."""
    kinds = {type(piece) for piece in (key if isinstance(key, tuple) else (key,))}
    return bool(kinds & {int, slice}) and kinds <= {int, slice, type(Ellipsis)}


def _is_of_numbers(origin: _Origin | None) -> bool:
    """Whether no slice makes the part: of a part of those the exporter knows the dimensions."""
    if origin is None or origin.function is not Tensor.__getitem__:
        return False
    key = origin.args[1]
    return all(type(piece) is int for piece in (key if isinstance(key, tuple) else (key,)))
