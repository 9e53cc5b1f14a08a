"""Every reason for which a step is left as it is: its code, its message and its page."""

from __future__ import annotations

from types import MappingProxyType

from ortwrap.engine.refusal_pages import analysis, internal, onnx_runtime, order
from ortwrap.engine.refusal_pages.page import RefusalPage

PAGES = MappingProxyType({**analysis.PAGES, **order.PAGES, **onnx_runtime.PAGES, **internal.PAGES})

__all__ = ["PAGES", "RefusalPage"]
