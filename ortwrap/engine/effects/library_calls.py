"""What a function of a library does beside computing, as its dotted name tells."""

from __future__ import annotations

import re

from ortwrap.engine.effects.crossing import Crossing
from ortwrap.engine.effects.harmless import PURE_PACKAGES
from ortwrap.engine.effects.randomness import BESIDE_TORCH

_RANDOM = re.compile(
    r"^(?:torch|numpy\.random|random)\.(?:rand\w*|normal|bernoulli|multinomial|manual_seed|seed"
    r"|choice|shuffle|uniform|permutation|dropout\w*|poisson|sample|beta)$"
    r"|^torch\.(?:cuda\.|random\.)\w*(?:seed|rng)\w*$"
    r"|distributions|functional\.dropout|functional\.gumbel"
)
_MEASURES = re.compile(r"acc|metric|iou|score|dice|topk|psnr|ssim|log|print|time|meter|perplex")
_SWITCH = re.compile(r"torch\.(?:set_|use_|backends|cuda\.set_|autograd\.set_|_C)")


def why_call_matters(qualified: str, name: str, crossing: Crossing) -> str | None:
    """Why the order of a call and what would cross it could matter; None if it cannot.

    Args:
        qualified: the dotted name of the function.
        name: what the script calls it.
        crossing: what would run on the other side of the call.
    """
    if _SWITCH.match(qualified):
        return "it changes a setting"
    if qualified.startswith(BESIDE_TORCH):
        return drawing(crossing.draws_beside_torch)
    if draws(qualified):
        return drawing(crossing.draws)
    if qualified.endswith("_") or qualified.startswith("torch.nn.init"):
        return "it changes its arguments"
    if f"{qualified}.".startswith(PURE_PACKAGES):
        return None
    return None if measures(qualified) and not crossing.runs_module else unknown(name)


def draws(qualified: str) -> bool:
    """It draws random numbers, or seeds what does."""
    return _RANDOM.search(qualified) is not None


def measures(name: str) -> bool:
    """It is called like what looks at a result, and keeps a number of it at most."""
    return _MEASURES.search(name.lower()) is not None


def drawing(drawn: str) -> str | None:
    """Why a draw matters, where the other side may draw by the call `drawn`."""
    return f"it draws random numbers, as `{drawn}` may" if drawn else None


def unknown(name: str) -> str:
    """Why a call of which nothing is known matters."""
    return f"nothing is known about `{name}`"
