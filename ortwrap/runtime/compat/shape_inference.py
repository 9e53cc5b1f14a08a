"""ONNX Runtime's symbolic shape inference leaves a file where it gives up, with any torch.

`SymbolicShapeInference.infer_shapes` writes what it has of the model to `sym_shape_infer_temp.onnx`
in the working directory, weights included, before it raises. Nobody reads it.
"""

from __future__ import annotations

import types
from typing import Any


class _Unsaving(types.ModuleType):
    """The module `onnx`, but for `save_model`, which does nothing."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def save_model(self, *arguments: Any, **options: Any) -> None:
        """Stands in for `onnx.save_model`."""


def leave_no_file() -> None:
    """Keeps the inference from writing; imports it. It may be called any number of times."""
    from onnxruntime.tools import symbolic_shape_infer

    module: Any = symbolic_shape_infer
    if not isinstance(module.onnx, _Unsaving):
        module.onnx = _Unsaving(module.onnx)
