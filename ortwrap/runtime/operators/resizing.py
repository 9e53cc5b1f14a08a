"""Resizing: `nn.Upsample` and `F.interpolate` in all modes."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = (
    *as_torch("upsample_linear1d upsample_bilinear2d upsample_trilinear3d", keeps="inputs"),
    *as_torch("upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa", keeps="inputs"),
    *as_torch("upsample_nearest1d upsample_nearest2d upsample_nearest3d", keeps="inputs"),
    *as_torch(
        "_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d",
        keeps="inputs",
    ),
    *as_torch("grid_sampler affine_grid_generator pixel_shuffle pixel_unshuffle", keeps="inputs"),
)
