"""Products and decompositions of matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from ..case import functions


def _positive(y: Tensor) -> Tensor:
    return y.t() @ y + torch.eye(6)


CASES = tuple(
    functions(
        {
            "einsum": lambda y: torch.einsum("bi,bj->ij", y, y),
            "einsum of three": lambda y: torch.einsum("bi,bj,bk->ijk", y, y, y),
            "einsum with an ellipsis": lambda y: torch.einsum("...i,...i", y, y),
            "einsum of attention": lambda y: torch.einsum(
                "bhid,bhjd->bhij", y.view(1, -1, 2, 3), y.view(1, -1, 2, 3)
            ),
            "einsum to a number": lambda y: torch.einsum("bi,bi->", y, y),
            "einsum, a sum": lambda y: torch.einsum("ij->i", y),
            "tensordot": lambda y: torch.tensordot(y, y, dims=([1], [1])),
            "addmm": lambda y: torch.addmm(y[:, :1], y * 0.1, y.t(), beta=0.5, alpha=2.0),
            "matmul, broadcast": lambda y: torch.matmul(y[None] * 0.1, y.t()),
            "distances by hand": lambda y: (0.1 * (y[:, None] - y[None])).pow(2).sum(-1),
            "outer": lambda y: torch.outer(y[0], y[1]),
            "bmm": lambda y: torch.bmm(y[None], y.t()[None]),
            "baddbmm": lambda y: torch.baddbmm(y[None, :, :1], y[None], y.t()[None]),
            "kron": lambda y: torch.kron(y, y),
            "trace": lambda y: y[:3, :3].trace(),
            "linalg.inv": lambda y: torch.linalg.inv(_positive(y)),
            "linalg.slogdet": lambda y: torch.linalg.slogdet(_positive(y))[1],
            "linalg.solve": lambda y: torch.linalg.solve(_positive(y), y.t()),
            "linalg.cholesky": lambda y: torch.linalg.cholesky(_positive(y)),
        }
    )
)
