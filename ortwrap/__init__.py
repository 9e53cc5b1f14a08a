"""Rewrite a PyTorch training script so that model and loss train as one ONNX Runtime graph."""

from __future__ import annotations

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource, Result, Step
from ortwrap.engine.templating import InvalidTemplate

__version__ = "0.1.0"

__all__ = [
    "InvalidSource",
    "InvalidTemplate",
    "Options",
    "Result",
    "Step",
    "__version__",
    "rewrite_source",
]
