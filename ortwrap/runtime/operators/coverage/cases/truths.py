"""Masks: truth values, made, changed and asked for their places."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..case import functions


def _causal(y: Tensor) -> Tensor:
    size = y.shape[0]
    late = torch.full((size, size), True).triu(1)
    return (y @ y.T).masked_fill(late, float("-inf")).softmax(-1)


def _assigned(y: Tensor) -> Tensor:
    mask = torch.zeros_like(y, dtype=torch.bool)
    mask[y > 0.1] = True
    mask[:, 0] = False
    return y * mask


def _to_experts(y: Tensor) -> Tensor:
    """Rows that are routed to an expert each, as Mixtral routes them."""
    weights, chosen = torch.topk(y.softmax(1), 2)
    routed = F.one_hot(chosen, 6).permute(2, 1, 0)
    result = torch.zeros_like(y)
    for expert in range(6):
        place, row = torch.where(routed[expert])
        result = result.index_add(0, row, y[row] * weights[row, place, None] * (expert + 1))
    return result


CASES = tuple(
    functions(
        {
            "full(True)": _causal,
            "full_like, new_full of truth": lambda y: (
                y
                * torch.full_like(y, True, dtype=torch.bool)
                * y.new_full((6,), True, dtype=torch.bool)
            ),
            "masked_fill(True)": lambda y: y * (y > 0).masked_fill(y > 0.5, False),
            "masked_fill_ of a mask": lambda y: y * (y > 0).masked_fill_(y < -0.5, True),
            "scatter(True)": lambda y: y.masked_fill(
                torch.zeros_like(y, dtype=torch.bool).scatter(1, y.argmax(1, keepdim=True), True), 0
            ),
            "index_fill(True)": lambda y: y * (y > 0).index_fill(1, torch.tensor([0, 2]), True),
            "fill_diagonal_(True)": lambda y: (y @ y.T).masked_fill(
                torch.zeros(y.shape[0], y.shape[0], dtype=torch.bool).fill_diagonal_(True), 0.0
            ),
            "where of truths": lambda y: y * torch.where(y > 0, y < 0.5, False),
            "pad(value=True)": lambda y: y * F.pad(y[:, 1:] > 0, (1, 0), value=True),
            "mask == True": lambda y: y.masked_fill((y > 0) == True, 0.5),  # noqa: E712
            "mask & True, mask ^ True": lambda y: y * ((y > 0) & True) + ((y < 0) ^ True),
            "times True": lambda y: y * True + False,
            "assignment of truth by a mask": _assigned,
            "where of one argument": lambda y: y[torch.where(y > 0)] * 2,
            "nonzero(as_tuple=True)": lambda y: y[(y > 0).nonzero(as_tuple=True)] * 2,
            "experts chosen by where": _to_experts,
            "bits of integers": lambda y: y * (((y * 9).long() ^ 5 | 2) & 1),
            "~ of integers": lambda y: y * (~(y * 9).long() % 2),
        }
    )
)
