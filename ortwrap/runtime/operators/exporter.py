"""What is used of torch's exporter beyond its public names, in one place."""

from __future__ import annotations

import importlib
from typing import Any, Callable

import torch


def dtype_of(value: Any) -> torch.dtype:
    """The dtype of a tensor of a trace."""
    dtype: torch.dtype = _scalar_types().from_value(value).dtype()
    return dtype


def dtype_from_onnx(elem_type: int) -> torch.dtype:
    """torch's dtype for one of onnx.TensorProto's."""
    dtype: torch.dtype = _scalar_types().from_onnx_type(elem_type).dtype()
    return dtype


def dtype_to_onnx(dtype: torch.dtype) -> int:
    """The dtype of onnx.TensorProto for torch's."""
    return int(_scalar_types().from_dtype(dtype).onnx_type())


def own_symbolic(name: str, opset: int) -> Callable[..., Any] | None:
    """The symbolic that torch's exporter has for an operator, None if it has none."""
    # The module moved in torch 2.9; compat keeps the old name importable.
    registration = importlib.import_module("torch.onnx._internal.registration")
    group = registration.registry.get_function_group(name)
    symbolic: Callable[..., Any] | None = group.get(opset) if group else None
    return symbolic


def _scalar_types() -> Any:
    return importlib.import_module("torch.onnx").JitScalarType
