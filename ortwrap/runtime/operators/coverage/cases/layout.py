"""Cutting, joining and moving."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..case import functions


def _assign_a_slice(y: Tensor) -> Tensor:
    result = torch.zeros_like(y)
    result[:, 1:3] = y[:, 1:3]
    return result


def _written_in_part(y: Tensor) -> Tensor:
    result = torch.zeros(y.shape[0], 8, dtype=y.dtype)
    result[:, :6] = y.softmax(1)
    return result


def _assign_by_a_mask(y: Tensor) -> Tensor:
    result = y.clone()
    result[y > 0] = 0.5
    return result


def _assign_by_indices(y: Tensor) -> Tensor:
    result = y.clone()
    result[torch.tensor([0, 1]), torch.tensor([2, 3])] = y[0, 0]
    return result


def _weighed(pieces: Sequence[Tensor]) -> Tensor:
    """By one of them, through which no gradient flows."""
    return torch.softmax(pieces[0].detach(), -1) * pieces[1]


def _rows(y: Tensor) -> Tensor:
    return torch.zeros(y.shape[0]).long()


def _pairs(y: Tensor) -> Tensor:
    return torch.tensor([[0, 1, 0, 1, 0, 1]]).expand_as(y)


CASES = tuple(
    functions(
        {
            "split": lambda y: torch.cat(y.split([1, 5], 1)[::-1], 1),
            "split, a piece unused": lambda y: y.split(2, 1)[0],
            "chunk, pieces unused": lambda y: y.chunk(3, 1)[1],
            "tensor_split": lambda y: torch.cat(y.tensor_split(4, 1)[::-1], 1),
            "tensor_split at places": lambda y: y.tensor_split((2, -1), dim=1)[1],
            "tensor_split(sections=2) of the batch": lambda y: torch.cat(
                [piece * 2 for piece in torch.tensor_split(y, sections=2)][::-1]
            ),
            "chunk, fewer pieces": lambda y: torch.cat(y.chunk(4, 1)[::-1], 1),
            "split, a shorter piece": lambda y: torch.cat(y.split(4, 1)[::-1], 1),
            "hsplit": lambda y: torch.mul(*torch.hsplit(y, 2)),
            "unbind": lambda y: torch.stack(y.unbind(1)[::-1]),
            "unbind, pieces unused": lambda y: y.unbind(1)[2],
            "split, a piece detached": lambda y: _weighed(y.split(3, 1)),
            "chunk, a piece detached": lambda y: _weighed(y.chunk(2, 1)),
            "unbind, a piece detached": lambda y: _weighed(y.unbind(1)),
            "flip": lambda y: y.flip(1),
            "roll": lambda y: y.roll(1, 0),
            "tile": lambda y: y.tile(2, 1),
            "repeat": lambda y: y.repeat(2, 1),
            "repeat_interleave": lambda y: y.repeat_interleave(2, 0),
            "squeeze of another size": lambda y: y.squeeze(1),
            "squeeze of some": lambda y: y[:, None, :, None].squeeze((1, 2)),
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
            "index_add": lambda y: y.new_zeros(2, 6).index_add(
                0, torch.zeros(y.shape[0]).long(), y
            ),
            "scatter_add": lambda y: torch.zeros_like(y).scatter_add(
                1, torch.zeros_like(y).long(), y
            ),
            "scatter_add to what is trained": lambda y: y.softmax(1).scatter_add(
                1, torch.zeros_like(y).long(), y.sigmoid()
            ),
            "eye of the batch's size": lambda y: y.t() @ torch.eye(y.shape[0], dtype=y.dtype),
            "diagonal": torch.diagonal,
            "assignment to a slice": _assign_a_slice,
            "scatter_add_ after an assignment": lambda y: _written_in_part(y).scatter_add_(
                1, _rows(y)[:, None] + 6, y[:, :1].sigmoid()
            ),
            "clamp_ after an assignment": lambda y: _written_in_part(y).clamp_(min=0.1),
            "assignment by a mask": _assign_by_a_mask,
            "assignment by indices": _assign_by_indices,
            "index_put(accumulate)": lambda y: y.new_zeros(2, 6).index_put(
                (_rows(y),), y, accumulate=True
            ),
            "index_select": lambda y: y.index_select(1, torch.tensor([3, 0, 0])),
            "two index tensors": lambda y: y[torch.arange(y.shape[0]), torch.arange(y.shape[0])],
            "masked_select": lambda y: y.masked_select(y > 0),
            "scatter": lambda y: y.scatter(1, _rows(y)[:, None], y[:, :1] * 2),
            "scatter(reduce='add')": lambda y: (
                y * y.detach().scatter(1, _pairs(y), y.detach(), reduce="add")
            ),
            "scatter_reduce(mean)": lambda y: y.new_zeros(y.shape[0], 2).scatter_reduce(
                1, _pairs(y), y, "mean"
            ),
            "scatter_reduce(amax)": lambda y: y.new_zeros(y.shape[0], 2).scatter_reduce(
                1, _pairs(y), y, "amax", include_self=False
            ),
            "one_hot": lambda y: y * F.one_hot(torch.arange(y.shape[0]), 6),
            "one_hot of argmax": lambda y: y * F.one_hot(y.argmax(1), 6),
            "repeat_interleave by a tensor": lambda y: y.repeat_interleave(
                torch.tensor([1, 2, 1, 1, 1, 1]), 1
            ),
            "hstack, vstack": lambda y: torch.vstack([torch.hstack([y, y]), torch.hstack([y, -y])]),
            "stack": lambda y: torch.stack([y, y * 2], 1),
            "diag_embed": torch.diag_embed,
            "fill_diagonal_": lambda y: (y @ y.T).fill_diagonal_(0.5),
            "rot90": lambda y: y.rot90(1, (0, 1)),
            "heads of keys repeated": lambda y: y[:, None].expand(-1, 2, 6).reshape(-1, 12),
            "gate of a mixture of experts": lambda y: torch.zeros_like(y).scatter(
                1, y.topk(2, 1)[1], y.topk(2, 1)[0].softmax(1)
            ),
            "meshgrid": lambda y: torch.meshgrid(y[0], y[1], indexing="ij")[0],
        }
    )
)
