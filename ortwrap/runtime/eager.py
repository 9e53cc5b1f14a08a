"""One eager call of a step: what it returned, changed and would give as gradients.

It runs for the user, or again from the same state, as the measure of what a graph computes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from . import tree
from .attributes import Attribute, Holders, State, told_apart
from .behind_backward import kept_behind
from .compare import Results
from .contents import Content
from .data_writes import WRITES
from .distribution import Communication, is_running
from .gradients import foreign_leaves, gradients_of, set_aside
from .hooking import hear_hooks
from .parts import touching
from .plans import Call
from .reasons import Reason
from .seeding import hear_seeds
from .snapshot import Snapshot
from .structure import Leaves, describe


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
        state: what the attributes hold after it that the call told of.
        before: the state before the call.
        after: the state after it.
        impurity: what it did that no graph does, None if nothing.
        attributes: those that it set, and that a graph can hold.
        unread: the ids of the modules that no code was found to get at.
        read_unread: whether it got at one of them.
    """

    result: Any
    state: State
    before: Snapshot
    after: Snapshot
    impurity: Reason | None
    attributes: tuple[Attribute, ...]
    unread: frozenset[int] = frozenset()
    read_unread: bool = False

    @property
    def returned(self) -> Any:
        """All that a graph has to return: what attributes hold as well, if they are held."""
        return (self.result, self.state) if self.state else self.result

    def keeps_kind_of(self, state: State) -> bool:
        """Whether attributes that held `state` before hold the like of it, and as much, after."""
        before, after = Leaves(), Leaves()
        if describe(state, before) != describe(self.state, after):
            return False
        pairs = zip(before.tensors, after.tensors)
        return all(one.shape == other.shape for one, other in pairs)

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


def run_eagerly(wrapper: nn.Module, call: Call, unread: frozenset[int] = frozenset()) -> EagerCall:
    """Runs the call for the user; what it raises is the user's.

    Args:
        wrapper: the user's wrapper.
        call: the call.
        unread: the ids of the modules that forward does not get at, as far as its code tells.
    """
    modules = tree.flatten((wrapper,))
    holders = Holders(wrapper, call.state)
    holders.put(call.state)
    given = _Given(call)
    before = Snapshot(modules)
    listening = Communication() if is_running() else contextlib.nullcontext()
    with contextlib.ExitStack() as stack:
        communication = stack.enter_context(listening)
        seeds, hooks = stack.enter_context(hear_seeds()), stack.enter_context(hear_hooks())
        touched = stack.enter_context(touching(unread))
        result = wrapper(*call.args, **call.kwargs)
    after = Snapshot(modules)
    attributes, others = told_apart(wrapper, _changed_attributes(before))
    if communication is not None and communication.seen:
        impurity: Reason | None = Reason("forward communicates between processes")
    elif seeds:
        impurity = Reason("forward sets the state of torch's random numbers")
    elif hooks:
        impurity = hooks[0]
    elif given.is_changed(call):
        impurity = Reason("forward changes its arguments")
    else:
        impurity = _impurity(before, after) or _sets(others)
    return EagerCall(
        result, holders.read(), before, after, impurity, attributes, unread, bool(touched)
    )


class _Given:
    """What the arguments of a call held before it, objects and containers included."""

    def __init__(self, call: Call) -> None:
        self._described, tensors = _described(call)
        self._contents = [Content(tensor) for tensor in tensors]

    def is_changed(self, call: Call) -> bool:
        """Whether they hold something else now."""
        described = _described(call)[0]
        return described != self._described or not all(one.unchanged() for one in self._contents)


def _described(call: Call) -> tuple[tuple[Hashable, list[Any], list[int]], list[Tensor]]:
    leaves = Leaves(arrays=True)
    structure = describe(call.given, leaves)
    return (structure, leaves.numbers, [id(one) for one in leaves.tensors]), leaves.tensors


def _changed_attributes(before: Snapshot) -> list[tuple[nn.Module | None, str]]:
    """Those that have changed since; not the weights that hooks of torch compute."""
    return [
        (module, name)
        for module, name in before.changed_attributes()
        if module is None or name not in tree.set_by_hooks(module)
    ]


def _impurity(before: Snapshot, after: Snapshot) -> Reason | None:
    if before.parameter_changed_until(after):
        return Reason(f"forward {WRITES}")
    whose = _draws(before, after)
    return None if whose is None else Reason(f"forward draws from {whose}")


def _draws(before: Snapshot, after: Snapshot) -> str | None:
    """Whose random numbers have been drawn between the two, but for torch's."""
    if before.random.python_moved(after.random):
        return "Python's or NumPy's random numbers"
    if before.random.c_moved(after.random):
        return "the C library's random numbers, `rand()`"
    return None


def _sets(names: Sequence[str]) -> Reason | None:
    return Reason(f"forward sets {', '.join(sorted(set(names))[:3])}") if names else None


@contextlib.contextmanager
def as_if_not_tried(wrapper: nn.Module, call: Call, eager: EagerCall) -> Iterator[None]:
    """Keeps from the script what other runs of the call, and of its backward, leave behind.

    That is every `.grad` that they could add to, and what the backwards of Functions keep. The
    state of modules and of random numbers is `Snapshot`'s.
    """
    touched = [*wrapper.parameters(), *wrapper.buffers(), *call.tensors]
    with set_aside(touched), kept_behind(eager.returned):
        yield


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
    alone = call.with_tensors(tensors)
    eager.before.restore()
    return alone, run_eagerly(wrapper, alone)


def gradients_for(wrapper: nn.Module, call: Call, eager: EagerCall) -> EagerGradients:
    """The gradients of what an eager call returned, hooks and `.grad` left alone.

    Raises:
        Refused: nothing is trained, or something that the step was not given.
    """
    leaves = Leaves()
    describe(eager.returned, leaves)
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
    gradients = EagerGradients(wanted, names, gradients_of(outputs, wanted, keep_graph=True))
    _check_backward(wrapper, eager.after)
    return gradients


def _check_backward(wrapper: nn.Module, before: Snapshot) -> None:
    """Makes sure that a backward which has just run did nothing but to compute gradients.

    A checkpoint that runs forward once more counts each batch twice, in the statistics of BatchNorm
    for example; a graph keeps or recomputes what it needs without any of that.

    Raises:
        Refused: it did more.
    """
    after = Snapshot(before.modules)
    written = [name for _, name, _ in before.changes_of_buffers_until(after)]
    _, others = told_apart(wrapper, _changed_attributes(before))
    if written or others:
        names = ", ".join(sorted({*written, *others})[:3])
        raise Refused(
            Reason(f"backward changes {names}, as a checkpoint does that runs forward again")
        )
    if before.random.torch_moved(after.random) or _draws(before, after):
        raise Refused(Reason("backward draws random numbers"))


def results_of(eager: EagerCall, gradients: EagerGradients) -> Results:
    """What the call computed and left behind."""
    leaves = Leaves()
    describe(eager.returned, leaves)
    buffers = eager.after.buffer_values
    return Results(leaves.tensors, gradients.values, buffers, gradients.names)
