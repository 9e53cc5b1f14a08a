"""Distances between vectors."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = as_torch("cdist _cdist_forward pdist pairwise_distance cosine_similarity")
