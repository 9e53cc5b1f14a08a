"""The first call of a signature: run eagerly for the user, and tried on ONNX Runtime beside it.

The eager run is the real one: what it returns, raises and changes is what the user gets. The
attempt starts from the state before it, is compared with it, and is then undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

from torch import Tensor, nn

from . import tree
from .compare import difference, gradient_difference
from .determinism import WithoutChance
from .entry import GraphEntry, OutputPlan, plan_outputs, restore_outputs
from .export import export, quiet
from .gradients import foreign_leaves, gradients_of
from .labels import look_at, mark_if_sparse, without_own_sparsity
from .plans import Call, EagerPlan, GraphPlan, Plan, graph_inputs
from .reasons import Reason
from .snapshot import Snapshot
from .structure import Leaves, Opaque, describe, rebuild, template_of
from .witness import Testimony, watch_trace

_CANNOT = "ONNX Runtime cannot run it"


class NeedsNumbers(Exception):
    """The trace needed one of the numbers given as tensors as a Python number."""


class Deferred(Exception):
    """This call does not tell how the next ones are to be run."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.reason = Reason(text)


class _Refused(Exception):
    """The attempt on ONNX Runtime must not be used."""

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
    versions = [tensor._version for tensor in call.tensors]
    before = Snapshot(modules)
    result = wrapper(*call.args, **call.kwargs)
    after = Snapshot(modules)
    if versions != [tensor._version for tensor in call.tensors]:
        impurity: Reason | None = Reason("forward writes to its arguments in place")
    else:
        impurity = _impurity(before, after, modules)
    return EagerCall(result, before, after, impurity)


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


@dataclass(frozen=True)
class Attempt:
    """An attempt to run a call, which has just run eagerly, on ONNX Runtime.

    Attributes:
        wrapper: the user's wrapper.
        call: the call.
        eager: what it gave and did eagerly.
        on_backward_error: told of failures in a later backward.
    """

    wrapper: nn.Module
    call: Call
    eager: EagerCall
    on_backward_error: Callable[[BaseException], None]

    def plan(self, general: frozenset[int]) -> Plan:
        """Exports the call and compares the results; leaves the state as eager left it.

        Args:
            general: which Python numbers to take as tensors.

        Raises:
            NeedsNumbers: `general` cannot be had.
            Deferred: a later call must decide.
        """
        try:
            call, eager = isolated(self.wrapper, self.call, self.eager)
            outputs = plan_outputs(eager.result, call.tensors)
            gradients = _gradients(self.wrapper, call, eager)
            return self._graph(call, eager, outputs, gradients, general)
        except (NeedsNumbers, Deferred):
            raise
        except _Refused as refusal:
            return EagerPlan(refusal.reason)
        except Opaque as opaque:
            return EagerPlan(Reason(f"the step returns {opaque.reason}"))
        except Exception as error:
            return EagerPlan(Reason.of_failure(_CANNOT, error))
        finally:
            self.eager.after.restore()

    def _graph(
        self,
        call: Call,
        eager: EagerCall,
        outputs: OutputPlan,
        gradients: EagerGradients,
        general: frozenset[int],
    ) -> GraphPlan:
        template = template_of((call.args, call.kwargs), general)
        tensors = graph_inputs(call, general)
        trained = [tensor.requires_grad for tensor in tensors]
        entry = GraphEntry(self.wrapper, template, trained, outputs.exported)
        untrained = _untrained(self.wrapper, gradients)
        eager.before.restore()
        numbers = range(len(call.tensors), len(tensors))
        with without_own_sparsity(), watch_trace(numbers, mark_if_sparse) as seen:
            try:
                graph = export(entry, tensors, untrained)
            except Exception as error:
                place = seen.place_of(error)
                raise _Refused(Reason.of_failure(_CANNOT, error, place)) from error
        _judge(seen)
        buffers = _changed_buffers(self.wrapper, eager)
        plan = GraphPlan(graph, outputs, seen.labels, general, seen.shapes, buffers)
        objection = plan.objection(call, look_at(plan.uses, call.tensors))
        if objection is not None:
            raise Deferred(f"every batch so far has {objection}")
        text = _compare(self.wrapper, plan, call, eager, gradients)
        if text is not None:
            raise _Refused(Reason(f"ONNX Runtime computes something else than eager: {text}"))
        plan.prove(call)
        graph.on_backward_error = self.on_backward_error
        return plan


def compare_again(wrapper: nn.Module, plan: GraphPlan, call: Call, eager: EagerCall) -> str | None:
    """Compares a graph with an eager call that has just run; leaves the state as that left it.

    Returns:
        How they differ, None if they do not.
    """
    if eager.impurity is not None:
        return eager.impurity.text
    try:
        alone, twin = isolated(wrapper, call, eager)
        return _compare(wrapper, plan, alone, twin, _gradients(wrapper, alone, twin))
    except Exception as error:
        return str(Reason.of_failure(_CANNOT, error))
    finally:
        eager.after.restore()


def _gradients(wrapper: nn.Module, call: Call, eager: EagerCall) -> EagerGradients:
    leaves = Leaves()
    describe(eager.result, leaves)
    outputs = [tensor for tensor in leaves.tensors if tensor.requires_grad]
    if not outputs:
        raise _Refused(Reason("nothing that the step returns requires grad"))
    named = dict(wrapper.named_parameters())
    inputs = [tensor for tensor in call.tensors if tensor.requires_grad]
    unknown = foreign_leaves(outputs, list(named.values()), inputs)
    if unknown:
        text = f"the loss trains a tensor of shape {tuple(unknown[0].shape)} that is no parameter"
        raise _Refused(Reason(f"{text} of a module that the step was given"))
    trained = {name: tensor for name, tensor in named.items() if tensor.requires_grad}
    wanted = (*trained.values(), *inputs)
    names = (*trained, *(f"argument {index}" for index in range(len(inputs))))
    return EagerGradients(wanted, names, gradients_of(outputs, wanted, keep_graph=True))


def _compare(
    wrapper: nn.Module, plan: GraphPlan, call: Call, eager: EagerCall, gradients: EagerGradients
) -> str | None:
    """Runs the graph from the state before the eager call and says how it differs."""
    text = _difference(plan, call, eager, gradients)
    if text is None or not eager.random:
        return text
    # Other masks than torch's are no fault of the graph.
    eager.before.restore()
    with WithoutChance():
        calm = run_eagerly(wrapper, call)
        calm_gradients = _gradients(wrapper, call, calm)
    with plan.graph.without_chance() as possible:
        if possible and not calm.random:
            return _difference(plan, call, calm, calm_gradients)
    return _difference(plan, call, eager, gradients, values=False)


def _difference(
    plan: GraphPlan,
    call: Call,
    eager: EagerCall,
    gradients: EagerGradients,
    values: bool = True,
) -> str | None:
    eager.before.restore()
    ours, theirs = Leaves(), Leaves()
    with quiet():
        computed = plan.compute(call)
        kept = [output.detach().clone() for output in computed]
        result = restore_outputs(plan.outputs, computed, call.tensors)
        same = describe(result, ours) == describe(eager.result, theirs)
        if not same or ours.numbers != theirs.numbers:
            return "the structure of the result"
        outputs = [tensor for tensor in ours.tensors if tensor.requires_grad]
        found = gradients_of(outputs, gradients.leaves, keep_graph=False)
    damaged = _damaged(computed, kept)
    if damaged - plan.copied:
        plan.copied |= damaged
        return _difference(plan, call, eager, gradients, values)
    if not values:
        return None
    for index, (mine, reference) in enumerate(zip(ours.tensors, theirs.tensors)):
        text = difference(mine, reference)
        if text is not None:
            return f"output {index} {text}"
    text = gradient_difference(found, gradients.values, gradients.names)
    return text or _buffer_difference(eager)


def _damaged(outputs: Sequence[Tensor], kept: Sequence[Tensor]) -> frozenset[int]:
    """Which outputs the backward wrote over: ORT reuses memory that torch has been handed."""
    pairs = enumerate(zip(outputs, kept))
    return frozenset(index for index, (now, then) in pairs if difference(now, then) is not None)


def _buffer_difference(eager: EagerCall) -> str | None:
    differing = eager.after.changed_buffers()
    return f"{len(differing)} buffers after the call" if differing else None


def _untrained(wrapper: nn.Module, gradients: EagerGradients) -> frozenset[str]:
    """Names in the entry of the parameters that eager gives no gradient."""
    pairs = zip(gradients.names, gradients.values)
    trained = {name for name, value in pairs if value is not None}
    names = (name for name, _ in wrapper.named_parameters())
    return frozenset(f"wrapper.{name}" for name in names if name not in trained)


def _judge(testimony: Testimony) -> None:
    if testimony.numbers is not None:
        raise NeedsNumbers
    if testimony.refusal is not None:
        raise _Refused(testimony.refusal)
    if any(use.computed for use in testimony.labels):
        raise _Refused(Reason("labels are computed in forward: a bad one would kill the process"))


def _changed_buffers(wrapper: nn.Module, eager: EagerCall) -> list[str]:
    changed = set(map(id, eager.before.changed_buffers_until(eager.after)))
    named = wrapper.named_buffers()
    return [f"wrapper.{name}" for name, buffer in named if id(buffer) in changed]
