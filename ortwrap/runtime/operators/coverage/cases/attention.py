"""Attention and transformers, dropout included."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import Batch, Case, Scored, layers, noise


class SelfAttention(nn.Module):
    """MultiheadAttention of a sequence to itself."""

    def __init__(self, weights: bool = False, causal: bool = False, **options: Any) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, **options)
        self.weights, self.causal = weights, causal

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if self.causal else None
        y, weights = self.attention(x, x, x, attn_mask=mask, need_weights=self.weights)
        loss: Tensor = (y * y + y).mean()
        return loss if weights is None else loss + (weights * weights).mean()


class Padded(nn.Module):
    """TransformerEncoder of padded sequences, each position seeing those before it."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(5)
        y: Tensor = self.encoder(x, mask=mask, src_key_padding_mask=padding)
        return (y * y * y + y * y).mean()


class Decoder(nn.Module):
    """TransformerDecoderLayer with a causal mask."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(8, 2, 16, dropout=0.1, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(5)
        y: Tensor = self.layer(x, memory, tgt_mask=mask)
        return (y * y * y + y * y).mean()


class LanguageModel(nn.Module):
    """Sequences first, and a mask of float32 that is made once, whatever the layers compute in."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.mask is None or self.mask.size(0) != len(x):
            self.mask = torch.log(torch.tril(torch.ones(len(x), len(x))))
        y: Tensor = self.encoder(x, mask=self.mask)
        return F.log_softmax(y, dim=-1)[..., 0].mean()


class Masked(nn.Module):
    """TransformerEncoder that is handed its mask with the batch."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y: Tensor = self.encoder(x, mask)
        return (y * y * y + y * y).mean()


def _masked(step: int) -> Batch:
    causal = nn.Transformer.generate_square_subsequent_mask(5)
    return torch.randn(2, 5, 8), causal if step < 3 else causal.T


def _padded(step: int) -> Batch:
    padding = torch.tensor([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]]).bool()
    return torch.randn(2, 5, 8), padding


def _two_sequences(step: int) -> Batch:
    return torch.randn(2 + step, 5, 8), torch.randn(2 + step, 3, 8)


def _causal(x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, x, is_causal=True)


class Heads(nn.Module):
    """scaled_dot_product_attention of four heads."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        b, t, _ = x.shape
        query = self.linear(x).view(b, t, 4, 2).transpose(1, 2)
        key = x.view(b, t, 4, 2).transpose(1, 2)
        if self.options.get("enable_gqa"):
            key = key[:, :2]
        y = F.scaled_dot_product_attention(query, key, key, **self.options)
        return (y * y + y).mean()


class LateMask(nn.Module):
    """scaled_dot_product_attention whose mask leaves some rows nothing to see, in later steps."""

    def __init__(self, of_floats: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.of_floats = of_floats

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        mask = torch.zeros_like(seen, dtype=x.dtype).masked_fill(~seen, float("-inf"))
        y = F.scaled_dot_product_attention(self.linear(x), x, x, mask if self.of_floats else seen)
        return (y * y + y).mean()


class PaddedAttention(nn.Module):
    """MultiheadAttention over sequences of which some, in later steps, are padding from the start.

    It applies scaled_dot_product_attention.
    """

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        y, _ = self.attention(x, x, x, key_padding_mask=padding, need_weights=False)
        loss: Tensor = (y * y + y).mean()
        return loss


def _seen(step: int) -> Batch:
    seen = torch.ones(2, 5, 5, dtype=torch.bool).tril()
    seen[0, 1:3] &= step < 2
    return torch.randn(2, 5, 8), seen


def _padded_whole(step: int) -> Batch:
    padding = torch.tensor([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]]).bool()
    return torch.randn(2, 5, 8), padding | torch.tensor([[False], [step > 1]])


_MASK = torch.ones(5, 5).tril()
_OPTIONS: dict[str, dict[str, Any]] = {
    "is_causal": {"is_causal": True},
    "scale": {"scale": 0.3},
    "enable_gqa": {"enable_gqa": True},
    "enable_gqa, is_causal": {"enable_gqa": True, "is_causal": True},
    "attn_mask of bool": {"attn_mask": _MASK.bool()},
    "attn_mask of float": {"attn_mask": _MASK.log()},
    "dropout_p": {"dropout_p": 0.2},
}


def _heads() -> Iterator[Case]:
    for name, options in _OPTIONS.items():
        title = f"scaled_dot_product_attention({name})"
        yield Case(title, functools.partial(Heads, **options), noise(2, 5, 8))


CASES = (
    *_heads(),
    Case("scaled_dot_product_attention", lambda: Scored(_causal), noise(2, 5, 8)),
    Case("attention, rows that see nothing", lambda: LateMask(False), _seen),
    Case("attention, rows that see nothing by a mask of floats", lambda: LateMask(True), _seen),
    Case("MultiheadAttention, whole sequences of padding", PaddedAttention, _padded_whole),
    Case("MultiheadAttention", SelfAttention, noise(2, 5, 8)),
    Case("MultiheadAttention, weights", lambda: SelfAttention(weights=True), noise(2, 5, 8)),
    Case("MultiheadAttention, mask", lambda: SelfAttention(causal=True), noise(2, 5, 8)),
    Case("MultiheadAttention, dropout", lambda: SelfAttention(dropout=0.2), noise(2, 5, 8)),
    Case(
        "MultiheadAttention(add_bias_kv)",
        lambda: SelfAttention(weights=True, add_bias_kv=True),
        noise(2, 5, 8),
    ),
    *layers(
        {
            "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(
                8, 2, 16, batch_first=True
            ),
            "TransformerEncoderLayer(norm_first, gelu)": lambda: nn.TransformerEncoderLayer(
                8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True
            ),
        },
        (2, 5, 8),
    ),
    Case("TransformerEncoder, padded and causal", Padded, _padded),
    Case("TransformerEncoder, mask made once", LanguageModel, noise(8, 2, 8, grows=False)),
    Case("TransformerEncoder, mask as an input", Masked, _masked),
    Case("TransformerDecoderLayer", Decoder, _two_sequences),
    Case(
        "Transformer",
        lambda: Scored(nn.Transformer(8, 2, 1, 1, 16, batch_first=True)),
        _two_sequences,
    ),
)
