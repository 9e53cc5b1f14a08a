"""How far apart two numbers may lie and still count as the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The unit roundoff of a type, times about 10 for float64 and about 100 for the others: what a
# different order of summation amounts to over some twenty steps.
_BY_DTYPE: Mapping[str, tuple[float, float]] = {
    "float64": (1e-9, 1e-7),
    "float32": (1e-5, 1e-4),
    "float16": (1e-2, 1e-2),
    "bfloat16": (5e-2, 5e-2),
}
_EXACT = (0.0, 0.0)


@dataclass(frozen=True)
class Tolerances:
    """`|a - b| <= absolute + relative * |a|`, by the coarser type of what is compared.

    Attributes:
        by_dtype: (absolute, relative) for each floating type; whole numbers and truth
            values must be equal.
        gradient: share of a step's gradient norm by which the norm of one
            parameter's gradient may differ.
        noise_factor: a larger difference still counts as rounding when it is less than
            this many times what the original differs from itself, nudged by
            `nudge` at every step.
        nudge: relative size of that nudge.
    """

    by_dtype: Mapping[str, tuple[float, float]] = field(default_factory=lambda: dict(_BY_DTYPE))
    gradient: float = 1e-3
    noise_factor: float = 4.0
    nudge: float = 3e-7

    def of(self, dtype: str) -> tuple[float, float]:
        """(absolute, relative) for a dtype as torch prints it, `torch.float32` or `float32`."""
        return self.by_dtype.get(dtype.rpartition(".")[2], _EXACT)

    def with_float32(self, absolute: float, relative: float) -> Tolerances:
        """The same with another pair for float32."""
        by_dtype = {**self.by_dtype, "float32": (absolute, relative)}
        return Tolerances(by_dtype, self.gradient, self.noise_factor, self.nudge)
