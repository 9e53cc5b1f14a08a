"""The first call of a signature: run eagerly for the user, and tried on ONNX Runtime beside it.

The eager run is the real one: what it returns, raises and changes is what the user gets. The
attempt starts from the state before it, is compared with it, and is then undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, NoReturn

from torch import Tensor, nn

from . import machine, precision
from .branches import branches_of, only_beside_the_loss
from .buffers import Kept, by_forward_itself, changed_buffers
from .eager import (
    EagerCall,
    EagerGradients,
    Refused,
    as_if_not_tried,
    gradients_for,
    isolated,
    run_eagerly,
)
from .entry import GraphEntry, OutputPlan, plan_outputs
from .export import Graph, export
from .judge import CANNOT, OTHER_DRAWS, how_it_differs
from .labels import look_at, without_own_sparsity
from .ladder import FIRST, Rung, rungs_after
from .operators.losses import all_in_torch
from .plans import Call, EagerPlan, GraphPlan, Plan, graph_inputs
from .reasons import Reason
from .script_errors import raise_if_signalled
from .structure import Leaves, Opaque, describe, template_of
from .testimony import Testimony
from .witness import watch_trace

_DIFFERS = "ONNX Runtime computes something else than eager"
# The step may be calm at other weights.
_FREES = (
    "a result beside the loss depends on an argument that has a graph of its own and the loss does "
    "not: its backward would free that graph"
)
_CHAOTIC = (
    "eager's own results change beyond recognition when the last bits of its weights do, so that "
    "nothing can be compared"
)


class NeedsNumbers(Exception):
    """The trace needed one of the numbers given as tensors as a Python number."""


class Deferred(Exception):
    """This call does not tell how the next ones are to be run."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.reason = Reason(text)


class _WrittenByOperators(Exception):
    """Operators of torch write to some of the buffers that the graph was to return."""

    def __init__(self, kept: Collection[Kept]) -> None:
        super().__init__()
        self.kept = frozenset(kept)


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
            with as_if_not_tried(self.wrapper, self.call, self.eager):
                call, eager = isolated(self.wrapper, self.call, self.eager)
                gradients = gradients_for(self.wrapper, call, eager)
                self._check_frees_no_graph(call, eager, gradients)
                exporting = _Exporting(self.wrapper, call, eager, gradients, general)
                plan = self._proved(exporting, exporting.plan())
        except (NeedsNumbers, Deferred):
            raise
        except Refused as refusal:
            return EagerPlan(refusal.reason)
        except Opaque as opaque:
            return EagerPlan(Reason(f"the step returns {opaque.reason}"))
        except Exception as error:
            raise_if_signalled(error)
            return EagerPlan(Reason.of_failure(CANNOT, error))
        finally:
            self.eager.after.restore()
        plan.graph.on_backward_error = self.on_backward_error
        return plan

    def _check_frees_no_graph(self, alone: Call, eager: EagerCall, of: EagerGradients) -> None:
        """The loss depends on all arguments that have a graph of their own.

        Args:
            alone: the call without those graphs.
            eager: what that gave.
            of: the gradients of it.

        Raises:
            Refused: only another result depends on one of them.
        """
        arguments = alone.trained
        first = len(of.leaves) - len(arguments)
        computed = [
            first + place
            for place, index in enumerate(arguments)
            if self.call.tensors[index] is not alone.tensors[index]
        ]
        if not computed:
            return
        leaves = Leaves()
        describe(eager.returned, leaves)
        results = [tensor for tensor in leaves.tensors if tensor.requires_grad]
        if only_beside_the_loss(branches_of(results, of.leaves), computed):
            raise Refused(Reason(_FREES))

    def _proved(self, exporting: _Exporting, plan: GraphPlan) -> GraphPlan:
        """The plan, if it gives what eager gives.

        Raises:
            Deferred: this call does not tell.
            Refused: it does not.
        """
        call = exporting.call
        objection = plan.objection(call, look_at(plan.uses, call.tensors))
        if objection is not None:
            raise Deferred(f"every batch so far has {objection}")
        text = exporting.how_it_differs(plan)
        if text is not None and plan.lacking is not None:
            raise Refused(plan.lacking)
        if text == OTHER_DRAWS:
            raise Refused(Reason(f"{_DIFFERS}: {text}"))
        if text is not None:
            if not precision.is_single(self.wrapper):
                exporting.refuse(text)
            self._prove_in_double(call, exporting.general, text)
            machine.give_back()
            plan.proved_in_double = True
            plan.rounding = exporting.how_far_rounding_goes()
            text = exporting.how_it_differs(plan)
            if text is not None:
                exporting.refuse(text)
        plan.prove(call, plan.complaints)
        return plan

    def _prove_in_double(self, call: Call, general: frozenset[int], text: str) -> None:
        """Makes sure that the step, as a graph in double precision, gives exactly what eager gives.

        Raises:
            Refused: it does not, or it cannot be had; `text` says what differs without it.
            Deferred: nobody can tell at these weights.
        """
        self.eager.before.restore()
        try:
            with precision.in_double(self.wrapper, call) as (wrapper, again):
                eager = run_eagerly(wrapper, again)
                plan = Attempt(wrapper, again, eager, self.on_backward_error).plan(general)
        except Deferred:
            raise
        except Exception as error:
            raise_if_signalled(error)
            why = Reason.of_failure("could not be tried", error)
            raise Refused(Reason(f"{_DIFFERS}: {text}; double precision {why}")) from error
        if isinstance(plan, EagerPlan):
            raise Refused(Reason(f"{_DIFFERS}: {text}; in double precision {plan.reason}"))


@dataclass(frozen=True)
class _Exporting:
    """What is known of a call when it is exported.

    Attributes:
        wrapper: the user's wrapper.
        call: the call, with no graph of earlier calls behind its arguments.
        eager: what it gave and did eagerly.
        gradients: those of what it gave.
        general: which Python numbers to take as tensors.
    """

    wrapper: nn.Module
    call: Call
    eager: EagerCall
    gradients: EagerGradients
    general: frozenset[int]

    def plan(self) -> GraphPlan:
        """A graph for the call, not compared with eager yet.

        Raises:
            NeedsNumbers: `general` cannot be had.
            Refused: it cannot be exported.
        """
        changed = changed_buffers(self.wrapper, self.eager)
        kept = by_forward_itself(self.wrapper, changed)
        # The state is that after the call still.
        named = (*self.wrapper.named_parameters(), *self.wrapper.named_buffers())
        registered = {id(tensor): name for name, tensor in named}
        outputs = plan_outputs(self.eager.returned, self.call.tensors, registered)
        try:
            return self._plan(outputs, changed, kept)
        except _WrittenByOperators as written:
            left = [one for one in kept if one not in written.kept]
            return self._plan(outputs, changed, left)

    def how_it_differs(self, plan: GraphPlan) -> str | None:
        """What the plan gives otherwise than eager, None if nothing."""
        return how_it_differs(self.wrapper, plan, self.call, self.eager, self.gradients)

    def how_far_rounding_goes(self) -> float:
        """See `precision.how_far_rounding_goes`."""
        self.eager.before.restore()
        return precision.how_far_rounding_goes(self.wrapper, self.call, self.eager, self.gradients)

    def refuse(self, text: str) -> NoReturn:
        """Refuses a graph that differs, unless eager differs from itself as much.

        Raises:
            Refused: with `text`, which says how it differs.
            Deferred: nobody can tell at these weights.
        """
        self.eager.before.restore()
        if precision.is_unsettled(self.wrapper, self.call, self.eager, self.gradients):
            raise Deferred(_CHAOTIC)
        raise Refused(Reason(f"{_DIFFERS}: {text}"))

    def _plan(
        self, outputs: OutputPlan, changed: Sequence[Kept], kept: Sequence[Kept]
    ) -> GraphPlan:
        """The graph that returns those of the changed buffers that are `kept`."""
        cut = _cut_off(self.call, self.gradients)
        tensors = graph_inputs(self.call, self.general, cut)
        entry = self._entry(tensors, outputs, kept)
        graph, seen = self._export(entry, tensors)
        if graph.holds_deadly_loss() and not _can_be_looked_at(seen, graph):
            with all_in_torch():
                graph, seen = self._export(entry, tensors)
        self._tell_branches(graph, outputs)
        return GraphPlan(
            graph,
            outputs.with_late(self.eager.returned, seen.late),
            seen,
            self.general,
            [f"wrapper.{one.full_name}" for one in changed if one not in kept],
            self.eager.random,
            cut,
            tuple(self.call.state),
        )

    def _tell_branches(self, graph: Graph, outputs: OutputPlan) -> None:
        """Lets the graph leave those without a gradient that eager leaves without one."""
        leaves = Leaves()
        describe(self.eager.returned, leaves)
        results = [leaves.tensors[index] for index in outputs.exported]
        arguments = self.call.trained
        trained = len(self.gradients.leaves) - len(arguments)
        graph.tell_branches(
            branches_of(results, self.gradients.leaves),
            [*self.gradients.names[:trained], *arguments],
        )

    def _entry(
        self, tensors: Sequence[Tensor], outputs: OutputPlan, kept: Sequence[Kept]
    ) -> GraphEntry:
        template = template_of(self.call.given, self.general)
        trained = [tensor.requires_grad for tensor in tensors]
        return GraphEntry(
            self.wrapper, template, trained, outputs.exported, kept, self.eager.unread
        )

    def _export(self, entry: GraphEntry, tensors: Sequence[Tensor]) -> tuple[Graph, Testimony]:
        """The graph, and what was seen while it was traced."""
        untrained = _untrained(self.wrapper, self.gradients)
        numbers = range(len(self.call.tensors), len(tensors))
        graph, seen = _by_the_ladder(self.eager, entry, tensors, untrained, numbers)
        if entry.written:
            raise _WrittenByOperators(entry.written)
        if seen.numbers is not None:
            raise NeedsNumbers
        if seen.refusal is not None:
            raise Refused(seen.refusal)
        return graph, seen


def _by_the_ladder(
    eager: EagerCall,
    entry: GraphEntry,
    tensors: Sequence[Tensor],
    untrained: frozenset[str],
    numbers: Sequence[int],
) -> tuple[Graph, Testimony]:
    """The graph by the first rung that holds, and what was seen while it was traced.

    Raises:
        Refused: none does; the reason is what went wrong on the first.
    """
    refusal: Refused | None = None
    waiting: Iterator[Rung] = iter((FIRST,))
    while (rung := next(waiting, None)) is not None:
        eager.before.restore()
        with without_own_sparsity(), watch_trace(numbers) as seen:
            try:
                return export(entry, tensors, untrained, rung), seen
            except Exception as error:
                raise_if_signalled(error)
                if refusal is None:
                    # What forward asks for and no graph can hold says more than how that ended.
                    known = seen.refusal or seen.lacking
                    why = known or Reason.of_failure(CANNOT, error, seen.place_of(error))
                    refusal = Refused(why)
                    waiting = rungs_after(error) if known is None else iter(())
    assert refusal is not None, "the first rung has been tried"
    raise refusal


def _untrained(wrapper: nn.Module, gradients: EagerGradients) -> frozenset[str]:
    """Names in the entry of the parameters that eager gives no gradient."""
    pairs = zip(gradients.names, gradients.values)
    trained = {name for name, value in pairs if value is not None}
    names = (name for name, _ in wrapper.named_parameters())
    return frozenset(f"wrapper.{name}" for name in names if name not in trained)


def _cut_off(call: Call, gradients: EagerGradients) -> frozenset[int]:
    """Arguments that require grad and get none, such as a hidden state that forward detaches."""
    values = dict(zip(gradients.names, gradients.values))
    return frozenset(
        index for place, index in enumerate(call.trained) if values[f"argument {place}"] is None
    )


def _can_be_looked_at(testimony: Testimony, graph: Graph) -> bool:
    """Whether it shows before a step which of its labels would kill the process.

    Of labels that forward cuts off none may be left, whatever the argument holds. And ONNX Runtime
    makes 0 of what torch makes nan, a mean of labels whose classes weigh nothing.
    """
    doubtful = (use.computed or use.weighted or use.kept != 1 for use in testimony.labels)
    return graph.fixes_classes() and not any(doubtful)
