"""No dropout, which ONNX Runtime draws by itself; where it would have been active is noted."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

import torch
from torch.jit import _builtins
from torch.nn import functional

_DROPOUTS = ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
# Who calls a model beside the script, to trace it and to learn what it returns.
_EXPORTERS = ("onnxruntime.", "ortwrap.runtime.", "torch.onnx.")

# How dropouts were called so far: whether they would have been active, and whether gradients were
# recorded. What runs inside of a graph is not seen.
calls: set[tuple[bool, bool]] = set()


def turn_dropout_off() -> None:
    """Make every dropout of torch the identity, in layers, functions, attention and RNNs.

    The functions below are those that `nn.Dropout`, `nn.functional.dropout`,
    `nn.MultiheadAttention` and the recurrent layers call, so that modules keep their `p` and
    their `training` flags, and the exporter sees what eager runs.
    """
    vf: Any = torch._VF
    for name in _DROPOUTS:
        for variant in (name, f"{name}_"):
            for namespace in (vf, torch):
                if hasattr(namespace, variant):
                    setattr(namespace, variant, _identity)
    for name in _RECURRENT:
        setattr(vf, name, _without_dropout(getattr(vf, name)))
        _left_to_torchscript(getattr(vf, name), name)
    attention = _attention_without_dropout(functional.scaled_dot_product_attention)
    functional.scaled_dot_product_attention = attention
    _left_to_torchscript(attention, "scaled_dot_product_attention")


def _left_to_torchscript(function: Callable[..., Any], operator: str) -> None:
    """It cannot compile what takes any arguments: there torch's own operator is called."""
    _builtins._register_builtin(function, f"aten::{operator}")


def _identity(input: torch.Tensor, p: float = 0.5, train: bool = False) -> torch.Tensor:
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        _note(train, p)
    return input


def _note(is_active: bool, probability: float) -> None:
    if torch.compiler.is_compiling() or not probability:
        return
    call = bool(is_active), torch.is_grad_enabled()
    if call not in calls and (call != (True, False) or not _is_exported()):
        calls.add(call)


def _is_exported() -> bool:
    frame: Any = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_EXPORTERS):
            return True
        frame = frame.f_back
    return False


def _without_dropout(recurrent: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(recurrent)
    def call(*args: Any) -> Any:
        # The dropout probability is the only float in every overload; `training` is behind it.
        place = next((n for n, arg in enumerate(args) if type(arg) is float), None)
        if place is not None:
            _note(args[place + 1], args[place])
        return recurrent(*(0.0 if type(arg) is float else arg for arg in args))

    return call


def _attention_without_dropout(attention: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(attention)
    def call(
        query: Any,
        key: Any,
        value: Any,
        attn_mask: Any = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        **options: Any,
    ) -> Any:
        if dropout_p:
            _note(True, dropout_p)
        return attention(query, key, value, attn_mask, 0.0, is_causal, **options)

    return call
