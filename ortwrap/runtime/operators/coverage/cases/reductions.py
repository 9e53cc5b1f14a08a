"""Reductions and running sums."""

from __future__ import annotations

import torch

from ..case import functions

CASES = tuple(
    functions(
        {
            "sum": lambda y: y.sum(0),
            "mean": lambda y: y.mean((0, 1)),
            "max": lambda y: y.max(),
            "max of a dimension": lambda y: y.max(1)[0],
            "min of a dimension": lambda y: y.min(1).values,
            "amax": lambda y: y.amax(1),
            "amin of two dimensions": lambda y: y.amin((0, 1)),
            "median": lambda y: y.median(1)[0],
            "kthvalue": lambda y: y.kthvalue(2, 1)[0],
            "prod": lambda y: y.prod(1),
            "cumsum": lambda y: y.cumsum(1),
            "cumprod": lambda y: y.cumprod(1),
            "cummax": lambda y: y.cummax(1)[0],
            "logsumexp": lambda y: y.logsumexp(1),
            "logsumexp(keepdim=True)": lambda y: y.logsumexp(1, keepdim=True),
            "std": lambda y: y.std(1),
            "var(unbiased=False)": lambda y: y.var(0, unbiased=False),
            "var_mean": lambda y: torch.var_mean(y, 1)[0],
            "norm": lambda y: y.norm(),
            "norm(dim=1)": lambda y: y.norm(dim=1),
            "norm(p=1)": lambda y: y.norm(p=1, dim=1),
            "linalg.norm": lambda y: torch.linalg.norm(y, dim=1),
            "linalg.vector_norm(keepdim=True)": lambda y: torch.linalg.vector_norm(
                y, dim=-1, keepdim=True
            ),
            "cumsum of rows": lambda y: y.cumsum(0),
            "logcumsumexp": lambda y: y.logcumsumexp(1),
            "quantile": lambda y: y.quantile(0.3, dim=1),
            "nansum": lambda y: y.nansum(1),
            "norm(p=inf)": lambda y: y.norm(p=float("inf"), dim=1),
            "logsumexp of two dimensions": lambda y: y.logsumexp((0, 1)),
            "cov": torch.cov,
            "topk": lambda y: y.topk(2, 1)[0],
            "topk of equals": lambda y: y.gather(1, torch.ones_like(y).topk(2, 1)[1]),
            "sort": lambda y: y.sort(1)[0],
            "sort(stable=True)": lambda y: y.sort(dim=1, stable=True)[0],
        }
    )
)
