"""How an operator of torch is exported for training: one line per operator in the families' files.

OPERATORS = (
    as_torch("elu"),
    as_torch("_convolution", when=transposed),
    as_graph("unflatten", unflatten),
)
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Union

from . import kernels
from .arguments import Arguments, arguments_of, overload_of
from .arrivals import gets_gradient
from .calls import Output, TorchCall, number_of
from .chosen import open_sizes
from .exporter import dtype_of, dtype_to_onnx, own_symbolic
from .kernels import Kernel
from .paths import is_floating, is_tensor, latest, note, scalar_type, traced_sizes

Symbolic = Callable[..., Any]
Condition = Callable[..., bool]
Change = Callable[..., Sequence[Any]]


@dataclass(frozen=True)
class Operator:
    """One operator of torch's traces and what it becomes in the graph.

    Attributes:
        name: with its namespace, "aten::elu".
        symbolic: makes the nodes of the graph, as `torch.onnx.register_custom_op_symbolic` says.
        when: for which arguments; for others it stays what it was. None for all.
    """

    name: str
    symbolic: Symbolic
    when: Condition | None = None

    def instead_of(self, otherwise: Symbolic | None) -> Symbolic:
        """What to register where `otherwise` was known before."""
        if self.when is None:
            return self.symbolic
        return functools.partial(_choose, self, otherwise)


@dataclass(frozen=True)
class Regiven:
    """One operator of torch's traces that stays what it was, of other arguments.

    Attributes:
        name: with its namespace, "aten::mul".
        change: takes what a symbolic takes and returns the arguments to go on with.
    """

    name: str
    change: Change

    def instead_of(self, otherwise: Symbolic | None) -> Symbolic:
        """What to register where `otherwise` was known before."""
        assert otherwise is not None, f"{self.name} has been exported before"
        return functools.partial(_go_on, self.change, otherwise)


@dataclass(frozen=True)
class Surrounded:
    """One operator of torch's traces that stays what it was, with more before and after it.

    Attributes:
        name: with its namespace, "aten::mul".
        around: takes the symbolic that was known before and what that takes.
        when: for which arguments.
    """

    name: str
    around: Symbolic
    when: Condition

    def instead_of(self, otherwise: Symbolic | None) -> Symbolic:
        """What to register where `otherwise` was known before."""
        assert otherwise is not None, f"{self.name} has been exported before"
        surrounded = functools.partial(self.around, otherwise)
        return Operator(self.name, surrounded, self.when).instead_of(otherwise)


Registered = Union[Operator, Regiven, Surrounded]


def as_torch(
    names: str,
    *,
    when: Condition | None = None,
    keeps: str = "inputs outputs",
    random: bool = False,
    writes: int | None = None,
) -> tuple[Operator, ...]:
    """Operators that stay calls of torch, in forward and in backward.

    Args:
        names: of `aten` operators, unless they say otherwise.
        when: takes what the symbolic takes and says whether it applies.
        keeps: what torch's backward may read again: "inputs", "outputs" or both. ONNX Runtime
            reuses the memory of the others.
        random: whether they draw random numbers, which must happen in eager's order.
        writes: the position of an argument that they write to, which must happen in that order too.
    """
    symbolic = functools.partial(call_torch, keeps, random, writes)
    return tuple(Operator(_qualified(name), symbolic, when) for name in names.split())


def as_graph(
    names: str, symbolic: Symbolic, *, when: Condition | None = None
) -> tuple[Operator, ...]:
    """Operators that become nodes of ONNX Runtime, made by `symbolic(g, *arguments)`."""
    return tuple(Operator(_qualified(name), symbolic, when) for name in names.split())


def regiven(names: str, change: Change) -> tuple[Regiven, ...]:
    """Operators that stay what they were, of the arguments that `change(g, *arguments)` returns."""
    return tuple(Regiven(_qualified(name), change) for name in names.split())


def surrounded(names: str, around: Symbolic, *, when: Condition) -> tuple[Surrounded, ...]:
    """Operators that `around(otherwise, g, *arguments)` makes, by what they were and more."""
    return tuple(Surrounded(_qualified(name), around, when) for name in names.split())


def _qualified(name: str) -> str:
    return name if "::" in name else f"aten::{name}"


def call_torch(
    keeps: str, random: bool, writes: int | None, g: Any, *exported: Any, _outputs: int = 1
) -> Any:
    """Symbolic of an operator that stays a call of torch.

    Args:
        keeps: see `as_torch`.
        random: see `as_torch`.
        writes: see `as_torch`.
        g: the exporter's graph context.
        exported: the operator's arguments in the graph that is made.
        _outputs: the exporter's name for the number of pieces of a list that is unpacked.

    Raises:
        NotSupported: an argument cannot be handed over.
    """
    traced = list(g.original_node.inputs())
    kind = g.original_node.kind()
    overload = overload_of(kind, traced, of_tensors=_chooses_doubles(kind, g.original_node))
    arguments = arguments_of(overload, traced, exported, g.graph, random)
    shared = "draws" if random else None
    if writes is not None and is_tensor(exported[writes]):
        shared = exported[writes].debugName()
    if shared is None:
        return torch_node(keeps, g, overload, arguments)
    before = latest(shared, g.graph)
    if before is not None:
        # One more input, which the call ignores: it makes ONNX Runtime run the earlier one first.
        arguments.tensors.append(before)
    made = torch_node(keeps, g, overload, arguments)
    note(shared, made[0] if isinstance(made, tuple) else made)
    return made


def _chooses_doubles(kind: str, node: Any) -> bool:
    """`where(mask, tensor, -1e308)` in float64: of two numbers it would make float."""
    return kind == "aten::where" and scalar_type(node.output()) == "Double"


def torch_node(keeps: str, g: Any, function: Callable[..., Any], arguments: Arguments) -> Any:
    """Puts a call of `function` in the place of the node that is being exported."""
    import torch

    traced = list(g.original_node.outputs())
    outputs = tuple(_output(value, arguments.trained > 0) for value in traced)
    trained = arguments.trained if any(output.differentiable for output in outputs) else 0
    call = TorchCall(
        function, arguments.template, trained, outputs, arguments.options, arguments.sizes
    )
    kernel = Kernel(
        trained=trained,
        others=len(arguments.tensors) - trained,
        differentiable=tuple(output.differentiable for output in outputs),
        keeps_inputs="inputs" in keeps,
        keeps_outputs="outputs" in keeps,
    )
    returned = len(outputs) + kernel.ticket
    made = g.op(
        f"{kernels.DOMAIN}::ATen",
        *arguments.tensors,
        g.op("Constant", value_t=torch.tensor(number_of(call))),
        operator_s=kernels.define(kernel),
        outputs=returned,
    )
    values = (made,) if returned == 1 else tuple(made)[: len(outputs)]
    if arguments.has_fixed_shapes:
        for value, old in zip(values, traced):
            if dtype_of(old) is not torch.bool:
                value.setType(old.type())
    values = tuple([_truth(g, value, old) for value, old in zip(values, traced)])
    return values[0] if len(values) == 1 else values


def call_node(g: Any, call: TorchCall, tensors: Sequence[Any], *, purpose: str = "call") -> Any:
    """A node for a call that the trace has not, with one output.

    It needs none of its tensors in backward: what it does need it keeps.
    """
    import torch

    kernel = Kernel(
        trained=call.trained,
        others=len(tensors) - call.trained,
        differentiable=tuple(output.differentiable for output in call.outputs),
        keeps_inputs=False,
        keeps_outputs=False,
        purpose=purpose,
    )
    made = g.op(
        f"{kernels.DOMAIN}::ATen",
        *tensors,
        g.op("Constant", value_t=torch.tensor(number_of(call))),
        operator_s=kernels.define(kernel),
        outputs=1 + kernel.ticket,
    )
    return made[0] if kernel.ticket else made


def _truth(g: Any, value: Any, traced: Any) -> Any:
    """A value of the graph with the dtype of the trace: a call gives truth values as bytes."""
    import torch

    if dtype_of(traced) is not torch.bool:
        return value
    return g.op("Cast", value, to_i=dtype_to_onnx(torch.bool))


def _output(value: Any, trained: bool) -> Output:
    import torch

    differentiable = trained and is_floating(value) and gets_gradient(value)
    dtype = dtype_of(value)
    given = torch.uint8 if dtype is torch.bool else dtype
    return Output(given, value.type().dim(), differentiable, _ones(value))


def _ones(value: Any) -> frozenset[int]:
    """The dimensions of size 1; none where the next batch's values may give one another size."""
    if 1 in open_sizes(value):
        return frozenset()
    return frozenset(axis for axis, size in enumerate(traced_sizes(value) or ()) if size == 1)


def register(operators: Iterable[Registered]) -> None:
    """Makes ORTModule export these operators as they say."""
    symbolics = _symbolics()
    for operator in operators:
        key = operator.name.replace("aten::", "::")
        otherwise = symbolics.get(key) or _exporters_own(operator.name)
        symbolics[key] = _as_function(operator.instead_of(otherwise))


def _as_function(symbolic: Symbolic) -> Symbolic:
    """A function without annotations: the exporter of torch 2.4 evaluates those it finds."""

    def function(g: Any, *exported: Any, **attributes: Any) -> Any:
        return symbolic(g, *exported, **attributes)

    function.__annotations__.clear()
    return function


def _choose(
    operator: Operator, otherwise: Symbolic | None, g: Any, *exported: Any, **attributes: Any
) -> Any:
    """Applies `operator` where its condition holds."""
    assert operator.when is not None, "an operator without condition is registered as it is"
    if otherwise is None or operator.when(g, *exported):
        return operator.symbolic(g, *exported, **attributes)
    return otherwise(g, *exported, **attributes)


def _go_on(change: Change, otherwise: Symbolic, g: Any, *exported: Any, **attributes: Any) -> Any:
    return otherwise(g, *change(g, *exported), **attributes)


def is_exportable(name: str) -> bool:
    """Whether the exporter, ORTModule or one of our families has a symbolic for an operator."""
    return name.replace("aten::", "::") in _symbolics() or _exporters_own(name) is not None


def _symbolics() -> dict[str, Symbolic]:
    """ORTModule's table of symbolics, ours among them; it goes over the exporter's own."""
    from onnxruntime.training.ortmodule import _custom_op_symbolic_registry

    table: dict[str, Symbolic] = _custom_op_symbolic_registry.CustomOpSymbolicRegistry._SYMBOLICS
    return table


def _exporters_own(name: str) -> Symbolic | None:
    from onnxruntime.training.ortmodule import ONNX_OPSET_VERSION

    return own_symbolic(name, ONNX_OPSET_VERSION)
