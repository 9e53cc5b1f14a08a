"""Attention whose weights are dropped: torch's masks, drawn where eager draws them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime.operators.fast_dropout import DROPOUT


class Attention(nn.Module):
    """Heads of four over tokens of eight numbers, and a dropout before and behind them."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.projections, self.options = nn.Linear(8, 24), options

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (2, 4)).transpose(1, 2)
            for part in F.dropout(self.projections(x), 0.1).chunk(3, -1)
        )
        options = {name: _given(part, x) for name, part in self.options.items()}
        context = F.scaled_dot_product_attention(query, key, value, dropout_p=0.3, **options)
        return F.dropout(context.transpose(1, 2).flatten(-2), 0.2)


def _given(option: Any, x: Tensor) -> Any:
    return option(x) if callable(option) else option


def _seen(x: Tensor) -> Tensor:
    """Which tokens are seen, of some queries none."""
    tokens = x.shape[1]
    mask = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    mask[1] = False
    return mask


def _added(x: Tensor) -> Tensor:
    return torch.zeros(x.shape[1], x.shape[1]).masked_fill(~_seen(x), float("-inf"))


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "causal": {"is_causal": True},
    "a mask of truth values": {"attn_mask": _seen},
    "a mask that is added": {"attn_mask": _added},
    "a scale": {"scale": 0.7},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_attention_with_dropout(options: dict[str, Any], dtype: torch.dtype) -> None:
    if dtype is torch.float64 and options.get("attn_mask") is _added:
        options = {"attn_mask": lambda x: _added(x).double()}
    twins = Twins(Attention(**options).to(dtype), F.mse_loss)
    for rows, tokens in ((3, 5), (2, 7), (3, 5), (4, 6)):
        data = torch.randn(rows, tokens, 8, dtype=dtype)
        twins.step(data, torch.randn_like(data))
    assert set(twins.backends) == {"ort"}, twins.reasons
    # In float64 all of the attention is a call of torch.
    assert twins.calls_of(DROPOUT) == (3 if dtype is torch.float32 else 2)


@pytest.mark.parametrize("trained", ["query", "key", "value", "nothing"])
def test_gradients_of_some_of_it(trained: str) -> None:
    twins = Twins(OneOfThem(trained), F.mse_loss)
    for _ in range(3):
        twins.step(torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4))
    assert set(twins.backends) == {"ort"}, twins.reasons


class OneOfThem(nn.Module):
    def __init__(self, trained: str) -> None:
        super().__init__()
        self.trained = trained
        self.layer, self.bias = nn.Linear(4, 4), nn.Parameter(torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        parts = dict.fromkeys(("query", "key", "value"), x)
        if self.trained in parts:
            parts[self.trained] = self.layer(x)
        return F.scaled_dot_product_attention(**parts, dropout_p=0.5) + self.bias


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_transformer_as_it_is_made_by_default(norm_first: bool) -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
    twins = Twins(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), F.mse_loss)
    for rows in (3, 2, 3):
        twins.step(torch.randn(rows, 5, 8), torch.randn(rows, 5, 8))
    assert set(twins.backends) == {"ort"}, twins.reasons
    assert twins.calls_of(DROPOUT) == 8
