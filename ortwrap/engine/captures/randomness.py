"""Random numbers drawn on the way to the loss: as often as in eager, and in the same order."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.effects.randomness import BESIDE_TORCH
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants

_FACTORIES = re.compile(r"^torch\.rand")
_DRAWS = re.compile(r"^torch\.(?:rand|normal|bernoulli|multinomial)|dropout|distributions")


def makes_random_tensor(func: cst.CSTNode, bindings: Bindings) -> bool:
    """`torch.randn`, `torch.rand_like` and their family."""
    return _FACTORIES.match(bindings.qualified(func) or "") is not None


def moves_a_generator(func: cst.CSTNode, bindings: Bindings) -> bool:
    """What is called draws from torch's generator, so that the order of such calls matters."""
    return _DRAWS.search(bindings.qualified(func) or "") is not None


def draws_numbers(node: cst.CSTNode, bindings: Bindings) -> bool:
    """The same text twice may give two values: `randn_like(x)` for each of two views.

    What an unknown function does is not known: it may draw as well.
    """
    for inner in descendants(node):
        if isinstance(inner, cst.Call):
            qualified = bindings.qualified(inner.func) or ""
            if _FACTORIES.match(qualified) or qualified.startswith(BESIDE_TORCH):
                return True
            named = isinstance(inner.func, cst.Name) and bindings.resolve(inner.func) is not None
            if (named or qualified) and not qualified.startswith("torch."):
                return True
    return False
