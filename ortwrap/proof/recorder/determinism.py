"""The same random numbers on both sides, and no dropout, which ONNX Runtime draws by itself."""

from __future__ import annotations

import functools
from typing import Any, Callable


def seed_random(seed: int, shift: int = 0) -> None:
    """Seed Python's generator; every later seed is shifted too."""
    import random

    _shift_seeds(random, "seed", shift)
    random.seed(seed)


def seed_numpy(seed: int, shift: int = 0) -> None:
    """Seed numpy's global generator, and every new one that the script gives no seed."""
    import numpy

    _shift_seeds(numpy.random, "seed", shift)
    numpy.random.seed(seed % 2**32)
    default_rng = numpy.random.default_rng

    @functools.wraps(default_rng)
    def seeded_default_rng(given: Any = None) -> Any:
        return default_rng(seed + shift if given is None else given)

    setattr(numpy.random, "default_rng", seeded_default_rng)  # noqa: B010


def seed_torch(seed: int, shift: int = 0) -> None:
    """Seed torch's generators on every device."""
    import torch

    _shift_seeds(torch, "manual_seed", shift)
    torch.manual_seed(seed)


def _shift_seeds(module: Any, name: str, shift: int) -> None:
    """Let a script that sets its own seed, as most do, have another one all the same."""
    if not shift:
        return
    set_seed = getattr(module, name)

    @functools.wraps(set_seed)
    def set_shifted_seed(seed: Any = None, *args: Any, **kwargs: Any) -> Any:
        return set_seed(seed + shift if isinstance(seed, int) else seed, *args, **kwargs)

    setattr(module, name, set_shifted_seed)


_DROPOUTS = ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def turn_dropout_off() -> None:
    """Make every dropout of torch the identity, in layers, functions, attention and RNNs.

    The functions below are those that `nn.Dropout`, `nn.functional.dropout`,
    `nn.MultiheadAttention` and the recurrent layers call, so that modules keep their `p` and
    their `training` flags, and the exporter sees what eager runs.
    """
    import torch
    from torch.nn import functional

    vf: Any = torch._VF
    for name in _DROPOUTS:
        for variant in (name, f"{name}_"):
            for namespace in (vf, torch):
                if hasattr(namespace, variant):
                    setattr(namespace, variant, _identity)
    for name in _RECURRENT:
        setattr(vf, name, _without_dropout(getattr(vf, name)))
    functional.scaled_dot_product_attention = _attention_without_dropout(
        functional.scaled_dot_product_attention
    )


def _identity(input: Any, p: float = 0.5, train: bool = False) -> Any:
    return input


def _without_dropout(recurrent: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(recurrent)
    def call(*args: Any) -> Any:
        # The dropout probability is the only float in every overload.
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
        return attention(query, key, value, attn_mask, 0.0, is_causal, **options)

    return call
