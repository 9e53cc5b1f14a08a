"""Whether a graph gives what eager gives: both are run from one state and compared.

Values, gradients and buffers count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .compare import Results, results_difference
from .determinism import WithoutChance
from .eager import (
    EagerCall,
    EagerGradients,
    as_if_not_tried,
    gradients_for,
    isolated,
    results_of,
    run_eagerly,
)
from .gradients import gradients_of
from .plans import Call, GraphPlan
from .quiet import quiet
from .reasons import Reason
from .script_errors import raise_if_signalled
from .snapshot import RandomState
from .structure import Leaves, describe

CANNOT = "ONNX Runtime cannot run it"


def compare_again(wrapper: nn.Module, plan: GraphPlan, call: Call, eager: EagerCall) -> str | None:
    """Compares a graph with an eager call that has just run; leaves the state as that left it.

    Returns:
        How they differ, None if they do not.
    """
    if eager.impurity is not None:
        return eager.impurity.text
    try:
        with as_if_not_tried(wrapper, call, eager):
            alone, twin = isolated(wrapper, call, eager)
            gradients = gradients_for(wrapper, alone, twin)
            return how_it_differs(wrapper, plan, alone, twin, gradients)
    except Exception as error:
        raise_if_signalled(error)
        return str(Reason.of_failure(CANNOT, error))
    finally:
        eager.after.restore()


# A graph leaves out what is drawn for nothing, as the first weights of a layer made in forward.
OTHER_DRAWS = "how many random numbers are drawn"


def how_it_differs(
    wrapper: nn.Module, plan: GraphPlan, call: Call, eager: EagerCall, gradients: EagerGradients
) -> str | None:
    """Runs the graph from the state before the eager call and says how it differs.

    Args:
        wrapper: the user's wrapper.
        plan: the graph; its `rounding` says how closely to look.
        call: the call that ran.
        eager: what it gave, with no graph of earlier calls behind its arguments.
        gradients: its gradients.
    """
    text = _difference(plan, call, eager, gradients)
    if text in (None, OTHER_DRAWS) or not eager.random:
        return text
    # Other masks than torch's are no fault of the graph.
    eager.before.restore()
    with WithoutChance():
        calm = run_eagerly(wrapper, call)
        calm_gradients = gradients_for(wrapper, call, calm)
    with plan.graph.without_chance() as possible:
        if not possible or calm.random:
            return "it draws random numbers that cannot be held still, so nothing was compared"
        return _difference(plan, call, calm, calm_gradients)


def _difference(
    plan: GraphPlan, call: Call, eager: EagerCall, gradients: EagerGradients
) -> str | None:
    eager.before.restore()
    ours, theirs = Leaves(), Leaves()
    with quiet():
        computed = plan.compute(call)
        if eager.random and RandomState.of_torch().torch_moved(eager.after.random):
            return OTHER_DRAWS
        kept = [output.detach().clone() for output in computed]
        result = plan.restore(computed, call)
        same = describe(result, ours) == describe(eager.returned, theirs)
        late = plan.outputs.late
        if not same or _fixed(ours, late) != _fixed(theirs, late):
            return "the structure of the result"
        outputs = [tensor for tensor in ours.tensors if tensor.requires_grad]
        found = gradients_of(outputs, gradients.leaves, keep_graph=False)
    damaged = _damaged(computed, kept)
    if damaged - plan.copied:
        plan.copied |= damaged
        return _difference(plan, call, eager, gradients)
    reference = results_of(eager, gradients)
    results = Results(
        [*ours.tensors, *_read(ours, late)],
        found,
        eager.after.buffer_values_now(),
        gradients.names,
    )
    reference = replace(reference, outputs=[*reference.outputs, *_read(theirs, late)])
    return results_difference(results, reference, plan.rounding)


def _fixed(leaves: Leaves, late: Collection[int]) -> list[Any]:
    """The numbers that a graph does not compute."""
    return [number for index, number in enumerate(leaves.numbers) if index not in late]


def _read(leaves: Leaves, late: Collection[int]) -> list[Tensor]:
    """The numbers that are read off a graph's outputs, as tensors to compare."""
    return [torch.tensor(leaves.numbers[index]) for index in sorted(late)]


def _damaged(outputs: Sequence[Tensor], kept: Sequence[Tensor]) -> frozenset[int]:
    """Which outputs the backward wrote over: ORT reuses memory that torch has been handed."""
    pairs = enumerate(zip(outputs, kept))
    return frozenset(index for index, (now, then) in pairs if not torch.equal(now, then))
