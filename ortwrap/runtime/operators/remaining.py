"""Every operator that the exporter knows nothing of: torch runs it.

What is listed by name elsewhere has been compared with eager case by case. These have not; the
runtime compares the first step of every graph with eager's and keeps what differs out.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from .registry import Operator, as_torch, is_exportable

_NOT_FUNCTIONS = (
    "sparse mkldnn miopen cudnn quant fbgemm cuda resize set_ pin_memory backward _copy nested "
    "_like indices values ccol crow is_ to_ record_stream random item"
).split()


def _names() -> Iterator[str]:
    """Operators of torch that take a tensor, return tensors, and write to none of them."""
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, name = schema.name.partition("::")
        if namespace != "aten" or name.startswith("_") or name.endswith("_"):
            continue
        if any(word in name for word in _NOT_FUNCTIONS) or "out" in schema.overload_name:
            continue
        takes_tensor = any("Tensor" in str(argument.type) for argument in schema.arguments[:2])
        returns = [str(result.type) for result in schema.returns]
        writes = any(
            argument.alias_info and argument.alias_info.is_write for argument in schema.arguments
        )
        if takes_tensor and returns and set(returns) == {"Tensor"} and not writes:
            yield name


def operators() -> tuple[Operator, ...]:
    """One for each operator that has no symbolic yet."""
    unknown = sorted({name for name in _names() if not is_exportable(f"aten::{name}")})
    return as_torch(" ".join(unknown))
