"""The differences between ORTModule 1.19.2 and newer releases of torch, bridged in one place.

One file per torch release that broke something. No installed file is changed: what is Python is
mended in the running process, what is C++ in the copy of the sources that is compiled.

    from ortwrap.runtime import compat
    compat.apply()
    from onnxruntime.training.ortmodule import ORTModule
"""

from __future__ import annotations

from . import cpu_build, torch_2_7, torch_2_9, torch_2_13
from .bridge import Bridge
from .packages import TorchBuild, installed_torch
from .sources import SourcePatch

BRIDGES: tuple[Bridge, ...] = (
    cpu_build.BRIDGE,
    torch_2_7.BRIDGE,
    torch_2_9.BRIDGE,
    torch_2_13.BRIDGE,
)


def bridges_for(torch_build: TorchBuild) -> tuple[Bridge, ...]:
    """The bridges that ORTModule needs on this torch, oldest first."""
    return tuple(bridge for bridge in BRIDGES if bridge.needed(torch_build))


def source_patches_for(torch_build: TorchBuild) -> tuple[SourcePatch, ...]:
    """The changes to the extension sources that this torch needs, in the order to make them."""
    return tuple(patch for bridge in bridges_for(torch_build) for patch in bridge.source_patches)


def apply() -> None:
    """Bridges the torch of this process; call it before ORTModule is imported, as often as wanted.

    Raises:
        ModuleNotFoundError: torch is not installed.
    """
    torch_build = installed_torch()
    if torch_build is None:
        raise ModuleNotFoundError("torch is not installed; run: pip install torch", name="torch")
    for bridge in bridges_for(torch_build):
        bridge.apply()
