"""One run of a training graph, as a function of torch's autograd.

It does what ORTModule's own function does, without what that looks up anew for each input of each
step: devices, memory statistics, options.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor
from torch._C import _from_dlpack, _to_dlpack

from . import machine
from .branches import Branches
from .reasons import BackwardFailed
from .script_errors import last_printed, raise_if_signalled, raised_inside

_Made = tuple[torch.Size, torch.device, torch.dtype]


def autograd_function(
    manager: Any,
    on_error: Callable[[BaseException], None],
    read: Sequence[int],
    branches: Branches,
) -> type[torch.autograd.Function]:
    """A function from the graph's inputs to its outputs.

    Args:
        manager: ORTModule's TrainingManager, with its graph built.
        on_error: is told what a backward raises.
        read: the inputs that a backward reads, and that nobody may write to before.
        branches: what the outputs depend on.
    """
    from onnxruntime.capi import _pybind_state as C

    graph = manager._graph_info
    constant = frozenset(graph.output_grad_indices_non_differentiable)
    of_full_shape = frozenset(graph.output_grad_indices_require_full_shape)
    kept = [
        index
        for index in graph.module_output_indices_requires_save_for_backward
        if index < len(graph.user_output_names)
    ]
    gradient_of: Sequence[int] = tuple(manager._gradient_map)

    def run_backward(state: Any, gradients: Sequence[Tensor]) -> list[Tensor]:
        feeds, fetches = C.OrtValueVector(), C.OrtValueVector()
        feeds.reserve(len(gradients))
        for gradient in gradients:
            _push(feeds, gradient)
        with machine.inside_graph():
            manager._execution_agent._training_agent.run_backward(feeds, fetches, state)
        return _tensors(fetches)

    # `grad_fn` shows the name: `ortwrap.proof` tells by it, as by ORTModule's own, what ran.
    class ORTModuleFunction(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Tensor) -> tuple[Tensor, ...]:
            state, feeds, fetches = (
                C.PartialGraphExecutionState(),
                C.OrtValueVector(),
                C.OrtValueVector(),
            )
            feeds.reserve(len(inputs))
            for tensor in inputs:
                _push(feeds, tensor)
            agent, before = manager._execution_agent._training_agent, last_printed()
            try:
                with machine.inside_graph():
                    agent.run_forward(feeds, fetches, state, None)
            except Exception as error:
                own = raised_inside(error, before)
                raise_if_signalled(own)
                if not isinstance(own, Exception):
                    raise own from error
                # What else the script raises, it raises again when the call runs eagerly.
                raise
            outputs = tuple(_tensors(fetches))
            ctx.set_materialize_grads(False)
            ctx.state = state
            ctx.made = [(output.shape, output.device, output.dtype) for output in outputs]
            # ONNX Runtime reads them in backward: torch must tell who writes to them before.
            ctx.save_for_backward(*(outputs[at] for at in kept), *(inputs[at] for at in read))
            ctx.mark_non_differentiable(*(outputs[index] for index in constant))
            return outputs

        @staticmethod
        def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
            before = last_printed()
            try:
                if torch.is_grad_enabled():
                    raise RuntimeError("create_graph=True: gradients of gradients need eager")
                if ctx.state is None:
                    raise RuntimeError(
                        "a second backward through one loss (retain_graph) needs eager"
                    )
                _ = ctx.saved_tensors
                objection = branches.objection(ctx, upstream)
                if objection is not None:
                    raise RuntimeError(objection)
                given = [
                    _zeros(ctx.made[index], index in of_full_shape)
                    if gradient is None
                    else gradient
                    for index, gradient in enumerate(upstream)
                    if index not in constant
                ]
                # What it holds of the forward goes as soon as it has been used.
                state, ctx.state = ctx.state, None
                found = _separate(run_backward(state, given))
            except Exception as error:
                own = raised_inside(error, before)
                if own is not error:
                    raise own from error
                on_error(error)
                said = str(error).rstrip(".")
                raise BackwardFailed(
                    "ortwrap: ONNX Runtime failed in backward, which cannot be undone: "
                    f"{said}. The next run of this script runs the step eagerly; so does "
                    "ORTWRAP_BACKEND=eager, or '# ortwrap: skip' on it."
                ) from error
            reached = branches.reached(upstream)
            return tuple(
                [
                    None
                    if at < 0 or (reached is not None and position not in reached)
                    else found[at]
                    for position, at in enumerate(gradient_of)
                ]
            )

    return ORTModuleFunction


def _push(feeds: Any, tensor: Tensor) -> None:
    """Hands `tensor` to ONNX Runtime, which shares its memory."""
    if tensor.dtype is torch.bool:
        # DLPack as ONNX Runtime speaks it knows no truth values.
        feeds.push_back(_to_dlpack(tensor.contiguous().view(torch.uint8)), True)
    else:
        feeds.push_back(_to_dlpack(tensor.contiguous()), False)


def _tensors(fetches: Any) -> list[Tensor]:
    """What ONNX Runtime hands back, in its memory."""
    tensors: list[Tensor] = fetches.to_dlpacks(_from_dlpack) if len(fetches) else []
    for index in fetches.bool_tensor_indices():
        tensors[index] = tensors[index].to(torch.bool)
    return tensors


def _zeros(output: _Made, full: bool) -> Tensor:
    """The gradient of an output that nobody uses."""
    shape, device, dtype = output
    return torch.zeros(shape if full else (), device=device, dtype=dtype)


def _separate(gradients: list[Tensor]) -> list[Tensor]:
    """Copies gradients that lie in the same memory as another one.

    torch takes each of them for its parameter's own, and clips or scales them in place.
    """
    seen: set[int] = set()
    for index, gradient in enumerate(gradients):
        start = gradient.data_ptr()
        if start and start in seen:
            gradients[index] = gradient.clone()
        seen.add(start)
    return gradients
