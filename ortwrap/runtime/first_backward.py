"""How the script goes back through the first call of a graph, which eager has computed.

A graph gives the gradients of its results by its inputs, once. A script that asks more of the first
loss will ask it of the next one, where a graph could only raise.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor

from .branches import branches_of
from .reasons import Reason
from .structure import Leaves, describe

_SECOND_ORDER = Reason("its backward makes a graph of its own (create_graph=True)")
_TWICE = Reason("the script goes back through one call twice (retain_graph=True)")
_KEPT = Reason("forward keeps a part of its graph, which backward retains (retain_graph=True)")
_ON_THE_WAY = Reason("a hook on a result that the loss is computed from, or its grad, is asked for")


def watch_first_backward(
    result: Any, given: Sequence[Tensor], kept: Any, told: Callable[[Reason], None]
) -> None:
    """Tells of the first use of what a step returned that no graph can serve.

    Args:
        result: what eager returned, of which everything can be looked into.
        given: the arguments, whose own graphs are the script's, also where one is handed back.
        kept: what attributes that forward sets hold after the call.
        told: is given what was asked for.
    """
    leaves = Leaves()
    describe(result, leaves)
    handed_back = {None, *(tensor.grad_fn for tensor in given)}
    results = [tensor for tensor in leaves.tensors if tensor.grad_fn not in handed_back]
    depends = branches_of(results, ())
    observer = _Observer(told, _has_graph(kept))
    for index, tensor in enumerate(results):
        inner = [weakref.ref(results[at]) for at in depends[index].results] if depends else []
        assert tensor.grad_fn is not None
        tensor.grad_fn.register_prehook(functools.partial(observer.before, inner))


class _Observer:
    """Looks on at each backward through the results of one call, and changes nothing."""

    def __init__(self, told: Callable[[Reason], None], keeps_graph: bool) -> None:
        """
        Args:
            told: is given what was asked for.
            keeps_graph: the next call may read a part of this one's graph from an attribute.
        """
        self._told = told
        self._keeps_graph = keeps_graph
        self._has_told = False
        self._backward: int | None = None

    def before(self, inner: Sequence[weakref.ref[Tensor]], gradients: Any) -> None:
        """A gradient arrives at a result.

        Args:
            inner: other results, which it was computed from.
            gradients: what arrives.
        """
        reason: Reason | None = None
        backward = torch._C._current_graph_task_id()
        if torch.is_grad_enabled():
            reason = _SECOND_ORDER
        elif self._backward not in (None, backward):
            reason = _TWICE
        elif self._keeps_graph and _is_retained():
            reason = _KEPT
        elif any(_is_asked_for(reference()) for reference in inner):
            reason = _ON_THE_WAY
        self._backward = backward
        if reason is not None and not self._has_told:
            self._has_told = True
            self._told(reason)


def _has_graph(kept: Any) -> bool:
    leaves = Leaves()
    describe(kept, leaves)
    return any(tensor.grad_fn is not None for tensor in leaves.tensors)


def _is_retained() -> bool:
    """Whether the backward that runs now leaves its graph to another one."""
    # torch 2.4 cannot tell.
    asked = getattr(torch._C._autograd, "_get_current_graph_task_keep_graph", None)
    return asked is None or bool(asked())


def _is_asked_for(result: Tensor | None) -> bool:
    return result is not None and bool(result._backward_hooks or result.retains_grad)
