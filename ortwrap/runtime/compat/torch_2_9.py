"""torch 2.9 moves the TorchScript exporter, which ORTModule builds on, out of the way.

- Its modules went to `torch.onnx._internal.torchscript_exporter`. `torch.onnx._internal.jit_utils`,
  `torch.onnx._globals` and others are gone, which fails the import of ORTModule.
- `torch.onnx.symbolic_helper` and `torch.onnx.symbolic_opset<n>` are left as shells that re-export
  public names. ORTModule imports private ones (`_convolution`, ...) and would replace functions in
  the shell, where the exporter does not see it.
- `torch.onnx.export` defaults to the new exporter (`dynamo=True`), which knows none of ORTModule's
  symbolic functions.

Upstream: pytorch/pytorch, `torch/onnx/_internal/torchscript_exporter` and `torch/onnx/__init__.py`.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any

from .bridge import Bridge, since

_NEW_HOME = "torch.onnx._internal.torchscript_exporter"

_MOVED = {
    "torch.onnx._globals": f"{_NEW_HOME}._globals",
    "torch.onnx._type_utils": f"{_NEW_HOME}._type_utils",
    "torch.onnx._internal.jit_utils": f"{_NEW_HOME}.jit_utils",
    "torch.onnx._internal.onnx_proto_utils": f"{_NEW_HOME}.onnx_proto_utils",
    "torch.onnx._internal.registration": f"{_NEW_HOME}.registration",
}

_SHELLS = {
    f"torch.onnx.{name}": f"{_NEW_HOME}.{name}"
    for name in (
        "symbolic_helper",
        "utils",
        *(f"symbolic_opset{opset}" for opset in range(7, 21)),
    )
}


def _apply() -> None:
    for old_name, new_name in {**_MOVED, **_SHELLS}.items():
        _alias(old_name, new_name)
    _export_for_ortmodule_by_torchscript()


def _alias(old_name: str, new_name: str) -> None:
    """Makes both names import one and the same module."""
    module = importlib.import_module(new_name)
    parent, _, leaf = old_name.rpartition(".")
    setattr(importlib.import_module(parent), leaf, module)
    sys.modules[old_name] = module


def _export_for_ortmodule_by_torchscript() -> None:
    """Lets `torch.onnx.export` default to `dynamo=False` while ORTModule exports.

    Everyone else keeps the default of this torch.
    """
    import torch.onnx

    export = torch.onnx.export
    if getattr(export, "_ortwrap_bridge", False):
        return

    # `wraps` keeps the signature: ORTModule reads it to learn which options there are.
    @functools.wraps(export)
    def export_by_caller(*args: Any, **kwargs: Any) -> Any:
        if _ortmodule_is_exporting():
            kwargs.setdefault("dynamo", False)
        return export(*args, **kwargs)

    export_by_caller._ortwrap_bridge = True  # type: ignore[attr-defined]
    torch.onnx.export = export_by_caller


def _ortmodule_is_exporting() -> bool:
    ortmodule = sys.modules.get("onnxruntime.training.ortmodule")
    return ortmodule is not None and bool(ortmodule.ORTMODULE_ONNX_EXPORT_CONTEXT[0])


BRIDGE = Bridge(
    name="torch 2.9: TorchScript exporter moved, no longer the default",
    needed=since(2, 9),
    apply=_apply,
)
