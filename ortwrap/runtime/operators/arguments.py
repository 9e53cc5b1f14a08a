"""The arguments of a node of torch's trace: what is constant, and what are the graph's tensors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from .calls import Slot
from .paths import is_floating, is_tensor, needs_gradient, scalar_type, traced_sizes


class NotSupported(Exception):
    """The node has an argument that cannot be handed to torch from inside the graph."""


@dataclass
class Arguments:
    """The arguments of one node.

    Attributes:
        template: the positional arguments, a `Slot` for each tensor.
        options: the same for arguments that are given by keyword.
        tensors: the values of the exported graph that go into the slots; those that need a
            gradient first.
        trained: how many do.
        sizes: the sizes of each in the trace, None where it does not tell.
    """

    template: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    tensors: list[Any] = field(default_factory=list)
    trained: int = 0
    sizes: tuple[tuple[int, ...] | None, ...] = ()

    @property
    def has_fixed_shapes(self) -> bool:
        """Whether the shapes of the trace are those of every step: weights and constants only."""
        sizes = [value.type().sizes() if is_tensor(value) else None for value in self.tensors]
        return None not in sizes and not self._has_numbers

    @property
    def _has_numbers(self) -> bool:
        parts = [*self.template, *self.options.values()]
        flat = [item for part in parts for item in (part if isinstance(part, list) else [part])]
        return any(isinstance(part, Slot) and part.number is not None for part in flat)


def arguments_of(
    overload: Any, traced: Sequence[Any], exported: Sequence[Any], graph: Any, random: bool = False
) -> Arguments:
    """Sorts the arguments of a node.

    Args:
        overload: the torch operator.
        traced: the node's inputs in torch's trace: constants and types are exact there.
        exported: the same in the graph that is being made.
        graph: that graph.
        random: whether it draws random numbers.

    Raises:
        NotSupported: one of them is neither a constant nor a tensor.
    """
    slots: list[tuple[Any, Any]] = []
    wanted = overload._schema.arguments
    parts = [
        _part(str(argument.type), old, new, slots)
        for argument, old, new in zip(wanted, traced, exported)
    ]
    if random:
        parts = [_in_memory_order(part, slots) for part in parts]
    trains = [trains_through(old, new, graph) for old, new in slots]
    order = sorted(range(len(slots)), key=lambda index: not trains[index])
    position = {index: place for place, index in enumerate(order)}
    placed = [(argument, _renumber(part, position)) for argument, part in zip(wanted, parts)]
    return Arguments(
        template=tuple(part for argument, part in placed if not argument.kwarg_only),
        options={argument.name: part for argument, part in placed if argument.kwarg_only},
        tensors=[slots[index][1] for index in order],
        trained=sum(trains),
        sizes=tuple(traced_sizes(slots[index][0]) for index in order),
    )


def trains_through(old: Any, new: Any, graph: Any) -> bool:
    """Whether gradients flow to a value, in torch's trace and in the graph that is made."""
    return is_floating(old) and needs_gradient(new, graph)


def _part(type_: str, old: Any, new: Any, slots: list[tuple[Any, Any]]) -> Any:
    """One argument: a constant, a slot, or a list of them."""
    node = old.node()
    if node.kind() == "prim::ListConstruct":
        inner = type_.replace("Optional", "").replace("List", "").strip("[]?")
        return [
            _part(inner, item, new_item, slots)
            for item, new_item in zip(node.inputs(), new.node().inputs())
        ]
    wants_tensor = "Tensor" in type_
    if node.kind() in ("prim::Constant", "onnx::Constant"):
        constant = old.toIValue()
        if not isinstance(constant, Tensor):
            return constant
        if not wants_tensor:
            return constant.tolist()
    slots.append((old, new))
    boolean = scalar_type(old) == "Bool"
    number = None if wants_tensor else int if "int" in type_ else float
    return Slot(len(slots) - 1, number, boolean)


def _in_memory_order(part: Any, slots: Sequence[tuple[Any, Any]]) -> Any:
    if isinstance(part, Slot) and part.number is None:
        return replace(part, order=memory_order(slots[part.index][0]))
    return part


def _renumber(part: Any, position: dict[int, int]) -> Any:
    if isinstance(part, Slot):
        return replace(part, index=position[part.index])
    return [_renumber(item, position) for item in part] if isinstance(part, list) else part


def overload_of(kind: str, traced: Sequence[Any], *, of_tensors: bool = False) -> Any:
    """The torch operator that a node calls, among the overloads of its name.

    Args:
        kind: "aten::elu"
        traced: the node's inputs.
        of_tensors: numbers among them may be tensors without dimensions, which no constant tells.

    Raises:
        NotSupported: none takes such arguments.
    """
    namespace, name = kind.split("::")
    known = getattr(torch.ops, namespace)
    # The graph has values, not memory: "relu_" returns what "relu" does.
    packet = getattr(known, name.rstrip("_"), None) or getattr(known, name)
    overloads = [getattr(packet, name) for name in packet.overloads()]
    for loosely in (True,) if of_tensors else (False, True):
        for overload in overloads:
            arguments = overload._schema.arguments
            fits = functools.partial(_fits, loosely)
            if len(arguments) == len(traced) and all(map(fits, arguments, traced)):
                return overload
    raise NotSupported(f"{kind} with {len(traced)} arguments")


def _fits(loosely: bool, argument: Any, value: Any) -> bool:
    """Whether a value can be this argument; loosely, a number can be a tensor too."""
    type_, kind = str(argument.type), value.node().kind()
    if argument.is_out:
        return False
    if kind == "prim::ListConstruct":
        return "List" in type_ or "[]" in type_
    if kind in ("prim::Constant", "onnx::Constant"):
        constant = value.toIValue()
        if constant is None:
            return type_.startswith("Optional") or "?" in type_
        if isinstance(constant, str):
            return "str" in type_
        listed = isinstance(constant, (list, tuple)) or (
            isinstance(constant, Tensor) and constant.dim() == 1
        )
        if "Tensor" in type_:
            return loosely or (isinstance(constant, Tensor) and constant.dim() > 0)
        return listed == ("List" in type_)
    if not is_tensor(value):
        return "List" not in type_ and "Tensor" not in type_
    return "Tensor" in type_ or (loosely and type_ in ("int", "float", "number"))


def constant_of(value: Any) -> Any:
    """The Python value of a constant of a graph, None for anything else."""
    node = value.node()
    if node.kind() == "onnx::Constant":
        return node.t("value").tolist() if node.kindOf("value") == "t" else node.s("value")
    constant = value.toIValue() if node.kind() == "prim::Constant" else None
    return constant.tolist() if isinstance(constant, Tensor) else constant


def memory_order(value: Any) -> tuple[int, ...] | None:
    """The dimensions of a traced tensor, outermost in memory first; None if that is their order."""
    strides = value.type().strides() if is_tensor(value) else None
    if strides is None:
        return None
    order = tuple(sorted(range(len(strides)), key=lambda axis: -strides[axis]))
    return None if order == tuple(range(len(order))) else order


def is_list(value: Any) -> bool:
    """Whether a value of a graph is a list made of other values."""
    return bool(value.node().kind() == "prim::ListConstruct")


def is_none(value: Any) -> bool:
    """Whether a value of a graph is None."""
    return bool(value.node().mustBeNone())
