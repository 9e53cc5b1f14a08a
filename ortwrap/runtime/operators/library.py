"""Operators of our own in torch's dispatcher, where ONNX Runtime's ATen node finds them."""

from __future__ import annotations

from typing import Any, Callable

import torch

NAMESPACE = "ortwrap"
_LIBRARY: Any = torch.library.Library(NAMESPACE, "FRAGMENT")  # type: ignore[no-untyped-call]


def define(schema: str, implementation: Callable[..., Any], *, of_autograd: bool = False) -> None:
    """Defines an operator.

    Args:
        schema: "name(Tensor x) -> Tensor".
        implementation: what it does, on every device.
        of_autograd: whether it consists of torch functions that autograd sees through.
    """
    _LIBRARY.define(schema)
    key = "CompositeImplicitAutograd" if of_autograd else "CompositeExplicitAutograd"
    _LIBRARY.impl(schema.partition("(")[0], implementation, key)
