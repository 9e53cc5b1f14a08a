"""Plays one script twice, eagerly and through `ort_module`, and compares all that it shows."""

from __future__ import annotations

import random
import warnings
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from ortwrap.runtime import OrtwrapWarning, ort_module, report

from .play import Make, Script

# Of the largest entry; what is computed in half precisions is rounded to them once more.
_CLOSE = {torch.float64: 1e-7, torch.complex128: 1e-7, torch.bfloat16: 2e-2, torch.float16: 3e-3}
_ADVICE = "ortwrap: ONNX Runtime failed in backward"


@dataclass(frozen=True)
class Outcome:
    """What became of a script.

    Attributes:
        word: `ort`, `eager`, `advice`, or one of the failures: `differs`, `raises`, `dies`,
            `silent` (it ran eagerly and no warning said so).
        ran: how many of its calls ONNX Runtime ran, and how many there were.
        detail: why it ran eagerly, or what differs.
    """

    word: str
    ran: tuple[int, int]
    detail: str


def play_twice(script: Script) -> Outcome:
    """Compares a script on ONNX Runtime with the same script run eagerly."""
    expected, failure, _ = _play(script, _eagerly)
    seen, error, told = _play(script, ort_module)
    rows = [row for one in report.of_process()["wrappers"] for row in one["signatures"]]
    ran = sum(row.get("ort_calls", 0) for row in rows), sum(row["calls"] for row in rows)
    reasons = [str(row["reason"]) for row in rows if row["backend"] == "eager"]
    if error != failure:
        text = error or f"eager raises {failure}"
        return Outcome("advice" if _ADVICE in text else "raises", ran, text)
    text = _apart(seen, expected)
    if text is not None:
        return Outcome("differs", ran, text)
    if ran[0]:
        return Outcome("ort", ran, "; ".join(reasons))
    return Outcome("eager" if told else "silent", ran, "; ".join(reasons))


def _eagerly(kind: type[nn.Module], *modules: Any) -> Any:
    return kind(*modules)


def _play(script: Script, make: Make) -> tuple[list[Any], str, bool]:
    """What the script shows, the exception that ends it if one does, and whether it was warned."""
    torch.manual_seed(0)
    random.seed(0)
    numpy.random.seed(0)
    seen: list[Any] = []
    error = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            # Not in one go: what was seen before the script raises is compared too.
            for shown in script(make):
                seen.append(_frozen((shown, _chance())))  # noqa: PERF401
        except Exception as raised:
            error = f"{type(raised).__name__}: {' '.join(str(raised).split())}"[:300]
    return seen, error, any(issubclass(one.category, OrtwrapWarning) for one in caught)


def _chance() -> tuple[Any, ...]:
    numbers = numpy.random.get_state()
    return torch.get_rng_state(), random.getstate(), numbers[1].tolist(), numbers[2]


def _frozen(value: Any) -> Any:
    """A copy that no later step changes, with the kind of each container."""
    if isinstance(value, Tensor):
        return value.requires_grad, value.layout, value.detach().clone()
    if is_dataclass(value) and not isinstance(value, type):
        value = {"class": type(value).__name__, **vars(value)}
    if isinstance(value, dict):
        return type(value).__name__, [(key, _frozen(one)) for key, one in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [_frozen(one) for one in value]
    return value


def _apart(seen: Any, expected: Any, place: str = "") -> str | None:
    """Where the two are not the same, None if they are."""
    if isinstance(seen, Tensor) and isinstance(expected, Tensor):
        return _tensors_apart(seen, expected, place)
    if isinstance(seen, float) and isinstance(expected, float):
        # Read off a loss, it is rounded as that is.
        return _tensors_apart(torch.tensor(seen), torch.tensor(expected), place)
    if isinstance(seen, (list, tuple)) and isinstance(expected, (list, tuple)):
        if len(seen) != len(expected):
            return f"{place}: {len(seen)} instead of {len(expected)}"
        for index, (mine, theirs) in enumerate(zip(seen, expected)):
            named = isinstance(mine, str) and not place.endswith(mine)
            text = _apart(mine, theirs, f"{place}/{mine if named else index}")
            if text is not None:
                return text
        return None
    return (
        None
        if type(seen) is type(expected) and seen == expected
        else (f"{place}: {seen!s:.60} instead of {expected!s:.60}")
    )


def _tensors_apart(seen: Tensor, expected: Tensor, place: str) -> str | None:
    if seen.shape != expected.shape or seen.dtype != expected.dtype:
        kinds = f"{seen.dtype} {tuple(seen.shape)} instead of {expected.dtype}"
        return f"{place}: {kinds} {tuple(expected.shape)}"
    seen, expected = seen.to_dense(), expected.to_dense()
    if not (expected.is_floating_point() or expected.is_complex()):
        return None if torch.equal(seen, expected) else f"{place}: other values"
    close = _CLOSE.get(expected.dtype, 1e-5)
    wide = (one.to(torch.complex128) for one in (seen, expected))
    mine, theirs = (torch.view_as_real(one) for one in wide)
    if not torch.equal(mine.isfinite(), theirs.isfinite()):
        return f"{place}: other numbers are nan or infinite"
    gap = (mine - theirs).nan_to_num(0, 0, 0).abs().max() if mine.numel() else 0.0
    size = max(1.0, float(theirs.nan_to_num(0, 0, 0).abs().max())) if mine.numel() else 1.0
    return f"{place}: differs by {float(gap):.2g}" if gap > close * size else None
