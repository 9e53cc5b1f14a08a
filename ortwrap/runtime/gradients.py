"""Gradients of one call, computed without a trace: no hook runs, no `.grad` is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

USES_OF_GRADIENTS = {
    torch.autograd.grad: "calls torch.autograd.grad",
    torch.autograd.backward: "calls torch.autograd.backward",
    Tensor.backward: "calls backward",
    Tensor.register_hook: "calls register_hook",
    Tensor.retain_grad: "calls retain_grad",
    Tensor.grad.__get__: "uses .grad",  # type: ignore[union-attr]
    Tensor.grad.__set__: "uses .grad",  # type: ignore[union-attr]
    Tensor.grad.__delete__: "uses .grad",  # type: ignore[union-attr]
}
"""What a forward may do to gradients, none of which a graph can hold."""


def gradients_of(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], keep_graph: bool
) -> tuple[Tensor | None, ...]:
    """The gradient of each of `leaves`, None where `outputs` do not depend on it.

    Every differentiable output is weighted, so that each one's path is exercised.

    Args:
        outputs: the differentiable tensors of one call, the loss first.
        leaves: parameters and inputs that require grad.
        keep_graph: whether a backward through `outputs` is still to come.
    """
    weights = [_weight(output, position) for position, output in enumerate(outputs)]
    with _without_hooks(leaves):
        found: tuple[Tensor | None, ...] = torch.autograd.grad(
            outputs, leaves, weights, retain_graph=keep_graph, allow_unused=True
        )
    return found


@contextlib.contextmanager
def set_aside(tensors: Iterable[Tensor]) -> Iterator[None]:
    """Takes the `.grad` of every leaf among `tensors` away, and puts the same tensor back.

    A forward that is run once more may call backward: its gradients are to be added to nothing.
    """
    saved = [(one, one.grad) for one in tensors if one.is_leaf and _takes(one, one.grad)]
    for tensor, _ in saved:
        tensor.grad = None
    try:
        yield
    finally:
        for tensor, gradient in saved:
            tensor.grad = gradient


def _takes(tensor: Tensor, gradient: Tensor | None) -> bool:
    """Whether torch lets `gradient` be set: it may be of the data that a parameter had before."""
    return gradient is None or (gradient.shape, gradient.dtype, gradient.device) == (
        tensor.shape,
        tensor.dtype,
        tensor.device,
    )


def foreign_leaves(
    outputs: Sequence[Tensor], known: Sequence[Tensor], inputs: Sequence[Tensor]
) -> list[Tensor]:
    """Trainable tensors that `outputs` depend on and that are neither `known` nor behind `inputs`.

    A graph would hold such a tensor's value of today for good.
    """
    own = {id(tensor) for tensor in (*known, *inputs)}
    beyond = {tensor.grad_fn for tensor in inputs if tensor.grad_fn is not None}
    found: list[Tensor] = []
    seen: set[Any] = set(beyond)
    stack: list[Any] = [output.grad_fn for output in outputs if output.grad_fn is not None]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor) and not node.next_functions:
            if id(variable) not in own:
                found.append(variable)
            continue
        stack.extend(following for following, _ in node.next_functions)
    return found


def _weight(output: Tensor, position: int) -> Tensor:
    if position == 0:
        return torch.ones_like(output)
    # Any fixed weights that differ from element to element.
    count = torch.arange(output.numel(), device=output.device, dtype=torch.float64)
    return torch.cos(count + position).reshape(output.shape).to(output.dtype)


@contextlib.contextmanager
def _without_hooks(leaves: Sequence[Tensor]) -> Iterator[None]:
    """Empties the hooks that the user put on `leaves`, and fills them again."""
    hooks = [leaf._backward_hooks for leaf in leaves if leaf._backward_hooks]
    saved = [dict(group) for group in hooks]
    for group in hooks:
        group.clear()
    try:
        yield
    finally:
        for group, content in zip(hooks, saved):
            group.update(content)
