"""What one bridge between ORTModule 1.19.2 and a newer torch consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from .packages import TorchBuild
from .sources import SourcePatch


def _nothing() -> None:
    """For bridges that only change C++ sources."""


@dataclass(frozen=True)
class Bridge:
    """One incompatibility and its mending.

    `needed` decides by the torch that is installed, never by trying. `apply` changes the running
    process and may be called any number of times; `source_patches` change the copy of the
    extension sources before it is compiled.
    """

    name: str
    needed: Callable[[TorchBuild], bool]
    apply: Callable[[], None] = _nothing
    source_patches: tuple[SourcePatch, ...] = ()


def since(major: int, minor: int) -> Callable[[TorchBuild], bool]:
    """Condition of a bridge: this torch release or a later one."""

    def needed(torch_build: TorchBuild) -> bool:
        return torch_build.release >= (major, minor)

    return needed
