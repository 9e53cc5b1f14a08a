"""Differences that an optimizer makes of gradients which are nothing but rounding.

Adam divides a gradient by its own size. Where the true gradient is zero, as of the key bias of an
attention or of a bias before a BatchNorm, what it divides is rounding, and how large that is
depends on who computes it: ONNX Runtime's may be ten times eager's. A nudge of the weights does
not show how large it may be, since it leaves the true gradient at zero. It does show that there is
none: nudged, what was taken for a gradient is another one altogether.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from ortwrap.proof.gaps import NOTHING, Gap
from ortwrap.proof.recording import Recording
from ortwrap.proof.tolerance import Tolerances

# What Adam and its kin remember of the gradients of a parameter, with their signs.
_AVERAGE = "exp_avg"
# A gradient of which a nudge by rounding error moves such a share is rounding itself.
_UNRELATED = 0.5


@dataclass(frozen=True)
class Amplified:
    """Tells which parameters only the rounding of their gradients has moved apart.

    Attributes:
        original: the recording of the original.
        nudged: the original again, its weights nudged by rounding error.
        patched: the recording of the patched script.
        tolerances: what counts as the same.
    """

    original: Recording
    nudged: Recording
    patched: Recording
    tolerances: Tolerances

    def among(self, found: Iterable[Gap]) -> tuple[Gap, ...]:
        """Those of `found`, gaps beyond what rounding of the weights explains."""
        keys = {self.original.name(key): key for key in self.original.trained}
        return tuple(
            gap
            for gap in found
            if gap.kind == "parameter"
            and (key := keys.get(gap.name)) is not None
            and gap.size <= self._reach(key)
            and self._has_no_gradient(key)
        )

    def _has_no_gradient(self, key: str) -> bool:
        """Whether all elements that lie apart have gradients of mere rounding on every side."""
        sides = self.original, self.nudged, self.patched
        weights = _alike([side.trained.get(key) for side in sides])
        gradients = _alike([side.remembered.get(f"{key}/{_AVERAGE}") for side in sides])
        if not weights or not gradients or weights[0].shape != gradients[0].shape:
            return False
        faint = torch.stack(gradients).abs().amax(dim=0) <= NOTHING * self._whole(key)
        if bool((self._apart(key, *weights) & ~faint).any()):
            return False
        original, nudged, _ = (each[faint] for each in gradients)
        return bool((nudged - original).norm() >= _UNRELATED * original.norm() > 0)

    def _apart(
        self, key: str, original: torch.Tensor, nudged: torch.Tensor, patched: torch.Tensor
    ) -> torch.Tensor:
        """Which elements differ by more than their tolerance and the noise of their tensor."""
        absolute, relative = self.tolerances.of(str(self.original.trained[key].dtype))
        noise = self.tolerances.noise_factor * (nudged - original).abs().max()
        return (patched - original).abs() > torch.maximum(
            absolute + relative * original.abs(), noise
        )

    def _whole(self, key: str) -> float:
        """Size of all gradients that the optimizer of a parameter remembers."""
        optimizer, _, _ = key.partition("/")
        norms = [
            tensor.double().norm()
            for name, tensor in self.original.remembered.items()
            if name.startswith(f"{optimizer}/") and name.endswith(f"/{_AVERAGE}")
        ]
        return float(torch.stack(norms).norm())

    def _reach(self, key: str) -> float:
        """How far apart two runs can be once each has made all steps at their full rate."""
        optimizer = int(key.partition("/")[0])
        rates = zip(self.original.grad_norms, self.original.learning_rates)
        return 2 * sum(max(each, default=0.0) for (index, _), each in rates if index == optimizer)


def _alike(tensors: Sequence[torch.Tensor | None]) -> list[torch.Tensor]:
    """All of them in float64; nothing unless all are there, real and of one shape."""
    there = [each.double() for each in tensors if each is not None and not each.is_complex()]
    same = len(there) == len(tensors) and len({each.shape for each in there}) == 1
    return there if same else []
