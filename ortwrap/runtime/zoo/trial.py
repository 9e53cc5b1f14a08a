"""Trains a model twice, eagerly and on ONNX Runtime, and compares every step."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from typing import Any, Callable

import torch
from torch import nn

from ..operators.coverage.outcome import Outcome, Verdict
from ..operators.coverage.trial import BACKENDS
from .model import Batch, Model, Update

STEPS = 20
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}
# How much further than eager from itself a model may be: one sample does not tell the largest.
_LEEWAY = 2.0

Gaps = defaultdict[str, float]


def run(model: Model, backend: str) -> Outcome:
    """Trains `model` for a few steps; never raises."""
    started = time.perf_counter()
    try:
        verdict, detail = _train(model, backend)
    except Exception as error:
        text = " ".join(str(error).split())
        verdict, detail = Verdict.RAISES, f"{type(error).__name__}: {text}"[-300:]
    return Outcome(verdict, detail, time.perf_counter() - started)


class _Side:
    """One of the two trainings.

    Attributes:
        model: what is trained.
        losses: what is called for each update.
    """

    def __init__(self, model: nn.Module, zoo: Model) -> None:
        self.model = model
        self.losses: list[Callable[..., Any]] = [update.loss(model) for update in zoo.updates]
        self._optimizers = [self._optimizer(update, zoo) for update in zoo.updates]

    def _optimizer(self, update: Update, zoo: Model) -> torch.optim.Optimizer:
        module = self.model.get_submodule(update.of)
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        # Adam makes a step of full size of a gradient that is zero but for rounding, as that of
        # a bias before a normalization: what it trains there differs from run to run.
        return torch.optim.SGD(parameters, zoo.rate, momentum=0.9, weight_decay=zoo.decay)

    def update(self, index: int, batch: Batch) -> float:
        """Makes one update; returns the loss."""
        loss = self.losses[index](*batch)
        optimizer = self._optimizers[index]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())


def _train(zoo: Model, backend: str) -> tuple[Verdict, str]:
    # Made twice, not copied: a copy of a model can hold on to parts of the original.
    eager, ours = (_Side(_made(zoo, backend), zoo) for _ in range(2))
    tried = [BACKENDS[backend](loss) for loss in ours.losses]  # type: ignore[arg-type]
    ours.losses = [call for call, _ in tried]
    gaps = _differences(zoo, eager, ours)
    reasons = [why_eager() for _, why_eager in tried]
    if max(gaps.values()) > TOLERANCE[zoo.dtype]:
        return _beyond(zoo, gaps)
    for reason in reasons:
        if reason is not None:
            return Verdict.EAGER, reason
    return Verdict.EXACT, _text(gaps)


def _differences(
    zoo: Model,
    eager: _Side,
    other: _Side,
    around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext,
) -> Gaps:
    """Trains both side by side, the other one inside of `around`; the largest differences."""
    gaps: Gaps = defaultdict(float)
    for step in range(STEPS):
        torch.manual_seed(100 + step)
        batch = tuple(
            tensor.to(zoo.dtype) if tensor.is_floating_point() else tensor
            for tensor in zoo.batch(step)
        )
        for index in range(len(zoo.updates)):
            torch.manual_seed(step)
            expected = eager.update(index, batch)
            torch.manual_seed(step)
            with around():
                found = other.update(index, batch)
            _note(gaps, "losses", expected, found)
        _compare(gaps, eager.model, other.model)
    return gaps


def _beyond(zoo: Model, gaps: Gaps) -> tuple[Verdict, str]:
    """Whether eager lies as far from itself, when it is rounded otherwise.

    A network with many BatchNorms, trained on few pictures, makes of one rounded bit a difference
    that doubles with every few steps, whoever computes it. Some ways to round meet such a bit, and
    others do not: the furthest of them counts.
    """
    if zoo.dtype is not torch.float32:
        return Verdict.DIFFERS, _text(gaps)
    noise: Gaps = defaultdict(float)
    for around, seed in ((without_onednn, None), *((contextlib.nullcontext, n) for n in range(3))):
        eager, other = (_Side(_made(zoo, "ortwrap"), zoo) for _ in range(2))
        if seed is not None:
            nudge(other.model, seed)
        for name, gap in _differences(zoo, eager, other, around).items():
            noise[name] = max(noise[name], gap)
    near = all(gap <= _LEEWAY * noise[name] for name, gap in gaps.items())
    detail = f"{_text(gaps)}; eager, rounded otherwise: {_text(noise)}"
    return Verdict.NOISE if near else Verdict.DIFFERS, detail


def without_onednn() -> contextlib.AbstractContextManager[Any]:
    """torch's own kernels, which round otherwise than those of oneDNN."""
    return torch.backends.mkldnn.flags(enabled=False)


def nudge(model: nn.Module, seed: int) -> None:
    """Changes the last bit of about half of the weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.mul_(1 + torch.finfo(parameter.dtype).eps / 2 * noise.to(parameter))


def _text(gaps: Gaps) -> str:
    return ", ".join(f"{name} {gap:.1e}" for name, gap in gaps.items())


def _made(zoo: Model, backend: str) -> nn.Module:
    torch.manual_seed(0)
    model = zoo.make().to(zoo.dtype)
    if backend == "ortmodule":
        # ORTModule draws other masks than torch, whatever the seed.
        without_dropout(model)
    return model


def without_dropout(model: nn.Module) -> None:
    """Sets every ratio of dropout in `model` to zero."""
    for module in model.modules():
        for name, value in list(vars(module).items()):
            is_ratio = "drop" in name or (isinstance(module, nn.modules.dropout._DropoutNd))
            if is_ratio and isinstance(value, float):
                setattr(module, name, 0.0)


def _compare(gaps: Gaps, eager: nn.Module, ours: nn.Module) -> None:
    for parameters in zip(eager.parameters(), ours.parameters()):
        _note(gaps, "parameters", *parameters)
    for buffers in zip(eager.buffers(), ours.buffers()):
        _note(gaps, "buffers", *buffers)


def _note(gaps: Gaps, name: str, reference: Any, value: Any) -> None:
    """Keeps the largest difference, relative to the largest entry where that is above one."""
    reference, value = torch.as_tensor(reference).double(), torch.as_tensor(value).double()
    if reference.numel():
        gap = (reference - value).abs().nan_to_num(1e30).max()
        scale = reference.abs().max().clamp(min=1.0)
        gaps[name] = max(gaps[name], float(gap / scale))
