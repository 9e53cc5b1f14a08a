"""Other ways to run the script's own models, for `bench` to compare with.

A variant changes how a model is called, never the model: its name, its parameters and its
`state_dict` stay. It is put in place when the first optimizer over its parameters is made.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer
from torch.utils._pytree import tree_leaves

from ortwrap.proof.recorder.config import Variant
from ortwrap.proof.recorder.modules import Roots
from ortwrap.proof.recorder.optimizers import parameters_of, when_optimizer_is_made

Tracing = Callable[[list[torch.Tensor], list[bool]], AbstractContextManager[Any]]


def _as_it_is(inputs: list[torch.Tensor], trained: list[bool]) -> AbstractContextManager[Any]:
    return nullcontext()


def put_in_place(variant: Variant) -> None:
    """Call every trained model through `torch.compile`, or through ORTModule, the loss outside."""
    if variant == "compile":
        _on_trained_models(lambda model: model.compile())
    elif variant == "ortmodule":
        _on_trained_models(_call_through_ortmodule)
    elif variant == "ortmodule with operators":
        _on_trained_models(_call_through_ortmodule_with_operators)


def _on_trained_models(change: Callable[[nn.Module], None]) -> None:
    roots = Roots(())
    changed: set[int] = set()

    def on_optimizer(optimizer: Optimizer) -> None:
        roots.add_owners(parameters_of(optimizer))
        for _, root in roots.named():
            if id(root) not in changed:
                changed.add(id(root))
                change(root)

    when_optimizer_is_made(on_optimizer)


def _call_through_ortmodule(model: nn.Module, tracing: Tracing = _as_it_is) -> None:
    """Have `model` called through an ORTModule of it while it trains.

    Args:
        model: one of the script's own.
        tracing: what to do around the call that the exporter traces, told its tensors and which
            of them need a gradient.
    """
    ort_module: nn.Module | None = None
    inside = False
    trained: list[bool] = []
    call_as_it_is: Callable[..., Any] = model._call_impl

    def call(*args: Any, **kwargs: Any) -> Any:
        # ORTModule itself calls the model while it exports.
        nonlocal ort_module, inside, trained
        if inside or not model.training:
            with tracing(_tensors(args, kwargs), trained):
                return call_as_it_is(*args, **kwargs)
        inside = True
        try:
            trained = [tensor.requires_grad for tensor in _tensors(args, kwargs)]
            if ort_module is None:
                ort_module = _ortmodule(model)
            return ort_module(*args, **kwargs)
        finally:
            inside = False

    # The place where torch itself keeps what `model.compile()` made.
    object.__setattr__(model, "_compiled_call_impl", call)


def _ortmodule(model: nn.Module) -> nn.Module:
    from ortwrap.runtime import compat

    compat.apply()
    from onnxruntime.training.ortmodule import ORTModule

    module: nn.Module = ORTModule(model)
    return module


def _call_through_ortmodule_with_operators(model: nn.Module) -> None:
    from ortwrap.runtime import backend, operators

    backend.unavailable()  # registers the operators where ORTModule can be had
    _call_through_ortmodule(model, operators.tracing)


def _tensors(args: Any, kwargs: Any) -> list[torch.Tensor]:
    return [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
