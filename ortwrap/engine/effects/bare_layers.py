"""Layers that are made where they are called: `nn.Softmax(dim=1)(output)`.

Nothing else can know of such a layer. One without weights is the function that its class is named
after; one with weights draws them anew at each call.
"""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.effects.in_place import works_in_place
from ortwrap.engine.effects.randomness import SAME_MODULE
from ortwrap.engine.evidence.kinds import built_by
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in

# What they return is new: `nn.Identity()` and `nn.Flatten()` hand on what they are given.
_PACKAGE = r"^torch\.nn\.(?:modules\.\w+\.)?"
_ONLY_COMPUTES = re.compile(
    _PACKAGE + r"(?:Soft(?:max|max2d|min|plus|sign|shrink)|LogSoftmax"
    r"|ReLU6?|LeakyReLU|ELU|CELU|SELU|GELU|SiLU|Mish|Tanh|Tanhshrink|Sigmoid|LogSigmoid|GLU"
    r"|Hard\w+|Threshold|(?:Max|Avg|LP|AdaptiveMax|AdaptiveAvg)Pool\dd|\w+Pad\dd"
    r"|PixelShuffle|PixelUnshuffle|CosineSimilarity|PairwiseDistance)$"
)
_DRAWS_WEIGHTS = re.compile(
    _PACKAGE + r"(?:Linear|Bilinear|Conv(?:Transpose)?\dd|Embedding|EmbeddingBag|MultiheadAttention"
    r"|Transformer\w*|(?:LSTM|GRU|RNN)(?:Cell)?)$"
)


def only_computes(func: cst.BaseExpression, bindings: Bindings) -> bool:
    """A layer without weights, state and random numbers, or a criterion, made for one call."""
    while _is_moved(func):
        func = cst.ensure_type(cst.ensure_type(func, cst.Call).func, cst.Attribute).value
    if not isinstance(func, cst.Call) or works_in_place(func):
        return False
    made = bindings.qualified(func.func) or ""
    if not made.startswith("torch.nn."):
        return False
    evidence = built_by(made)
    criterion = evidence is not None and evidence.role == "criterion"
    return criterion or _ONLY_COMPUTES.match(made) is not None


def _is_moved(func: cst.BaseExpression) -> bool:
    """`nn.Softmax(dim=1).to(device)`."""
    method = func.func if isinstance(func, cst.Call) else None
    return isinstance(method, cst.Attribute) and method.attr.value in SAME_MODULE


def _draws_weights(call: cst.Call, bindings: Bindings) -> bool:
    """`nn.Conv2d(1, 1, 3)`: each call makes a layer with random weights of its own."""
    return _DRAWS_WEIGHTS.match(bindings.qualified(call.func) or "") is not None


def layer_with_drawn_weights(node: cst.CSTNode, bindings: Bindings) -> cst.Call | None:
    """`nn.Conv2d(1, 1, 3)` in a piece of code: each run makes a layer with weights of its own."""
    return next((call for call in calls_in(node) if _draws_weights(call, bindings)), None)
