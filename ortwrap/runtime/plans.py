"""How the calls of one signature are run: by a graph, or eagerly for a reason."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, Union

import torch
from torch import Tensor

from .attributes import Attribute, Holders, State
from .complaints import Complaint
from .entry import OutputPlan, restore_outputs
from .export import Graph
from .labels import LabelBatch
from .reasons import Reason
from .settings import MAX_SHAPE_CHECKS
from .snapshot import RandomState
from .structure import rebuild, template_of
from .testimony import Testimony

_NONE_HELD: State = {}


class Call(NamedTuple):
    """One call of a wrapper, taken apart.

    Attributes:
        args: the positional arguments.
        kwargs: those by name.
        tensors: every tensor in them, and in `state`.
        numbers: every Python number in them, and in `state`.
        state: what attributes that forward sets hold before it.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: list[Tensor]
    numbers: list[Any]
    state: State = _NONE_HELD

    @property
    def given(self) -> tuple[Any, ...]:
        """All that the step is given."""
        return self.args, self.kwargs, self.state

    @property
    def trained(self) -> list[int]:
        """The indices of the tensors that need a gradient."""
        return [index for index, tensor in enumerate(self.tensors) if tensor.requires_grad]

    def with_tensors(self, tensors: list[Tensor]) -> Call:
        """The same call of other tensors."""
        args, kwargs, state = rebuild(template_of(self.given), tensors)
        return Call(args, kwargs, tensors, self.numbers, state)


# A number, or a size, that was baked in unseen shows when it is compared at other values.
_NUMBERS_TO_PROVE = 3
_SHAPES_TO_PROVE = 2
_DENSITIES_KEPT = 1_000
_LABELLED_BATCHES = itertools.count(1)


class EagerPlan:
    """Calls of this signature run eagerly."""

    backend = "eager"

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        self.calls = 0
        self.signature = ""


class GraphPlan:
    """Calls of this signature run on ONNX Runtime.

    Attributes:
        calls: all calls, those that ran eagerly after all included.
        copied: which outputs of the graph ONNX Runtime writes over in backward.
        gathers: whether the graph drops ignored labels before the last layer.
        holds_deadly_loss: whether it has a loss that some labels would kill the process with.
        eager_calls: how many of them ran eagerly, by reason.
        shapes: the reason why the graph may be wrong for other shapes, None if it is not.
        densities: the share of labels that count in the first batches, each with its place
            among all labelled batches of the process.
        complaints: the checks of its arguments that the traced call passed.
        lacking: the reason why ONNX Runtime may have no kernels for it, None if there is none.
        proved: the shapes for which its results were compared with eager's.
        proved_in_double: its twin in double precision gives exactly what eager gives, so that a
            larger difference in single precision may be rounding.
        rounding: how large that may be, as a share of the norm; 0 where it was not needed.
    """

    backend = "ort"

    def __init__(
        self,
        graph: Graph,
        outputs: OutputPlan,
        seen: Testimony,
        general: frozenset[int],
        buffers: Sequence[str],
        random: bool,
        cut: frozenset[int] = frozenset(),
        attributes: Collection[Attribute] = (),
    ) -> None:
        """
        Args:
            graph: the exported graph.
            outputs: how its outputs become what the user's step returns.
            seen: what was seen while it was traced.
            general: which Python numbers the graph takes as tensors.
            buffers: names, in the graph's entry, of those that operators in it write to.
            random: whether a call draws random numbers from torch.
            cut: arguments to which no gradient flows, whether or not they require one.
            attributes: those that forward sets; the graph returns what they hold.
        """
        self.graph = graph
        self.outputs = outputs
        self.uses = tuple(seen.labels)
        self.gathers = graph.gathers_labels()
        self.holds_deadly_loss = graph.holds_deadly_loss()
        self.general = general
        self._cut = cut
        self.shapes = seen.shapes
        self._axes = None if seen.axes is None else sorted(seen.axes)
        self._proved_sizes: set[Any] = set()
        self.complaints = tuple(seen.complaints)
        # By those sizes of the arguments that may be fixed in them.
        self._complaints: dict[Any, Sequence[Complaint]] = {}
        self.lacking = seen.lacking
        self.proved: set[Any] = set()
        self.proved_in_double = False
        self.rounding = 0.0
        self.copied: frozenset[int] = frozenset()
        self._numbers: set[tuple[Any, ...]] = set()
        self.calls = 0
        self.signature = ""
        self.densities: list[tuple[int, float]] = []
        self._density = 0.0
        self._batches = 0
        self.eager_calls: Counter[str] = Counter()
        self._random = random
        self._buffer_names = tuple(buffers)
        self._buffers: list[Tensor] = []
        self._backup: list[Tensor] = []
        self._attributes = tuple(attributes)
        self._holders: Holders | None = None
        self.bind()

    def bind(self) -> None:
        """Follows modules whose parameters or buffers are other objects now."""
        named = self.graph.bind()
        if named is None or not named.keys() >= set(self._buffer_names):
            # A part of the model is gone: no call is this graph's until it is back.
            self.unbind()
            return
        if self._attributes:
            self._holders = Holders(self.graph.wrapper, self._attributes)
        self._buffers = [named[name] for name in self._buffer_names]
        self._backup = []

    @property
    def replaces(self) -> Sequence[tuple[dict[str, Any], str]]:
        """The buffers that another tensor takes the place of in each call, by their tables."""
        return self.graph.replaces

    def unbind(self) -> None:
        """Lets go of everything that belongs to the user's modules."""
        self.graph.unbind()
        self._holders = None
        self._buffers = []
        self._backup = []

    def is_unproved(self, call: Call) -> bool:
        """Whether a size or a number that may be fixed in the graph is another one in `call`."""
        if len(self.proved) < _SHAPES_TO_PROVE and shapes_of(call) not in self.proved:
            return True
        if self.shapes is not None and self._sizes_in(call) not in self._proved_sizes:
            return True
        few = len(self._numbers) < _NUMBERS_TO_PROVE
        return few and self._general_numbers(call) not in self._numbers

    def prove(self, call: Call, complaints: Sequence[Complaint] = ()) -> None:
        """Notes that the results for the sizes and numbers of `call` are eager's.

        Args:
            call: the call.
            complaints: the checks of its arguments that it passed.
        """
        if self.shapes is not None or not self.proved:
            self._complaints[self._sizes_that_count(call)] = complaints
        self.proved.add(shapes_of(call))
        self._proved_sizes.add(self._sizes_in(call))
        self._numbers.add(self._general_numbers(call))

    def _general_numbers(self, call: Call) -> tuple[Any, ...]:
        return tuple([call.numbers[index] for index in sorted(self.general)])

    def _sizes_that_count(self, call: Call) -> tuple[Any, ...]:
        return () if self.shapes is None else self._sizes_in(call)

    def _sizes_in(self, call: Call) -> tuple[Any, ...]:
        """Those sizes of the arguments that may be fixed in the graph."""
        if self._axes is None:
            return shapes_of(call)
        return tuple([call.tensors[index].shape[axis] for index, axis in self._axes])

    def note_labels(self, labels: LabelBatch, left_out: int = 0) -> None:
        """Keeps the density of the labels for the report.

        Args:
            labels: those of a call.
            left_out: how many of them that are valid masks have left out.
        """
        density = labels.density_without(left_out)
        if density is None:
            return
        self._density += density
        self._batches += 1
        if self._batches <= _DENSITIES_KEPT:
            self.densities.append((next(_LABELLED_BATCHES), density))

    @property
    def label_density(self) -> float | None:
        """The mean share of labels that count, None before any batch with labels."""
        return self._density / self._batches if self._batches else None

    def objection(self, call: Call, labels: LabelBatch) -> str | None:
        """Why this one call must run eagerly, None when it need not."""
        if self.holds_deadly_loss and labels.objection is not None:
            return labels.objection
        complaints = self._complaints.get(self._sizes_that_count(call), ())
        if not all(complaint.is_silent(call.tensors) for complaint in complaints):
            return "arguments that a check in forward does not let pass"
        # Comparing costs more than it will ever save when no size comes twice.
        if len(self._proved_sizes) >= MAX_SHAPE_CHECKS and self.is_unproved(call):
            return f"sizes that differ from the {MAX_SHAPE_CHECKS} that were compared"
        return None

    def run(self, call: Call) -> Any:
        """The result of `call`, computed by the graph.

        Raises:
            Exception: what ONNX Runtime raised; buffers and torch's random numbers are then as
                they were.
        """
        self._back_up_buffers()
        generators = RandomState.of_torch() if self._random else None
        try:
            computed = self.compute(call)
        except BaseException:
            self._give_back_buffers()
            if generators is not None:
                generators.restore()
            raise
        returned = self.restore(computed, call)
        if self._holders is None:
            return returned
        result, state = returned
        self._holders.put(state)
        return result

    def restore(self, computed: Sequence[Tensor], call: Call) -> Any:
        """What `EagerCall.returned` is for `call`, made of the outputs of the graph."""
        numbers = self._general_numbers(call)
        wrapper = self.graph.wrapper
        return restore_outputs(self.outputs, computed, call.tensors, numbers, wrapper)

    def compute(self, call: Call) -> Sequence[Tensor]:
        """The outputs of the graph, in memory that its backward leaves alone."""
        outputs = given = self.graph(graph_inputs(call, self.general, self._cut))
        if self.copied:
            given = tuple(
                [
                    output.clone() if index in self.copied else output
                    for index, output in enumerate(outputs)
                ]
            )
        self.graph.branches.watch(outputs, given)
        return given

    def _back_up_buffers(self) -> None:
        if not self._buffers:
            return
        if not self._backup:
            self._backup = [torch.empty_like(buffer) for buffer in self._buffers]
        with torch.no_grad():
            torch._foreach_copy_(self._backup, self._buffers)

    def _give_back_buffers(self) -> None:
        with torch.no_grad():
            for buffer, value in zip(self._buffers, self._backup):
                buffer.data.copy_(value)


Plan = Union[EagerPlan, GraphPlan]


def shapes_of(call: Call) -> tuple[torch.Size, ...]:
    """The sizes of the tensors of a call."""
    return tuple([tensor.shape for tensor in call.tensors])


def describe_call(call: Call) -> str:
    """A short text for what is particular to the arguments of a call."""
    tensors = [
        f"{str(tensor.dtype).removeprefix('torch.')}[{', '.join(map(str, tensor.shape))}]"
        for tensor in call.tensors
    ]
    return ", ".join([*tensors, *map(repr, call.numbers)])


def graph_inputs(call: Call, general: frozenset[int], cut: frozenset[int]) -> list[Tensor]:
    """The tensors of a call, followed by the numbers that the graph takes as tensors.

    ORTModule looks for a gradient of whatever requires one, so that those in `cut` must not.
    """
    tensors = call.tensors
    if cut:
        tensors = [
            tensor.detach() if index in cut else tensor for index, tensor in enumerate(tensors)
        ]
    if not general:
        return tensors
    device = call.tensors[0].device if call.tensors else torch.device("cpu")
    double = any(tensor.dtype is torch.float64 for tensor in call.tensors)
    floating = torch.float64 if double else torch.get_default_dtype()
    numbers = [
        torch.tensor(number, dtype=floating if isinstance(number, float) else None, device=device)
        for position, number in enumerate(call.numbers)
        if position in general
    ]
    return [*tensors, *numbers]
