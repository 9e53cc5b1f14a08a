"""Trains a case twice, eagerly and on ONNX Runtime, and compares every step."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor, nn

from .case import Batch, Case
from .outcome import Outcome, Verdict

STEPS = 4
_LEARNING_RATE = 0.01
_TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-9}

Backend = Callable[[nn.Module], "tuple[Callable[..., Any], Callable[[], str | None]]"]
"""Makes, of a model, what is called for a step, and what tells why it ran eagerly (None: it ran on
ONNX Runtime)."""


class _Step(nn.Module):
    """The training step that is exported: the model itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Tensor) -> Any:
        return self.model(*batch)


def by_ortwrap(model: nn.Module) -> tuple[Callable[..., Any], Callable[[], str | None]]:
    """`ortwrap.runtime.ort_module` around the model."""
    from ortwrap.runtime import ort_module
    from ortwrap.runtime.dispatch import LATER

    step = ort_module(_Step, model)

    def why_eager() -> str | None:
        signatures = step.report()["signatures"]
        on_ort = any(signature["backend"] == "ort" for signature in signatures)
        for signature in signatures:
            # A first call that sets something once leaves the comparison to the second.
            put_off = on_ort and str(signature["reason"]).endswith(LATER)
            if signature["backend"] != "ort" and not put_off:
                return str(signature["reason"])
        return None

    return step, why_eager


def by_ortmodule(model: nn.Module) -> tuple[Callable[..., Any], Callable[[], str | None]]:
    """Plain ORTModule around the model, bridged to this torch and no more."""
    from ortwrap.runtime import compat
    from ortwrap.runtime.compat.shape_inference import leave_no_file

    compat.apply()
    leave_no_file()
    from onnxruntime.training.ortmodule import DebugOptions, LogLevel, ORTModule

    step = ORTModule(model, DebugOptions(log_level=LogLevel.ERROR))

    def why_eager() -> str | None:
        error = step._fallback_manager._exception
        if error is None and type(step._torch_module).__name__ == "TorchModuleORT":
            return None
        return "ORTModule fell back"

    return step, why_eager


BACKENDS: dict[str, Backend] = {"ortmodule": by_ortmodule, "ortwrap": by_ortwrap}


def run(case: Case, backend: str) -> Outcome:
    """Trains `case` for a few steps; never raises."""
    started = time.perf_counter()
    try:
        verdict, detail = _train(case, BACKENDS[backend])
    except Exception as error:
        text = " ".join(str(error).split())
        verdict, detail = Verdict.RAISES, f"{type(error).__name__}: {text}"[-300:]
    return Outcome(verdict, detail, time.perf_counter() - started)


def _train(case: Case, backend: Backend) -> tuple[Verdict, str]:
    torch.manual_seed(0)
    eager = case.model().to(case.dtype)
    ours = copy.deepcopy(eager)
    step, why_eager = backend(ours)
    optimizers = [_optimizer(eager), _optimizer(ours)]
    differences: list[str] = []
    for number in range(STEPS):
        theirs = _one_step(case, eager, eager, number)
        mine = _one_step(case, ours, step, number)
        found = _difference(theirs, mine, _TOLERANCE[case.dtype])
        differences += [f"step {number}, {found}"] if found else []
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    reason = why_eager()
    if differences:
        return Verdict.DIFFERS, differences[0]
    return (Verdict.EXACT, "") if reason is None else (Verdict.EAGER, reason)


def _optimizer(model: nn.Module) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.SGD(parameters or [torch.zeros(1)], _LEARNING_RATE)


def _one_step(
    case: Case, model: nn.Module, step: Callable[..., Any], number: int
) -> dict[str, Tensor | None]:
    """Everything that the step computed, by name."""
    torch.manual_seed(100 + number)
    batch = _in_dtype(case.batch(number), case.dtype)
    if batch[0].is_floating_point():
        batch[0].requires_grad_()
    torch.manual_seed(number)
    loss = step(*batch)
    loss.backward()
    made: dict[str, Tensor | None] = {"loss": loss.detach().clone()}
    if batch[0].requires_grad:
        made["gradient of the input"] = batch[0].grad
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        made[f"gradient of {name}"] = None if gradient is None else gradient.clone()
    for name, buffer in model.named_buffers():
        made[f"buffer {name}"] = buffer.detach().clone()
    return made


def _in_dtype(batch: Batch, dtype: torch.dtype) -> Sequence[Tensor]:
    return [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in batch]


def _difference(
    theirs: dict[str, Tensor | None], mine: dict[str, Tensor | None], tolerance: float
) -> str | None:
    for name, reference in theirs.items():
        value = mine[name]
        if (value is None) != (reference is None):
            # Plain ORTModule gives zeros where eager gives none.
            other = reference if value is None else value
            if other is not None and bool(other.any()):
                return f"{name}: one side has none"
            continue
        if value is None or reference is None:
            continue
        if value.shape != reference.shape:
            return f"{name}: {tuple(value.shape)}, eager {tuple(reference.shape)}"
        gap = float((value.double() - reference.double()).abs().nan_to_num(1e30).max())
        scale = max(1.0, float(reference.double().abs().max()))
        if gap > tolerance * scale:
            return f"{name}: off by {gap:.2g}"
    return None
