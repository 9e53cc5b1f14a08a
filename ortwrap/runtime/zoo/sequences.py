"""Language models and taggers of torch's own layers."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Batch, Model, Tokens, Update, batch_size

WORDS = 64


class PositionalEncoding(nn.Module):
    """Sines and cosines, added to the embedding."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.1)
        position = torch.arange(64).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        encoding = torch.zeros(64, width)
        encoding[:, 0::2] = torch.sin(position * rate)
        encoding[:, 1::2] = torch.cos(position * rate)
        self.register_buffer("pe", encoding.unsqueeze(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(x + self.pe[: x.size(0)])  # type: ignore[no-any-return, index]


class TransformerLanguageModel(nn.Module):
    """nn.TransformerEncoder under a causal mask, as PyTorch's word language model has it."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(WORDS, width)
        self.position = PositionalEncoding(width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, 0.1)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.decoder = nn.Linear(width, WORDS)

    def forward(self, tokens: Tensor) -> Tensor:
        source = tokens.t()
        mask = nn.Transformer.generate_square_subsequent_mask(len(source))
        x = self.position(self.embedding(source) * math.sqrt(self.width))
        x = self.encoder(x, mask.to(x.dtype), is_causal=True)
        return F.log_softmax(self.decoder(x), dim=-1).transpose(0, 1)


class Likelihood(nn.Module):
    """Negative log likelihood of what the model says of each token."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(self.model(tokens).flatten(0, 1), target.flatten())


class Tagger(nn.Module):
    """A bidirectional LSTM of two layers over embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 24, padding_idx=0)
        self.lstm = nn.LSTM(24, 20, 2, bidirectional=True, batch_first=True, dropout=0.2)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(40, WORDS)

    def forward(self, words: Tensor) -> Tensor:
        states, _ = self.lstm(self.dropout(self.embedding(words)))
        return self.head(self.dropout(states))  # type: ignore[no-any-return]


class RmsNorm(nn.Module):
    """Root mean square normalization, as Llama writes it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


class GroupedAttention(nn.Module):
    """Causal attention with rotary positions and fewer keys than queries."""

    def __init__(self, width: int, heads: int, groups: int) -> None:
        super().__init__()
        self.heads, self.groups, self.size = heads, groups, width // heads
        self.wq = nn.Linear(width, width, bias=False)
        self.wk = nn.Linear(width, groups * self.size, bias=False)
        self.wv = nn.Linear(width, groups * self.size, bias=False)
        self.wo = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        b, t, c = x.shape
        q = self.wq(x).view(b, t, self.heads, self.size).transpose(1, 2)
        k = self.wk(x).view(b, t, self.groups, self.size).transpose(1, 2)
        v = self.wv(x).view(b, t, self.groups, self.size).transpose(1, 2)
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.wo(y.transpose(1, 2).reshape(b, t, c))  # type: ignore[no-any-return]


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    one, two = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-two, one), dim=-1) * sin


class SwiGlu(nn.Module):
    """The gated perceptron of Llama."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w1 = nn.Linear(width, 2 * width, bias=False)
        self.w2 = nn.Linear(2 * width, width, bias=False)
        self.w3 = nn.Linear(width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """A decoder of today: RMSNorm, rotary positions, grouped queries, SwiGLU, tied weights."""

    def __init__(self, width: int = 32, layers: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, width)
        self.attention = nn.ModuleList(GroupedAttention(width, 4, 2) for _ in range(layers))
        self.perceptron = nn.ModuleList(SwiGlu(width) for _ in range(layers))
        self.norms = nn.ModuleList(
            RmsNorm(width) if index % 2 else nn.RMSNorm(width) for index in range(2 * layers + 1)
        )
        self.head = nn.Linear(width, WORDS, bias=False)
        self.head.weight = self.embedding.weight
        size = width // 4
        rate = 10000 ** (-torch.arange(0, size, 2) / size)
        angles = torch.outer(torch.arange(64), torch.cat((rate, rate)))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens: Tensor) -> Tensor:
        t = tokens.shape[1]
        x = self.embedding(tokens)
        cos, sin = self.cos[:t], self.sin[:t]  # type: ignore[index]
        for index, (attention, perceptron) in enumerate(zip(self.attention, self.perceptron)):
            x = x + attention(self.norms[2 * index](x), cos, sin)
            x = x + perceptron(self.norms[2 * index + 1](x))
        return self.head(self.norms[-1](x))  # type: ignore[no-any-return]


class CausalAttention(nn.Module):
    """Causal attention, queries, keys and values by one projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.projection = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        b, t, c = x.size()
        pieces = self.projection(x).split(self.width, dim=2)
        q, k, v = (
            piece.view(b, t, self.heads, c // self.heads).transpose(1, 2) for piece in pieces
        )
        rate = 0.1 if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=True)
        y = y.transpose(1, 2).contiguous().view(b, t, c)
        return self.dropout(self.out(y))  # type: ignore[no-any-return]


class Gpt(nn.Module):
    """GPT as nanoGPT writes it: learned positions, tied weights, and it works out its own loss."""

    def __init__(self, width: int = 32, layers: int = 2) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, width), nn.Embedding(16, width)
        self.dropout = nn.Dropout(0.1)
        self.attention = nn.ModuleList(CausalAttention(width, 4) for _ in range(layers))
        self.perceptron = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 64), nn.GELU(), nn.Linear(64, width), nn.Dropout(0.1))
            for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * layers + 1))
        self.head = nn.Linear(width, WORDS, bias=False)
        self.words.weight = self.head.weight

    def forward(
        self, tokens: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        _, t = tokens.size()
        places = torch.arange(0, t, dtype=torch.long, device=tokens.device)
        x = self.dropout(self.words(tokens) + self.places(places))
        for index, (attention, perceptron) in enumerate(zip(self.attention, self.perceptron)):
            x = x + attention(self.norms[2 * index](x))
            x = x + perceptron(self.norms[2 * index + 1](x))
        x = self.norms[-1](x)
        if targets is None:
            return self.head(x[:, [-1], :]), None
        logits = self.head(x)
        loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        return logits, loss


class LossSecond(nn.Module):
    """A model that returns logits and loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, targets: Tensor) -> Any:
        _, loss = self.model(tokens, targets)
        return loss


class Translator(nn.Module):
    """nn.Transformer from one sequence to another, padding masked."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(WORDS, width), nn.Embedding(WORDS, width)
        self.transformer = nn.Transformer(width, 4, 1, 1, 48, 0.1, batch_first=True)
        self.head = nn.Linear(width, WORDS)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        mask = torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)
        padded = tokens == 0
        x = self.transformer(
            self.source(tokens),
            self.target(tokens.flip(1)),
            tgt_mask=mask,
            src_key_padding_mask=padded,
            memory_key_padding_mask=padded,
        )
        return self.head(x)  # type: ignore[no-any-return]


def sentences(step: int) -> Batch:
    """Words and a label for each; the length varies."""
    shape = (batch_size(step), 9 + step % 3)
    words = torch.randint(1, WORDS, shape)
    words[0, -2:] = 0
    return words, torch.randint(0, WORDS, shape)


def _masked_sentences(step: int) -> Batch:
    words, labels = sentences(step)
    return words, labels.masked_fill(words == 0, -100)


def words_before_others(step: int) -> Batch:
    """Words, and labels of which -1 does not count."""
    words, labels = sentences(step)
    return words, labels.masked_fill(words == 0, -1)


MODELS = (
    Model("TransformerEncoder LM", TransformerLanguageModel, sentences, (Update(Likelihood),)),
    Model("LSTM tagger", Tagger, _masked_sentences, (Update(Tokens),)),
    Model("decoder of 2025", Decoder, sentences, (Update(Tokens),)),
    Model("GPT", Gpt, words_before_others, (Update(LossSecond),)),
    Model("Transformer", Translator, _masked_sentences, (Update(Tokens),)),
)
