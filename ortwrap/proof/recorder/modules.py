"""Which modules a script trains, found from its optimizers alone."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator

import torch
from torch import nn

_TRANSPARENT_PACKAGES = ("ortwrap", "onnxruntime", "torch_ort")
# In the name of what no optimizer trains.
NOT_TRAINED = "(not trained"
# Numbers of a network that is held, but not trained, and too large to be kept aside.
_LARGE = 2**25
_WITHOUT_DATA = (nn.UninitializedParameter, nn.UninitializedBuffer)


class Roots:
    """The outermost modules of the script's own that hold trained parameters.

    They are held strongly from the moment their optimizer first steps: a model that is
    local to a function is gone by the time the process ends.

    Args:
        transparent: names of generated wrapper classes, which count as absent.
    """

    def __init__(self, transparent: Iterable[str]) -> None:
        self._transparent = frozenset(transparent)
        self._roots: list[nn.Module] = []

    def add_owners(self, parameters: list[nn.Parameter]) -> None:
        """Remember the roots that own `parameters`, in the order of what they own."""
        position = {id(parameter): index for index, parameter in enumerate(parameters)}
        known = {id(root) for root in self._roots}
        owners: list[tuple[int, nn.Module]] = []
        for root in self._outermost():
            owned = [position[id(p)] for p in root.parameters() if id(p) in position]
            if owned and id(root) not in known:
                owners.append((min(owned), root))
        self._roots += [root for _, root in sorted(owners, key=lambda owner: owner[0])]

    def add_those_with_gradients(self) -> list[nn.Module]:
        """Remember the roots that a gradient has reached; the new ones, in a fixed order."""
        known = {id(root) for root in self._roots}
        reached = [
            root
            for root in self._outermost()
            if id(root) not in known and any(map(_has_gradient, root.parameters()))
        ]
        reached.sort(key=lambda root: type(root).__qualname__)
        self._roots += reached
        return reached

    def named(self) -> Iterator[tuple[str, nn.Module]]:
        """Each root with a name that is the same on both sides, `Net` or `Net#2`."""
        count: dict[str, int] = {}
        for root in self._roots:
            name = type(root).__qualname__.rpartition(".")[2]
            count[name] = count.get(name, 0) + 1
            yield (name if count[name] == 1 else f"{name}#{count[name]}"), root

    def in_evaluation(self) -> list[str]:
        """Names of the modules that are in evaluation mode."""
        return [
            f"{root_name}.{name}".rstrip(".")
            for root_name, root in self.named()
            for name, module in root.named_modules()
            if not module.training
        ]

    def bystanders(self, trained: list[nn.Parameter] | None) -> dict[str, dict[str, torch.Tensor]]:
        """Parameters and buffers of modules that no optimizer trains: averages, teachers.

        Several of one class are told apart by the size of their weights, which is the same on
        both sides whatever order they are found in. Their name tells how many there are, so that
        one side is not compared with another number of the other.

        Args:
            trained: the parameters that are; None leaves all out.
        """
        found: dict[str, dict[str, torch.Tensor]] = {"other_parameters": {}, "other_buffers": {}}
        if trained is None:
            return found
        own = {id(parameter) for parameter in trained}
        known = {id(root) for root in self._roots}
        by_class: dict[str, list[nn.Module]] = {}
        for module in self._outermost():
            if id(module) not in known and _is_held_for_itself(module, own):
                kind = type(module).__qualname__.rpartition(".")[2]
                by_class.setdefault(kind, []).append(module)
        for kind, alike in by_class.items():
            alike.sort(key=_size_of_weights)
            for number, module in enumerate(alike, start=1):
                which = f", {number} of {len(alike)}" if len(alike) > 1 else ""
                root = f"{kind} {NOT_TRAINED}{which})"
                for part, tensors in (
                    ("other_parameters", module.named_parameters()),
                    ("other_buffers", module.named_buffers()),
                ):
                    found[part].update((f"{root}.{name}", snapshot(each)) for name, each in tensors)
        return found

    def _outermost(self) -> list[nn.Module]:
        gc.collect()
        # type() and not isinstance(): lazy proxies answer to __class__ by importing things.
        alive = [each for each in gc.get_objects() if issubclass(type(each), nn.Module)]
        own = [module for module in alive if not self._is_transparent(module)]
        inner = {id(child) for module in own for child in module.children()}
        return [module for module in own if id(module) not in inner]

    def _is_transparent(self, module: nn.Module) -> bool:
        kind = type(module)
        package = (kind.__module__ or "").partition(".")[0]
        return package in _TRANSPARENT_PACKAGES or kind.__name__ in self._transparent


def _has_gradient(parameter: nn.Parameter) -> bool:
    # ONNX Runtime gives zeros where eager gives none.
    return parameter.grad is not None and bool(parameter.grad.any())


def _is_held_for_itself(module: nn.Module, trained: set[int]) -> bool:
    """Whether a module has weights, none of which is trained, and not too many to keep."""
    held = [*module.parameters(), *module.buffers()]
    return (
        bool(held)
        and not any(id(tensor) in trained or type(tensor) in _WITHOUT_DATA for tensor in held)
        and sum(tensor.numel() for tensor in held) <= _LARGE
    )


def _size_of_weights(module: nn.Module) -> float:
    return sum(float(each.detach().double().norm()) for each in module.parameters())


def snapshot(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU that later steps do not change."""
    copy = tensor.detach()
    if copy.layout != torch.strided:
        copy = copy.to_dense()
    return copy.to("cpu", copy=True)
