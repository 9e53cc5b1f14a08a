"""Cutting, joining and moving."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ..case import functions

CASES = tuple(
    functions(
        {
            "split": lambda y: torch.cat(y.split([1, 5], 1)[::-1], 1),
            "split, a piece unused": lambda y: y.split(2, 1)[0],
            "chunk, pieces unused": lambda y: y.chunk(3, 1)[1],
            "unbind": lambda y: torch.stack(y.unbind(1)[::-1]),
            "unbind, pieces unused": lambda y: y.unbind(1)[2],
            "flip": lambda y: y.flip(1),
            "roll": lambda y: y.roll(1, 0),
            "tile": lambda y: y.tile(2, 1),
            "repeat": lambda y: y.repeat(2, 1),
            "repeat_interleave": lambda y: y.repeat_interleave(2, 0),
            "unflatten": lambda y: y.unflatten(1, (2, 3)),
            "view, permute, flatten": lambda y: y.view(-1, 2, 3).permute(2, 0, 1).flatten(1),
            "expand": lambda y: y[:, None].expand(-1, 3, -1),
            "unfold": lambda y: y.unfold(1, 2, 1),
            "pad": lambda y: F.pad(y, (1, 2)),
            "tril": lambda y: y.tril(),
            "triu": lambda y: y.triu(1),
            "gather": lambda y: y.gather(1, torch.zeros(y.shape[0], 1).long()),
            "index": lambda y: y[:, torch.tensor([0, 2])],
            "boolean index": lambda y: y[y > 0],
            "index_add": lambda y: torch.zeros(2, 6).index_add(
                0, torch.zeros(y.shape[0]).long(), y
            ),
            "scatter_add": lambda y: torch.zeros_like(y).scatter_add(
                1, torch.zeros_like(y).long(), y
            ),
            "eye of the batch's size": lambda y: y.t() @ torch.eye(y.shape[0]),
            "diagonal": torch.diagonal,
            "meshgrid": lambda y: torch.meshgrid(y[0], y[1], indexing="ij")[0],
        }
    )
)
