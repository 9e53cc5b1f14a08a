"""CPU builds of torch, any release, have no NVTX.

`torch.cuda.nvtx.range_push` exists in them and raises `RuntimeError: NVTX functions not
installed` (`torch/cuda/nvtx.py`). ORTModule marks a range on every step and asks only whether the
function exists. The stub that raises is replaced by one that marks nothing.
"""

from __future__ import annotations

from typing import Any

from .bridge import Bridge
from .packages import TorchBuild


class _NoNvtx:
    """Stands in for `torch._C._nvtx`: accepts marks for a profiler that is not there."""

    @staticmethod
    def rangePushA(message: str) -> int:
        return 0

    @staticmethod
    def rangePop() -> int:
        return 0

    @staticmethod
    def markA(message: str) -> None:
        return None


def _apply() -> None:
    from torch.cuda import nvtx

    module: Any = nvtx
    if type(module._nvtx).__name__ == "_NVTXStub":
        module._nvtx = _NoNvtx()


def _needed(torch_build: TorchBuild) -> bool:
    return torch_build.cpu_only


BRIDGE = Bridge(name="CPU build of torch: no NVTX", needed=_needed, apply=_apply)
