"""Embeddings beyond a plain look-up."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = as_torch("embedding_bag _embedding_bag")
