"""Where two recordings differ, by how much, and whether that is more than it may be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from ortwrap.proof.printed import Printed
from ortwrap.proof.recording import Recording
from ortwrap.proof.tolerance import Tolerances

Kind = Literal[
    "steps",
    "backwards",
    "loss",
    "gradient",
    "mode",
    "parameter",
    "buffer",
    "setting",
    "optimizer state",
    "printed",
]
KINDS: tuple[str, ...] = get_args(Kind)

# The name of what tells that dropout is left on in evaluation.
DROPOUT = "dropout"
# A gradient this small a share of its step's is no more than rounding.
NOTHING = 1e-6
# What is printed may be an average, a sum or an exponential of losses, or a count of answers.
_PRINTED_LOSS = 1e-3
_PRINTED_SCORE = 5e-2


@dataclass(frozen=True)
class Gap:
    """One compared quantity.

    Attributes:
        kind: what was compared.
        name: the parameter or buffer; empty for losses and counts.
        step: 1-based optimizer step; None for what was compared at the end.
        original: its value; of a tensor, the element that differs most; of a
            gradient, its norm. None where that side has no such thing.
        patched: the same on the patched side.
        size: the absolute difference; inf where one side has none.
        over: it is more than the tolerance.
        index: place among its kind, to find the same quantity in another comparison.
    """

    kind: Kind
    name: str
    step: int | None
    original: float | None
    patched: float | None
    size: float
    over: bool
    index: str = ""


def gaps(original: Recording, patched: Recording, tolerances: Tolerances) -> tuple[Gap, ...]:
    """Everything compared, in the order in which a run meets it."""
    during = [
        *_losses(original, patched, tolerances),
        *_gradients(original, patched, tolerances),
        *_learning_rates(original, patched, tolerances),
        *_modes(original, patched),
    ]
    order = {"backwards": 0, "loss": 1, "gradient": 2, "setting": 3, "mode": 4}
    during.sort(key=lambda gap: (gap.step or 0, order[gap.kind]))
    return (
        *during,
        *_counts(original, patched),
        *_dropouts(original, patched),
        *_tensors("parameter", _named(original), _named(patched, original), tolerances),
        *_tensors("parameter", original.frozen, patched.frozen, tolerances),
        *_shared("parameter", original.other_parameters, patched.other_parameters, tolerances),
        *_tensors("buffer", original.buffers, patched.buffers, tolerances),
        *_shared("buffer", original.other_buffers, patched.other_buffers, tolerances),
        *_settings(original, patched, tolerances),
        *_remembered(original, patched, tolerances),
    )


def _losses(a: Recording, b: Recording, tolerances: Tolerances) -> Iterator[Gap]:
    """Loss by loss, up to the first step that is not made of as many backwards on both sides."""
    backwards = Counter(a.loss_steps), Counter(b.loss_steps)
    # Of the last step one side may have stopped a backward earlier.
    last = min(a.steps, b.steps)
    unequal = [s for s in range(last) if backwards[0][s] != backwards[1][s]]
    if unequal:
        here, there = (each[unequal[0]] for each in backwards)
        more = abs(here - there)
        yield Gap("backwards", "", unequal[0] + 1, here, there, more, True, str(unequal[0]))
    for index, (x, y) in enumerate(zip(a.losses, b.losses)):
        step = a.loss_steps[index]
        if unequal and step >= unequal[0]:
            return
        absolute, relative = _coarser(tolerances, a.loss_dtypes[index], b.loss_dtypes[index])
        size = _distance(x, y)
        over = size > absolute + relative * abs(x) if math.isfinite(x) else size > 0
        yield Gap("loss", "", step + 1, x, y, size, over, str(index))


def _gradients(a: Recording, b: Recording, tolerances: Tolerances) -> Iterator[Gap]:
    for step, ((i, x), (j, y)) in enumerate(zip(a.grad_norms, b.grad_norms), start=1):
        if i != j or x.shape != y.shape:
            yield Gap("gradient", "", step, None, None, math.inf, True, f"{step}/{i}")
            return
        # No gradient and a gradient of zeros train alike but for weight decay, which the
        # parameters show.
        x, y = x.clamp(min=0).double(), y.clamp(min=0).double()
        size = torch.where(_same(x, y), 0.0, (x - y).abs()).nan_to_num(nan=math.inf)
        whole = float(x[x.isfinite()].norm())
        gone = ((x == 0) != (y == 0)) & (torch.maximum(x, y) > NOTHING * whole)
        over = (size > tolerances.gradient * whole) | gone
        for place in range(len(x)):
            name = a.name(f"{i}/{place}")
            values = float(x[place]), float(y[place])
            yield Gap(
                "gradient",
                name,
                step,
                *values,
                float(size[place]),
                bool(over[place]),
                f"{step}/{i}/{place}",
            )


def _learning_rates(a: Recording, b: Recording, tolerances: Tolerances) -> Iterator[Gap]:
    absolute, relative = tolerances.of("float64")
    for step, (x, y) in enumerate(zip(a.learning_rates, b.learning_rates), start=1):
        optimizer = a.grad_norms[step - 1][0]
        for group, (rate, other) in enumerate(zip(x, y)):
            name = a.name_of_setting(f"{optimizer}/{group}/lr")
            size = _distance(rate, other)
            over = size > absolute + relative * abs(rate)
            yield Gap("setting", name, step, rate, other, size, over, f"{step}/{group}")


def _modes(a: Recording, b: Recording) -> Iterator[Gap]:
    """The first step after which a module trains on one side and is evaluated on the other."""
    for step, (x, y) in enumerate(zip(a.in_evaluation, b.in_evaluation), start=1):
        if x != y and (names := [name for name in (*x, *y) if (name in x) != (name in y)]):
            is_training = float(names[0] not in x), float(names[0] not in y)
            yield Gap("mode", names[0], step, *is_training, 1.0, True, str(step))
            return


def _dropouts(a: Recording, b: Recording) -> Iterator[Gap]:
    """Whether a dropout that is inactive where the original evaluates is active there."""
    active, inactive = {(True, False)}, {(False, False), (False, True)}
    here, there = set(a.dropout_calls), set(b.dropout_calls)
    gained = active & there and not active & here
    lost = inactive & here and not inactive & there
    if here and (gained or lost):
        yield Gap("mode", DROPOUT, None, 0.0, 1.0, 1.0, True, DROPOUT)


def _counts(a: Recording, b: Recording) -> Iterator[Gap]:
    for kind, x, y in (
        ("steps", a.steps, b.steps),
        ("backwards", len(a.losses), len(b.losses)),
    ):
        yield Gap(kind, "", None, x, y, abs(x - y), x != y)  # type: ignore[arg-type]


def _named(recording: Recording, names: Recording | None = None) -> dict[str, torch.Tensor]:
    """The trained parameters in order, by the original side's names."""
    naming = names or recording
    return {naming.name(key): tensor for key, tensor in recording.trained.items()}


def _tensors(
    kind: Kind,
    a: Mapping[str, torch.Tensor],
    b: Mapping[str, torch.Tensor],
    tolerances: Tolerances,
) -> Iterator[Gap]:
    for name, x in a.items():
        y = b.get(name)
        if y is None or x.shape != y.shape:
            yield Gap(kind, name, None, None, None, math.inf, True, name)
        else:
            yield _tensor(kind, name, x, y, tolerances)


def _shared(
    kind: Kind,
    a: Mapping[str, torch.Tensor],
    b: Mapping[str, torch.Tensor],
    tolerances: Tolerances,
) -> Iterator[Gap]:
    """Of modules that no optimizer trains, those that both sides hold."""
    return _tensors(kind, {name: x for name, x in a.items() if name in b}, b, tolerances)


def _tensor(kind: Kind, name: str, x: torch.Tensor, y: torch.Tensor, tol: Tolerances) -> Gap:
    if x.numel() == 0:
        return Gap(kind, name, None, 0.0, 0.0, 0.0, False, name)
    absolute, relative = _coarser(tol, str(x.dtype), str(y.dtype))
    if x.is_complex():
        absolute, relative = tol.of("float32")
        x, y = torch.view_as_real(x), torch.view_as_real(y)
    x, y = x.flatten().double(), y.flatten().double()
    size = torch.where(_same(x, y), 0.0, (x - y).abs()).nan_to_num(nan=math.inf)
    # An infinite original allows nothing but itself.
    allowed = absolute + relative * x.abs().nan_to_num(nan=0.0, posinf=0.0)
    over = size > allowed
    # Name the element that is most over, not the largest one within its tolerance.
    worst = int((size - allowed).argmax())
    return Gap(kind, name, None, float(x[worst]), float(y[worst]), float(size.max()),
               bool(over.any()), name)  # fmt: skip


def _settings(a: Recording, b: Recording, tolerances: Tolerances) -> Iterator[Gap]:
    """Learning rates and the like: whole numbers of Python, so float64."""
    absolute, relative = tolerances.of("float64")
    for key, x in a.settings.items():
        name, y = a.name_of_setting(key), b.settings.get(key)
        if y is None:
            yield Gap("setting", name, None, x, None, math.inf, True, key)
        else:
            size = _distance(x, y)
            yield Gap("setting", name, None, x, y, size, size > absolute + relative * abs(x), key)


def _remembered(a: Recording, b: Recording, tolerances: Tolerances) -> Iterator[Gap]:
    """Averages of gradients: measured, like gradients, against the largest of their kind."""
    largest: dict[tuple[str, str], float] = {}
    for key, x in a.remembered.items():
        kind = _kind_of_remembered(key)
        largest[kind] = max(largest.get(kind, 0.0), _largest(x))
    for key, x in a.remembered.items():
        name, y = a.name_of_remembered(key), b.remembered.get(key)
        if y is None or x.shape != y.shape:
            yield Gap("optimizer state", name, None, None, None, math.inf, True, key)
        elif x.numel():
            allowed = tolerances.gradient * largest[_kind_of_remembered(key)]
            yield _within("optimizer state", name, x, y, allowed, key)


def printed_gaps(a: Sequence[Printed], b: Sequence[Printed]) -> Iterator[Gap]:
    """Losses and scores that both sides print, in the order in which they do."""
    for index, (x, y) in enumerate(zip(a, b)):
        if x.label != y.label:
            return  # from here on they print other things
        size = _distance(x.value, y.value)
        share = _PRINTED_SCORE if x.is_score else _PRINTED_LOSS
        # The last digit may be rounded the other way.
        allowed = 2 * max(x.resolution, y.resolution) + share * abs(x.value)
        yield Gap("printed", x.label, None, x.value, y.value, size, size > allowed, str(index))


def _kind_of_remembered(key: str) -> tuple[str, str]:
    return key.partition("/")[0], key.rpartition("/")[2]


def _largest(x: torch.Tensor) -> float:
    finite = x.detach().flatten().abs().double().nan_to_num(nan=0.0, posinf=0.0)
    return float(finite.max()) if finite.numel() else 0.0


def _within(
    kind: Kind, name: str, x: torch.Tensor, y: torch.Tensor, allowed: float, key: str
) -> Gap:
    """A gap of two tensors that may differ by `allowed` in each element."""
    if x.is_complex():
        x, y = torch.view_as_real(x), torch.view_as_real(y)
    x, y = x.flatten().double(), y.flatten().double()
    size = torch.where(_same(x, y), 0.0, (x - y).abs()).nan_to_num(nan=math.inf)
    worst = int(size.argmax())
    return Gap(kind, name, None, float(x[worst]), float(y[worst]), float(size[worst]),
               bool(size[worst] > allowed), key)  # fmt: skip


def _coarser(tolerances: Tolerances, x: str, y: str) -> tuple[float, float]:
    return max(tolerances.of(x), tolerances.of(y))


def _same(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x == y) | (x.isnan() & y.isnan())


def _distance(x: float, y: float) -> float:
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    distance = abs(x - y)
    return math.inf if math.isnan(distance) else distance


def beyond_noise(found: tuple[Gap, ...], noise: tuple[Gap, ...], factor: float) -> tuple[Gap, ...]:
    """The gaps over their tolerance that rounding does not explain.

    Args:
        found: original against patched.
        noise: original against itself, nudged by rounding error at every step.
        factor: how many times the noise a gap may be.
    """
    # What a run once differed by it may differ by from then on.
    reached = {"loss": 0.0, "gradient": 0.0}
    allowed: dict[tuple[str, str], float] = {}
    for gap in noise:
        size = gap.size if math.isfinite(gap.size) else 0.0
        if gap.kind in reached:
            reached[gap.kind] = max(reached[gap.kind], size)
            size = reached[gap.kind]
        allowed[gap.kind, gap.index] = factor * size
    return tuple(
        gap for gap in found if gap.over and gap.size > allowed.get((gap.kind, gap.index), 0.0)
    )
