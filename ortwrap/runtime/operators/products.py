"""Products of matrices beyond what ONNX Runtime differentiates."""

from __future__ import annotations

from typing import Any

from .arguments import constant_of, is_list
from .registry import as_torch


def _has_no_matrix_form(g: Any, equation: Any, tensors: Any, *_: Any) -> bool:
    """einsum(str equation, Tensor[] tensors, *, int[]? path): all but two operands and an explicit
    result become ONNX's Einsum, which has no gradient."""
    text = str(equation if isinstance(equation, str) else constant_of(equation) or "")
    operands = len(list(tensors.node().inputs())) if is_list(tensors) else 0
    left, _arrow, result = text.replace(" ", "").partition("->")
    repeated = any(len(set(term)) != len(term) for term in left.split(","))
    return operands != 2 or not result or "." in text or repeated


OPERATORS = (
    *as_torch("einsum", when=_has_no_matrix_form, keeps="inputs"),
    *as_torch("outer ger inner kron bilinear tensordot trace cross linalg_cross"),
    *as_torch("linalg_inv linalg_inv_ex inverse linalg_det linalg_slogdet slogdet logdet"),
    *as_torch("linalg_solve linalg_cholesky linalg_qr linalg_svd linalg_eigh linalg_multi_dot"),
)
