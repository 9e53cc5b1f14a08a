"""The operators that the nodes of a graph name, one for each number of inputs and outputs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from . import calls, library
from .library import NAMESPACE

DOMAIN = "org.pytorch.aten"


@dataclass(frozen=True)
class Kernel:
    """What a node must know of a call to be run and differentiated.

    Attributes:
        trained: how many inputs, from the first on, get a gradient.
        others: how many follow that get none.
        differentiable: for each output, whether a gradient arrives for it.
        keeps_inputs: whether backward may read the inputs again.
        keeps_outputs: whether backward may read the outputs again.
        purpose: what it is for, for those who look at the graph.
    """

    trained: int
    others: int
    differentiable: tuple[bool, ...]
    keeps_inputs: bool = True
    keeps_outputs: bool = True
    purpose: str = "call"

    @property
    def name(self) -> str:
        """The name of the forward operator."""
        outputs = "".join("d" if differentiable else "n" for differentiable in self.differentiable)
        keeps = "i" * self.keeps_inputs + "o" * self.keeps_outputs
        return f"{self.purpose}_{self.trained}_{self.others}_{outputs}_{keeps}"

    @property
    def operator(self) -> str:
        """The name of the forward operator, with its namespace."""
        return f"{NAMESPACE}::{self.name}"

    @property
    def ticket(self) -> bool:
        """Whether it returns a ticket after its outputs."""
        return self.trained > 0


_DEFINED: dict[str, Kernel] = {}


def defined() -> dict[str, Kernel]:
    """Every kernel so far, by the name of its operator."""
    return _DEFINED


def called_by(node: Any) -> str:
    """The operator of torch, or of ours, that a node (an `onnx.NodeProto`) calls.

    Returns:
        Nothing for ONNX Runtime's own operators.
    """
    named = [part.s.decode() for part in node.attribute if part.name == "operator"]
    return str(named[0]) if node.op_type == "ATen" and named else ""


@functools.cache
def define(kernel: Kernel) -> str:
    """Makes `kernel` known to torch and to ONNX Runtime; returns the name of its operator."""
    tensors = [f"Tensor a{index}" for index in range(kernel.trained + kernel.others)]
    returns = len(kernel.differentiable) + kernel.ticket
    implementation = calls.forward_to_train if kernel.ticket else calls.forward
    library.define(_schema(kernel.name, [*tensors, "int call"], returns), implementation)
    if kernel.ticket:
        _define_gradient(kernel)
    _stop_gradients(kernel)
    _DEFINED[kernel.operator] = kernel
    return kernel.operator


def _schema(name: str, arguments: list[str], returns: int) -> str:
    result = "Tensor" if returns == 1 else f"({', '.join(['Tensor'] * returns)})"
    return f"{name}({', '.join(arguments)}) -> {result}"


def _define_gradient(kernel: Kernel) -> None:
    from onnxruntime.capi import _pybind_state
    from onnxruntime.training.ortmodule._custom_gradient_registry import _to_gradient_definition

    outputs = range(len(kernel.differentiable))
    name = f"vjp_{kernel.name}"
    inputs = [f"O({len(kernel.differentiable)})"]
    inputs += [f"GO({index})" for index in outputs if kernel.differentiable[index]]
    if kernel.keeps_inputs:
        inputs += [f"I({index})" for index in range(kernel.trained + kernel.others)]
    if kernel.keeps_outputs:
        inputs += [f"O({index})" for index in outputs]
    tensors = [f"Tensor a{index}" for index in range(len(inputs))]
    library.define(_schema(name, tensors, kernel.trained), calls.backward)
    node = (
        ("ATen", DOMAIN),
        inputs,
        # ONNX Runtime 1.19.2 drops output i of a gradient node unless input i needs a gradient:
        # the trained inputs come first.
        [f"GI({index})" for index in range(kernel.trained)],
        {"operator": {"value": f"{NAMESPACE}::{name}", "dtype": "string"}},
    )
    _pybind_state.register_gradient_definition(_key(kernel), _to_gradient_definition([node]))


def _stop_gradients(kernel: Kernel) -> None:
    from onnxruntime.capi import _pybind_state

    edges = set(range(kernel.trained, kernel.trained + kernel.others + 1))
    _pybind_state.register_custom_stop_gradient_edges(_key(kernel), edges)


def _key(kernel: Kernel) -> str:
    return f"{DOMAIN}::ATen::{kernel.operator}::"
