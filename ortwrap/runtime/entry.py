"""The module that ORTModule exports: flat tensors in, flat tensors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from . import operators
from .attributes import holding
from .buffers import Kept, set_aside
from .constants import kept_apart
from .parts import touching
from .readings import Late, Reading
from .structure import Leaves, describe, rebuild, template_of
from .witness import mark_inputs, mark_numbers


@dataclass(frozen=True)
class OutputPlan:
    """How what the user's step returns is made from the tensors of the graph.

    Attributes:
        template: the eager output with a slot for each tensor, and each late number.
        sources: for each slot, the output of the graph that fills it, or the object itself where
            eager hands on an argument, a parameter or a buffer unchanged.
        differentiable: for each slot, whether eager's tensor requires grad.
        scalar_loss: whether the first of them is one number that gradients start from.
        exported: indices, among the tensors that the wrapper returns, of those the graph computes.
        late: the Python numbers that are read off the graph's outputs, by their position.
    """

    template: Any
    sources: tuple[Source, ...]
    differentiable: tuple[bool, ...]
    scalar_loss: bool
    exported: tuple[int, ...]
    late: dict[int, Late] = field(default_factory=dict)

    def with_late(self, outputs: Any, late: dict[int, Late]) -> OutputPlan:
        """The plan for a graph from which numbers are read as well.

        Args:
            outputs: what the eager call returned.
            late: these numbers, by their position among all of them.
        """
        if not late:
            return self
        return replace(self, template=template_of(outputs, frozenset(late)), late=late)


@dataclass(frozen=True)
class Source:
    """Where one output tensor comes from.

    Attributes:
        graph: one of the graph's outputs.
        argument: a tensor argument.
        registered: a parameter or a buffer, by its name in the wrapper.
    """

    graph: int | None = None
    argument: int | None = None
    registered: str | None = None


class GraphEntry(nn.Module):
    """Rebuilds the arguments of a call around the tensors it is given and runs the wrapper.

    Attributes:
        kept: the buffers whose new values it returns after what the user's step returns.
        written: those of them that operators of torch write to, which no trace tells.
    """

    def __init__(
        self,
        wrapper: nn.Module,
        template: Any,
        trained: Sequence[bool],
        exported: Sequence[int],
        kept: Sequence[Kept] = (),
        unread: frozenset[int] = frozenset(),
    ) -> None:
        """
        Args:
            wrapper: the instance of the user's wrapper class.
            template: what the call is given, with a slot for each tensor.
            trained: which of these tensors require grad.
            exported: which tensors of the wrapper's result the graph returns.
            kept: the buffers whose new values it returns after them.
            unread: the ids of the modules that the wrapper does not get at.
        """
        super().__init__()
        self.wrapper = wrapper
        self._template = template
        self._trained = tuple(trained)
        self._exported = tuple(exported)
        self.kept = tuple(kept)
        self.written: set[Kept] = set()
        self._unread = unread

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        mark_inputs(tensors)
        args, kwargs, state = rebuild(self._template, tensors)
        leaves = Leaves()
        held = (*self.wrapper.parameters(), *self.wrapper.buffers())
        with operators.tracing(tensors, self._trained, held) as returns:
            kept = set_aside(self.wrapper, self.kept, self.written)
            with holding(self.wrapper, state) as holders, kept as buffers:
                with touching(self._unread) as touched:
                    result = self.wrapper(*args, **kwargs)
                if touched:
                    raise RuntimeError("a trace gets at a module that eager does not get at")
                describe((result, holders.read()) if state else result, leaves)
            outputs = [leaves.tensors[index] for index in self._exported]
            mark_numbers(_late(leaves.numbers, outputs))
            returns((*outputs, *buffers))
            kept_apart(outputs, tensors, self.wrapper)
        return (*outputs, *buffers)

    def train(self, mode: bool = True) -> GraphEntry:
        """Leaves every module in the mode that its owner chose."""
        return self


def _late(numbers: Sequence[Any], outputs: list[Tensor]) -> dict[int, Late]:
    """The readings among `numbers`; the tensors that they are read off are added to `outputs`."""
    return {
        position: number.late(outputs)
        for position, number in enumerate(numbers)
        if type(number) is Reading
    }


def plan_outputs(
    outputs: Any, arguments: Sequence[Tensor], registered: Mapping[int, str]
) -> OutputPlan:
    """Learns from an eager call how its result is to be put together.

    Args:
        outputs: what it returned.
        arguments: the tensors that it was given.
        registered: parameters and buffers, their names by the ids of those after the call.

    Raises:
        Opaque: the result holds an object whose content cannot be seen.
    """
    leaves = Leaves()
    describe(outputs, leaves)
    handed_on = {id(argument): index for index, argument in enumerate(arguments)}
    exported: list[int] = []
    sources: list[Source] = []
    first: dict[int, Source] = {}
    for index, tensor in enumerate(leaves.tensors):
        source = first.get(id(tensor))
        if source is None and id(tensor) in handed_on:
            source = Source(argument=handed_on[id(tensor)])
        if source is None and id(tensor) in registered:
            source = Source(registered=registered[id(tensor)])
        if source is None:
            source = Source(graph=len(exported))
            exported.append(index)
        first[id(tensor)] = source
        sources.append(source)
    differentiable = tuple(tensor.requires_grad for tensor in leaves.tensors)
    # A loss that terms were added to may have started as `torch.zeros(1)`.
    scalar_loss = bool(
        leaves.tensors and leaves.tensors[0].shape in ((), (1,)) and leaves.tensors[0].requires_grad
    )
    return OutputPlan(
        template_of(outputs), tuple(sources), differentiable, scalar_loss, tuple(exported)
    )


def restore_outputs(
    plan: OutputPlan,
    computed: Sequence[Tensor],
    given: Sequence[Tensor],
    numbers: Sequence[Any],
    wrapper: nn.Module,
) -> Any:
    """The result of a call, as eager would return it.

    Args:
        plan: what `plan_outputs` learned.
        computed: the outputs of the graph.
        given: the tensor arguments of this call.
        numbers: its numbers, of those that the graph takes as tensors.
        wrapper: holds the parameters and buffers, as the call has left them.
    """
    made: dict[Source, Tensor] = {}
    tensors: list[Tensor] = []
    for source, differentiable in zip(plan.sources, plan.differentiable):
        tensor = made.get(source)
        if tensor is None:
            if source.registered is not None:
                tensor = _registered(wrapper, source.registered)
            elif source.graph is None:
                tensor = given[_index(source)]
            else:
                tensor = computed[source.graph]
                if tensor.requires_grad and not differentiable:
                    tensor = tensor.detach()
            made[source] = tensor
        tensors.append(tensor)
    read = (plan.late[position].of(computed, numbers) for position in sorted(plan.late))
    return rebuild(plan.template, [*tensors, *read])


def _registered(wrapper: nn.Module, name: str) -> Tensor:
    owner, _, own_name = name.rpartition(".")
    module = wrapper.get_submodule(owner)
    tensor: Tensor = getattr(module, own_name)
    return tensor


def _index(source: Source) -> int:
    assert source.argument is not None, "a source is an output of the graph or an argument"
    return source.argument
