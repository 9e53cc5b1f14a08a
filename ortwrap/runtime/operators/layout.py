"""Cutting, joining and moving of tensors."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = (
    *as_torch("flip roll rot90 fliplr flipud", keeps=""),
)
