"""Which values of the graph that is being made depend on something that trains.

ONNX Runtime asks a node for the gradients of exactly these inputs, so a node that calls torch must
know them when it is made. torch's trace tells it unreliably; the graph's own edges tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..open_sizes import Open
from . import kernels

_FLOATING = ("Float", "Double", "Half", "BFloat16")


@dataclass
class _Export:
    """The export that goes on, or the last one.

    Attributes:
        trained: for each tensor that enters the model, whether it needs a gradient.
        sizes: the sizes of each.
        inputs: the graph's inputs and whether they train; None before the graph is made.
        known: what was found out so far, by the name of the value.
        latest: the latest value that was made with a generator or a buffer, by what they share.
        opened: what was found out of the sizes of the trace, see chosen.py.
    """

    trained: tuple[bool, ...] = ()
    sizes: tuple[tuple[int, ...], ...] = ()
    inputs: dict[str, bool] | None = None
    known: dict[str, bool] = field(default_factory=dict)
    latest: dict[str, Any] = field(default_factory=dict)
    opened: dict[str, Open] = field(default_factory=dict)


_EXPORT = _Export()


def begin(trained: Sequence[bool], sizes: Sequence[Sequence[int]]) -> None:
    """A model is traced.

    Args:
        trained: for each tensor that enters it, whether it needs a gradient.
        sizes: the sizes of each.
    """
    _EXPORT.trained = tuple(trained)
    _EXPORT.sizes = tuple(map(tuple, sizes))
    _EXPORT.inputs = None
    _EXPORT.opened = {}


def opened() -> dict[str, Open]:
    """What is known of the sizes of the traced model that only values tell, to be added to."""
    return _EXPORT.opened


def needs_gradient(value: Any, graph: Any) -> bool:
    """Whether a value of `graph` (torch's C++ objects, both) depends on something that trains."""
    known = _known(graph)
    waiting = [value]
    while waiting:
        current = waiting[-1]
        name = current.debugName()
        if name not in known:
            sources = _sources(current)
            unknown = [source for source in sources if source.debugName() not in known]
            if unknown:
                waiting.extend(unknown)
                continue
            known[name] = any(known[source.debugName()] for source in sources)
        waiting.pop()
    return known[value.debugName()]


def _known(graph: Any) -> dict[str, bool]:
    """What is known of the values of `graph`: its inputs, and what was asked before."""
    inputs = {value.debugName(): value.type().requires_grad() for value in graph.inputs()}
    if inputs != _EXPORT.inputs:
        # The first question about this graph. A graph that nobody announced trains no input.
        trained = _EXPORT.trained if _EXPORT.inputs is None else ()
        _EXPORT.inputs = inputs
        _EXPORT.known = {**inputs, **dict(zip(inputs, trained))}
        _EXPORT.latest = {}
    return _EXPORT.known


def trains_in_double(graph: Any) -> bool:
    """Whether a parameter or a buffer of the model is of float64."""
    own = list(graph.inputs())[len(_EXPORT.trained) :]
    return any(scalar_type(value) == "Double" for value in own)


def latest(shared: str, graph: Any) -> Any:
    """The latest value of `graph` that was noted for what is `shared`, None before the first."""
    _known(graph)
    return _EXPORT.latest.get(shared)


def note(shared: str, value: Any) -> None:
    """`value` of the graph that is being made changes what is `shared`: whoever comes next waits.

    Args:
        shared: "draws" for the generator of random numbers, or a buffer's name in the graph.
        value: what the operator returns.
    """
    _EXPORT.latest[shared] = value


def _sources(value: Any) -> list[Any]:
    """The inputs of its node that gradients of `value` would flow to."""
    if is_tensor(value) and value.type().scalarType() not in (None, *_FLOATING):
        return []
    node = value.node()
    inputs = list(node.inputs())
    if node.kind() == f"{kernels.DOMAIN}::ATen":
        operator = node.s("operator")
        if operator == "detach_copy":
            return []
        kernel = kernels.defined().get(operator)
        return inputs[: kernel.trained] if kernel else inputs
    return inputs


def is_tensor(value: Any) -> bool:
    """Whether a value of a graph is a tensor."""
    return bool(value.type().kind() == "TensorType")


def scalar_type(value: Any) -> str | None:
    """The name of its dtype ("Double"); None for no tensor, or where the trace does not tell."""
    value = before_assignments(value)
    name: str | None = value.type().scalarType() if is_tensor(value) else None
    return name


def before_assignments(value: Any) -> Any:
    """Of a value that an assignment has made of another (`x[:, :2] = y`), that one.

    The trace tells the type of the part that was written, or none.
    """
    while value.node().kind() == "onnx::Placeholder":
        value = next(value.node().inputs())
    return value


def traced_sizes(value: Any) -> tuple[int, ...] | None:
    """The sizes that a value of the trace had; None if the trace does not tell."""
    value = before_assignments(value)
    if not is_tensor(value):
        return ()
    sizes = value.type().sizes()
    if sizes is None and value.node().kind() == "prim::Param":
        # The exporter has made the sizes of the model's arguments dynamic.
        names = [source.debugName() for source in value.node().outputs()]
        index = names.index(value.debugName())
        return _EXPORT.sizes[index] if index < len(_EXPORT.sizes) else None
    return None if sizes is None else tuple(sizes)


def is_floating(value: Any) -> bool:
    """Whether a value of a graph is a tensor that can have a gradient."""
    return scalar_type(value) in _FLOATING
