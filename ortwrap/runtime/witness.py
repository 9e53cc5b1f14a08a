"""What a trace of the model turned from tensors into Python, and so froze.

While the model is traced every value that Python sees is fixed for good. A number made from the
data of a tensor makes the graph wrong for the next batch; one made from its shape makes it wrong
for the next shape. The witness follows each tensor of the trace and tells the two apart.
"""

from __future__ import annotations

import contextlib
import math
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .complaints import complaint_at
from .data_writes import DataWrites
from .gradients import USES_OF_GRADIENTS
from .iteration import iterating, unpacks
from .open_sizes import OpenSizes
from .passing import TO_PYTHON, Given, note
from .plain_numbers import of_number
from .readings import Late, Reading
from .reasons import Reason, current_frame, current_place
from .shape_warnings import first_sentence, is_check_of_torch, says_shape, says_value
from .sizes import Sizes
from .testimony import Axes, LabelUse, Testimony

_SHAPE = Tensor.shape.__get__  # type: ignore[attr-defined]
_SIZES = frozenset(
    {Tensor.size, _SHAPE, Tensor.numel, torch.numel, Tensor.nelement, Tensor.__len__}
)
# ONNX Runtime's kernels for CPUs are of float and double.
HALVES = frozenset({torch.bfloat16, torch.float16})
_CROSS_ENTROPIES = frozenset({F.cross_entropy, F.nll_loss})
_MAX_KEPT = 200_000


@contextlib.contextmanager
def watch_trace(numbers: Sequence[int] = ()) -> Iterator[Testimony]:
    """Watches the traces made inside.

    Args:
        numbers: which tensor inputs of the traced entry stand for Python numbers.
    """
    testimony = Testimony()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with _Witness(testimony, frozenset(numbers), caught) as witness:
            yield testimony
    for warning in filter(says_shape, caught):
        place = f"{warning.filename}:{warning.lineno}"
        if place not in witness.sized:
            testimony.note_sizes(first_sentence(warning), place, None)


def mark_inputs(tensors: Sequence[Tensor]) -> None:
    """Tells the active witness which tensors enter the traced model, if it watches."""
    witness = _Witness.active
    if witness is not None:
        witness.enter(tensors)


def mark_numbers(late: dict[int, Late]) -> None:
    """Tells the active witness which numbers the traced model gives back, if it watches."""
    witness = _Witness.active
    if witness is not None:
        witness.leave(late)


class _Witness(TorchFunctionMode):
    """Follows tensors through a trace; see `Testimony` for what it looks for."""

    active: _Witness | None = None

    def __init__(self, testimony: Testimony, numbers: frozenset[int], caught: list[Any]) -> None:
        super().__init__()
        self._testimony = testimony
        self._caught = caught
        self._numbers = numbers
        # Origin of each tensor that does not come from data: "size", "number" or "constant".
        # The tensors are kept so that no id is used twice.
        self._origin: dict[int, str] = {}
        # For tensors that are an argument, moved, cut or padded: which, and how much was added.
        self._inputs: dict[int, tuple[int, int]] = {}
        self._sizes = Sizes()
        self._open = OpenSizes()
        self._data_writes, self._given = DataWrites(), Given(())
        # Where sizes were seen to become numbers.
        self.sized: set[str | None] = set()
        # For tensors that stand for a number: which of these.
        self._arguments: dict[int, int] = {}
        self._kept: list[Any] = []
        self._numel: list[int] = []
        # The model runs, and not what ORTModule does around it.
        self._inside = False
        self._readings: list[tuple[weakref.ref[Reading], str | None]] = []

    def __enter__(self) -> _Witness:
        _Witness.active = self
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *details: Any) -> None:
        _Witness.active = None
        super().__exit__(*details)  # type: ignore[no-untyped-call]
        kept = [place for reading, place in self._readings if reading() is not None]
        if kept and self._testimony.data is None:
            self._testimony.data = Reason("forward keeps a value of a tensor", kept[0])

    def enter(self, tensors: Sequence[Tensor]) -> None:
        self._inside = True
        self._origin.clear()
        self._inputs.clear()
        self._sizes.clear(len(tensors))
        self._open.clear()
        self._arguments.clear()
        self._given = Given(tensors, self._numbers)
        self._data_writes = DataWrites(tensors)
        for index, tensor in enumerate(tensors):
            self._kept.append(tensor)
            if index in self._numbers:
                self._origin[id(tensor)] = "number"
                self._arguments[id(tensor)] = len(self._arguments)
            else:
                self._inputs[id(tensor)] = (index, 0)
                self._sizes.enter(tensor, index)
        with torch._C.DisableTorchFunction():
            self._numel = [math.prod(map(int, tensor.shape)) for tensor in tensors]

    def leave(self, late: dict[int, Late]) -> None:
        self._inside = False
        self._testimony.late = late

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = kwargs or {}
        tracing = torch._C._get_tracing_state() is not None
        if tracing and func in TO_PYTHON and self._complains():
            return func(*args, **keywords)
        if self._inside:
            self._refuse_training(func, args, keywords)
        if func is Tensor.item and self._inside and self._is_number_of_data(args[0]):
            return self._read(args[0])
        if not tracing:
            # Models branch on data when they are not traced; only what the trace sees is frozen.
            return func(*args, **keywords)
        if self._is_plain_number(*args[:1]):
            func = of_number(func)
        name = getattr(func, "__name__", "")
        if name not in self._testimony.places:
            self._testimony.places[name] = current_place()
        if func in _CROSS_ENTROPIES:
            self._meet_labels(args, keywords)
        if func in TO_PYTHON:
            self._note_conversion(TO_PYTHON[func], args)
        elif func is Tensor.__len__:
            if self._open.has_first(args[0]):
                self._note_open("len")
            self._note_sizes("a length became a number", self._sizes.axis(args[0], 0))
        elif func is Tensor.unbind:
            self._meet_iteration(args[0])
        warned = len(self._caught)
        result = func(*args, **keywords)
        if func not in TO_PYTHON and any(map(says_value, self._caught[warned:])):
            self._note_conversion_inside(name, (*args, *keywords.values()))
        if self._testimony.lacking is None:
            lacking = next(filter(None, map(_lacking, _tensors((*args, result)))), None)
            if lacking is not None:
                self._testimony.lacking = Reason(lacking, current_place())
        self._follow(func, args, keywords, result)
        return result

    def _refuse_training(self, func: Any, args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        what = USES_OF_GRADIENTS.get(func) or self._data_writes.meet(func, args, keywords)
        if what is not None:
            self._testimony.end_at(Reason(f"forward {what}", current_place()))

    def _complains(self) -> bool:
        """Whether a value is read only to raise, which can be asked before the graph runs."""
        frame = current_frame()
        complaint = complaint_at(frame, self._given_as) if frame is not None else None
        if complaint is None:
            return False
        self.sized.add(current_place())
        note(complaint, self._testimony.complaints)
        return True

    def _given_as(self, tensor: Tensor) -> int | None:
        """Which argument it is, if nothing has been written to it since."""
        if id(tensor) in self._arguments and self._testimony.numbers is None:
            text = "forward needs a number as a Python value (a check of arguments)"
            self._testimony.numbers = Reason(text, current_place())
        return self._given.index_of(tensor)

    def _is_number_of_data(self, tensor: Tensor) -> bool:
        kind = tensor.dtype
        a_number = kind is not torch.bool and not kind.is_complex
        return a_number and self._origin.get(id(tensor), "data") == "data"

    def _read(self, tensor: Tensor) -> Reading:
        """A stand-in for `tensor.item()`, which only what the model returns may hold."""
        place = current_place()
        reading = Reading.of_tensor(tensor, _Read(self, place))
        self._readings.append((weakref.ref(reading), place))
        return reading

    def refuse_read(self, place: str | None) -> None:
        """A number that was read at `place` is used for more than a report."""
        if _Witness.active is self and torch._C._get_tracing_state() is not None:
            reason = Reason("forward reads the value of a tensor (item)", place)
            self._testimony.data = self._testimony.data or reason
            raise TypeError(reason.text)

    def _is_plain_number(self, value: Any = None) -> bool:
        """Whether it is a tensor of the trace that is a Python number in eager."""
        return self._origin.get(id(value)) in ("size", "number") and not value.dim()

    def is_size(self, tensor: Tensor) -> bool:
        """Whether a tensor of the trace is a Python int in eager."""
        return self._origin.get(id(tensor)) == "size" and not tensor.is_floating_point()

    def argument(self, tensor: Tensor) -> int | None:
        """Which of the numbers that are given as tensors it is."""
        return self._arguments.get(id(tensor))

    def _meet_labels(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        named = dict(zip(("input", "target", "weight"), args[:3]), **keywords)
        logits, target = named.get("input"), named.get("target")
        if not isinstance(logits, Tensor) or not isinstance(target, Tensor):
            return
        if not target.is_floating_point():
            weighted = named.get("weight") is not None
            self._note_labels(logits, target, int(named.get("ignore_index", -100)), weighted)

    def _note_labels(self, logits: Tensor, target: Tensor, ignored: int, weighted: bool) -> None:
        index, added = self._inputs.get(id(target), (None, 0))
        whole = target.numel() if index is None else self._numel[index]
        self._testimony.labels.append(
            LabelUse(
                source=index,
                kept=(int(target.numel()) - added) / max(int(whole), 1),
                classes=int(logits.shape[1 if logits.dim() > 1 else 0]),
                ignore_index=ignored,
                weighted=weighted,
                computed=index is None and id(target) not in self._origin,
            )
        )

    def _note_conversion(self, name: str, args: Sequence[Any]) -> None:
        origins = {self._origin.get(id(tensor), "data") for tensor in _tensors(args)}
        testimony = self._testimony
        if "data" in origins:
            if testimony.data is None:
                text = f"forward reads the value of a tensor ({name})"
                testimony.data = Reason(text, current_place())
        elif "number" in origins:
            if testimony.numbers is None:
                text = f"forward needs a number as a Python value ({name})"
                testimony.numbers = Reason(text, current_place())
        elif "size" in origins and not is_check_of_torch(name):
            if any(map(self._open.includes, _tensors(args))):
                self._note_open(name)
            axes = self._sizes.changing(self._not_constant(args))
            self._note_sizes("a size became a Python number", axes)

    def _note_conversion_inside(self, name: str, given: Sequence[Any]) -> None:
        """A function of torch has made a Python number of what it was given, out of sight."""
        numbers = [one for one in _tensors(given) if not one.dim()]
        values = [one for one in numbers if self._origin.get(id(one)) not in ("size", "constant")]
        if values:
            self._note_conversion(name, values)

    def _note_open(self, name: str) -> None:
        if self._testimony.data is None:
            text = f"forward needs a size as a Python value that only the values tell ({name})"
            self._testimony.data = Reason(text, current_place())

    def _meet_iteration(self, tensor: Tensor) -> None:
        frame = iterating()
        if frame is None:
            return
        if unpacks(frame):
            self.sized.add(current_place())
        else:
            self._note_sizes("a loop goes over a tensor", self._sizes.axis(tensor, 0))

    def _note_sizes(self, text: str, axes: Axes | None) -> None:
        place = current_place()
        self.sized.add(place)
        self._testimony.note_sizes(text, place, axes)

    def _not_constant(self, values: Sequence[Any]) -> list[Tensor]:
        return [one for one in _tensors(values) if self._origin.get(id(one)) != "constant"]

    def _follow(
        self,
        func: Callable[..., Any],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
        result: Any,
    ) -> None:
        outputs = _tensors((result,))
        if not outputs or len(self._kept) > _MAX_KEPT:
            return
        origin = "size" if func in _SIZES else self._origin_of(args, keywords)
        given = _tensors((*args, *keywords.values()))
        if origin != "size" or outputs[0].dim():
            self._open.follow(func, args, keywords, given, outputs, origin == "data")
        if origin == "data":
            self._follow_label(func, args, result)
            return
        for output in outputs:
            self._kept.append(output)
            self._origin.setdefault(id(output), origin)
        if origin == "size":
            if func in _SIZES:
                self._sizes.take(args, keywords, outputs, isinstance(result, tuple))
                self._open.take(args[0], outputs)
            else:
                self._open.make([output for output in outputs if not output.dim()], given)
                operands = self._not_constant((*args, *keywords.values()))
                self._sizes.make(outputs, operands)

    def _origin_of(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> str:
        tensors = _tensors(args) + _tensors(tuple(keywords.values()))
        origins = {self._origin.get(id(tensor), "data") for tensor in tensors}
        for origin in ("data", "number", "size"):
            if origin in origins:
                return origin
        return "constant"

    def _follow_label(self, func: Callable[..., Any], args: Sequence[Any], result: Any) -> None:
        """Keeps track of inputs that are only moved, cut or cast on their way to a loss."""
        if not args or not isinstance(result, Tensor) or result.is_floating_point():
            return
        source = self._inputs.get(id(args[0])) if isinstance(args[0], Tensor) else None
        name = getattr(func, "__name__", "")
        if source is not None and name in _MOVES:
            index, added = source
            if name == "pad":
                added += int(result.numel()) - int(args[0].numel())
            self._kept.append(result)
            self._inputs[id(result)] = (index, added)


@dataclass(frozen=True)
class _Read:
    """Where a number was read off a tensor, in the trace that the witness watches."""

    witness: _Witness
    place: str | None

    def refuse(self) -> None:
        self.witness.refuse_read(self.place)

    def is_size(self, tensor: Tensor) -> bool:
        return self.witness.is_size(tensor)

    def argument(self, tensor: Tensor) -> int | None:
        return self.witness.argument(tensor)


_MOVES = frozenset(
    "long to type view reshape flatten squeeze unsqueeze contiguous transpose permute "
    "__getitem__ clone detach narrow t int pad".split()
)


def _lacking(tensor: Tensor) -> str | None:
    """What a tensor is that ONNX Runtime does not compute with; None if it does."""
    if tensor.is_complex():
        return "forward computes with complex numbers"
    if tensor.layout is not torch.strided:
        return "forward computes with sparse tensors"
    if tensor.dtype in HALVES and tensor.device.type == "cpu":
        return f"forward computes in {str(tensor.dtype).removeprefix('torch.')} on the CPU"
    return None


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found.extend(_tensors(value))
    return found
