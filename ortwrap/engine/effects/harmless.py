"""Calls that leave what they are given as it is: they compute with it, or write it down."""

from __future__ import annotations

import builtins
import re

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

PURE_PACKAGES = (
    "torch.", "math.", "time.", "numpy.", "logging.", "datetime.", "sklearn.", "torchmetrics.",
    "os.path.", "collections.", "itertools.", "functools.",
)  # fmt: skip
_PURE_BUILTINS = frozenset(
    "print len float int str bool sum max min abs round isinstance tuple list dict set zip "
    "range enumerate sorted any all getattr hasattr type format repr map divmod pow slice".split()
)
LOGS = re.compile(
    r"(?:log|logger|print|write|info|debug|warn|warning|add_scalars?|set_postfix\w*|set_desc\w*"
    r"|log_\w+|time|perf_counter\w*)$"
)
HARMLESS_METHODS = frozenset(
    "zero_grad item append extend update add size view reshape flatten squeeze unsqueeze mean sum "
    "max min argmax argmin eq ne gt lt ge le numel dim to cuda cpu float long int half double bool "
    "detach clone numpy tolist keys values items get copy format join split strip type_as t "
    "transpose permute contiguous expand softmax sigmoid abs pow sqrt exp norm topk sort start "
    "stop tic toc record reset synchronize parameters named_parameters repeat masked_select gather "
    "index_select scatter ceil floor round clamp any all cumsum unbind chunk narrow type data_ptr "
    "elapsed perf_counter perf_counter_ns astype get_velocity register_to_config reverse std var "
    "median mode prod logsumexp log_softmax sub mul div neg square clamp_min clamp_max relu tanh "
    "log log1p sign logical_not logical_and logical_or nonzero unique bincount flip roll expand_as "
    "view_as".split()
)


def only_uses(func: cst.BaseExpression, bindings: Bindings) -> bool:
    """Code that computes with what it is given, or reports it, and leaves it as it is."""
    if isinstance(func, cst.Name) and bindings.resolve(func) is None:
        return is_pure_builtin(func.value)
    if f"{bindings.qualified(func)}.".startswith(PURE_PACKAGES):
        return True
    method = func.attr.value if isinstance(func, cst.Attribute) else ""
    return method in HARMLESS_METHODS or LOGS.match(method) is not None


def only_shows(func: cst.BaseExpression, bindings: Bindings) -> bool:
    """`print(...)`, `writer.add_scalar(...)`: what it is given is written down and not kept."""
    if isinstance(func, cst.Name):
        return func.value == "print" and bindings.resolve(func) is None
    return isinstance(func, cst.Attribute) and LOGS.match(func.attr.value) is not None


def is_pure_builtin(name: str) -> bool:
    """`len`, `print`, `ValueError`."""
    error = getattr(builtins, name, None)
    return name in _PURE_BUILTINS or (isinstance(error, type) and issubclass(error, Exception))
