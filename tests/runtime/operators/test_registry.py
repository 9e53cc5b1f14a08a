"""What is registered is what every release of the exporter takes."""

from __future__ import annotations

import inspect
import typing

import pytest

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime import compat, operators
from ortwrap.runtime.operators import registry


def test_symbolics_are_functions_whose_annotations_can_be_evaluated():
    """That of torch 2.4 does so to each of them, and takes no other callable."""
    compat.apply()
    operators.register()
    symbolics = registry._symbolics()
    assert "::cross_entropy_loss" in symbolics
    for name, symbolic in symbolics.items():
        assert inspect.isfunction(symbolic), name
        assert "g" not in typing.get_type_hints(symbolic), name
