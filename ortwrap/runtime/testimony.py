"""What the witness of one trace saw."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from .complaints import Complaint
from .readings import Late
from .reasons import Reason

Axes = frozenset[tuple[int, int]]

# As exporters name an operator in their messages.
_OPERATOR = re.compile(r"aten::(\w+)")


@dataclass(frozen=True)
class LabelUse:
    """One call of a cross entropy in the trace.

    Attributes:
        source: index of the tensor input that holds the labels, None when it is not known.
        kept: how many of that input's elements are labels, as a share.
        classes: the number of classes.
        ignore_index: the label that does not count.
        weighted: classes are weighted.
        computed: the labels are worked out from data inside of forward.
    """

    source: int | None
    kept: float
    classes: int
    ignore_index: int
    weighted: bool
    computed: bool


@dataclass
class Testimony:
    """What was seen during one trace.

    Attributes:
        data: a value of a tensor became a Python value: the graph is wrong for other data.
        training: forward computes or hooks gradients or writes weights, which no graph can hold.
        shapes: a size became a Python number: the graph may be wrong for other shapes.
        axes: the sizes that did, if all of them are sizes of tensors that entered: the index of
            each tensor, and the dimension; None if one is another's.
        numbers: a Python number given as a tensor was needed as a Python number again.
        labels: the cross entropies.
        complaints: checks of arguments that the batch has passed.
        late: the numbers in the result that are read off tensors, by their position.
        lacking: forward computes with a kind of tensor that ONNX Runtime has no kernels for.
        places: the line of the user's code that first called each function of torch.
    """

    data: Reason | None = None
    training: Reason | None = None
    shapes: Reason | None = None
    axes: Axes | None = frozenset()
    numbers: Reason | None = None
    lacking: Reason | None = None
    labels: list[LabelUse] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    places: dict[str, str | None] = field(default_factory=dict)
    late: dict[int, Late] = field(default_factory=dict)

    def end_at(self, reason: Reason) -> NoReturn:
        """Ends the trace before it does to gradients or weights what only the user's call may."""
        self.training = self.training or reason
        raise RuntimeError(reason.text)

    def note_sizes(self, text: str, place: str | None, axes: Axes | None) -> None:
        """Sizes, of these axes if they are known, became Python numbers at `place`."""
        self.shapes = self.shapes or Reason(text, place)
        known = axes is not None and self.axes is not None
        self.axes = self.axes | axes if known else None  # type: ignore[operator]

    @property
    def refusal(self) -> Reason | None:
        """Why the trace must not be used at all."""
        return self.data or self.training

    def place_of(self, error: BaseException) -> str | None:
        """The line of the operator that an exporter's message names, if it names one."""
        for name in _OPERATOR.findall(str(error)):
            place = self.places.get(name) or self.places.get(name.strip("_"))
            if place is not None:
                return place
        return None
