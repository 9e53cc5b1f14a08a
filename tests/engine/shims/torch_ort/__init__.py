"""Stands in for torch-ort where pip cannot put it beside onnxruntime-training-cpu."""

from onnxruntime.training.ortmodule import ORTModule  # noqa: F401
