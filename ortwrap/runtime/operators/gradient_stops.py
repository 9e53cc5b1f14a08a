"""`detach`, `.data` and `no_grad`: gradients stop where torch stops them."""

from __future__ import annotations

from typing import Any

from . import kernels
from .registry import as_graph


def _stop(g: Any, tensor: Any) -> Any:
    """aten::detach_copy(Tensor self) -> Tensor"""
    stopped = g.op(f"{kernels.DOMAIN}::ATen", tensor, operator_s="detach_copy")
    stopped.setType(tensor.type())
    return stopped


OPERATORS = as_graph("detach detach_copy", _stop)


def register() -> None:
    """Tells ONNX Runtime that no gradient flows through."""
    from onnxruntime.training.ortmodule._custom_gradient_registry import CustomGradientRegistry

    CustomGradientRegistry.register_custom_stop_gradient_edges(
        [0], kernels.DOMAIN, "ATen", "detach_copy", ""
    )
