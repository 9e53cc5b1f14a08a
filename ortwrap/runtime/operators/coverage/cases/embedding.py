"""Embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..case import Batch, Case


class Looked(nn.Module):
    """An embedding below a linear layer."""

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding
        self.linear = nn.Linear(4, 2)

    def forward(self, *indices: Tensor) -> Tensor:
        y: Tensor = self.linear(self.embedding(*indices))
        return (y * y + y).mean()


def _indices(step: int) -> Batch:
    return (torch.randint(0, 7, (3 + step, 5)),)


def _bags(step: int) -> Batch:
    return torch.randint(0, 7, (10,)), torch.tensor([0, 3, 5])


CASES = (
    Case("Embedding", lambda: Looked(nn.Embedding(7, 4)), _indices),
    Case("Embedding(padding_idx)", lambda: Looked(nn.Embedding(7, 4, padding_idx=1)), _indices),
    Case(
        "Embedding(scale_grad_by_freq)",
        lambda: Looked(nn.Embedding(7, 4, scale_grad_by_freq=True)),
        _indices,
    ),
    Case(
        "Embedding(max_norm)",
        lambda: Looked(nn.Embedding(7, 4, max_norm=1.0)),
        _indices,
        eager="forward rewrites the weights in place",
    ),
    Case("EmbeddingBag", lambda: Looked(nn.EmbeddingBag(7, 4)), _indices),
    Case("EmbeddingBag(mode='max')", lambda: Looked(nn.EmbeddingBag(7, 4, mode="max")), _indices),
    Case(
        "EmbeddingBag(mode='sum'), offsets",
        lambda: Looked(nn.EmbeddingBag(7, 4, mode="sum")),
        _bags,
    ),
)
