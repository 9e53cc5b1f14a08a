"""Distances."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ..case import functions

CASES = tuple(
    functions(
        {
            "cdist": lambda y: torch.cdist(y, y[:2] + 1),
            "pairwise_distance": lambda y: F.pairwise_distance(y, y.roll(1, 0)),
            "cosine_similarity": lambda y: F.cosine_similarity(y, y.roll(1, 0)),
            "normalize": lambda y: F.normalize(y, dim=1),
            "pdist": F.pdist,
        }
    )
)
