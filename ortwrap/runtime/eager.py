"""One eager call of a step: what it returned, changed and would give as gradients.

It runs for the user, or again from the same state, as the measure of what a graph computes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from . import tree
from .compare import Results
from .distribution import Communication, is_running
from .gradients import foreign_leaves, gradients_of
from .plans import Call
from .reasons import Reason
from .snapshot import Snapshot
from .structure import Leaves, describe, rebuild, template_of


class Refused(Exception):
    """ONNX Runtime must not run this call."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class EagerCall:
    """What one eager call of the wrapper gave and did.

    Attributes:
        result: what it returned.
        before: the state before the call.
        after: the state after it.
        impurity: what it did that no graph does, None if nothing.
    """

    result: Any
    before: Snapshot
    after: Snapshot
    impurity: Reason | None

    @property
    def random(self) -> bool:
        """Whether torch drew random numbers."""
        return self.before.random.torch_moved(self.after.random)


@dataclass(frozen=True)
class EagerGradients:
    """The gradients of an eager call.

    Attributes:
        leaves: trainable parameters and arguments.
        names: a name for each of them.
        values: the gradient of each, None where there is none.
    """

    leaves: tuple[Tensor, ...]
    names: tuple[str, ...]
    values: tuple[Tensor | None, ...]


def run_eagerly(wrapper: nn.Module, call: Call) -> EagerCall:
    """Runs the call for the user; what it raises is the user's."""
    modules = tree.flatten((wrapper,))
    given = _content_of(call)
    before = Snapshot(modules)
    with Communication() if is_running() else contextlib.nullcontext() as communication:
        result = wrapper(*call.args, **call.kwargs)
    after = Snapshot(modules)
    if communication is not None and communication.seen:
        impurity: Reason | None = Reason("forward communicates between processes")
    elif given != _content_of(call):
        impurity = Reason("forward changes its arguments")
    else:
        impurity = _impurity(before, after, modules)
    return EagerCall(result, before, after, impurity)


def _content_of(call: Call) -> tuple[Hashable, list[Any], list[tuple[int, int]]]:
    """What the arguments hold, objects and containers included, tensors by their versions."""
    leaves = Leaves()
    structure = describe((call.args, call.kwargs), leaves)
    return structure, leaves.numbers, [(id(one), one._version) for one in leaves.tensors]


def _impurity(before: Snapshot, after: Snapshot, modules: Sequence[nn.Module]) -> Reason | None:
    if before.changed_parameter():
        return Reason("forward writes to parameters in place")
    if before.random.python_moved(after.random):
        return Reason("forward draws from Python's or NumPy's random numbers")
    by_hook = any(map(tree.sets_attributes_by_hook, modules))
    changed = [] if by_hook else before.changed_attributes()
    return Reason(f"forward sets {', '.join(sorted(set(changed))[:3])}") if changed else None


def isolated(wrapper: nn.Module, call: Call, eager: EagerCall) -> tuple[Call, EagerCall]:
    """The same call and its eager run, on arguments that no graph of earlier calls hangs on.

    Gradients that are only compared must not run through that graph: it is the user's, and it
    may lead to the same parameters.
    """
    if all(tensor.grad_fn is None for tensor in call.tensors):
        return call, eager
    tensors = [
        tensor.detach().requires_grad_(tensor.requires_grad)
        if tensor.grad_fn is not None
        else tensor
        for tensor in call.tensors
    ]
    args, kwargs = rebuild(template_of((call.args, call.kwargs)), tensors)
    alone = Call(args, kwargs, tensors, call.numbers)
    eager.before.restore()
    return alone, run_eagerly(wrapper, alone)


def gradients_for(wrapper: nn.Module, call: Call, eager: EagerCall) -> EagerGradients:
    """The gradients of what an eager call returned, hooks and `.grad` left alone.

    Raises:
        Refused: nothing is trained, or something that the step was not given.
    """
    leaves = Leaves()
    describe(eager.result, leaves)
    outputs = [tensor for tensor in leaves.tensors if tensor.requires_grad]
    if not outputs:
        raise Refused(Reason("nothing that the step returns requires grad"))
    named = dict(wrapper.named_parameters())
    inputs = [tensor for tensor in call.tensors if tensor.requires_grad]
    unknown = foreign_leaves(outputs, list(named.values()), inputs)
    if unknown:
        text = f"the loss trains a tensor of shape {tuple(unknown[0].shape)} that is no parameter"
        raise Refused(Reason(f"{text} of a module that the step was given"))
    trained = {name: tensor for name, tensor in named.items() if tensor.requires_grad}
    wanted = (*trained.values(), *inputs)
    names = (*trained, *(f"argument {index}" for index in range(len(inputs))))
    return EagerGradients(wanted, names, gradients_of(outputs, wanted, keep_graph=True))


def results_of(eager: EagerCall, gradients: EagerGradients) -> Results:
    """What the call computed and left behind."""
    leaves = Leaves()
    describe(eager.result, leaves)
    buffers = eager.after.buffer_values
    return Results(leaves.tensors, gradients.values, buffers, gradients.names)
