"""Proof that a place holds a tensor, by what computed it or by what is done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.statement import overlap, place_of
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit

_GIVES_TENSORS = re.compile(r"^torch\.(?:nn\.functional\.)?[a-z]\w*$")
_LOSS_CLASS = re.compile(r"^torch\.nn\.(?:modules\.loss\.)?\w+Loss$")
# What these give of a tensor is one.
_STAYS_TENSOR = frozenset(
    "mean sum exp log sqrt abs pow square clamp float flatten view reshape squeeze".split()
)
# Only what tensors have and arrays, tuples and numbers have not.
_TENSOR_METHODS = frozenset(
    "argmax softmax log_softmax sigmoid detach cpu unsqueeze topk permute backward contiguous "
    "numel view size log_softmax expand masked_fill masked_select norm exp log sqrt".split()
)
_TENSOR_FUNCTIONS = frozenset(
    "mean sum cat stack exp log sqrt abs pow matmul einsum relu sigmoid softmax log_softmax "
    "where clamp norm square".split()
)
_OF_MASKS = (cst.BitAnd, cst.BitOr, cst.BitXor)


class TensorProof:
    """Tells of what a slice binds whether the script shows it to be a tensor."""

    def __init__(self, analyses: Analyses) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._reader = analyses.reader
        self._flow = analyses.flow

    def proves(self, place: str, found: LossSlice) -> bool:
        """The place surely holds a tensor after the slice, so that it has a `.detach()`."""
        inside = {node for piece in found.pieces for node in descendants(piece.node)}
        for piece in found.pieces:
            if place in self._reader.of(piece.node).writes and self._computes_tensor(piece, place):
                return True
        uses = list(self._uses(place, found, inside))
        methods = _TENSOR_METHODS | {"item"} if self._is_term(place, found) else _TENSOR_METHODS
        for node in uses:
            parent = self._tree.parents.get(node)
            if isinstance(parent, cst.Attribute) and parent.value is node:
                if parent.attr.value in methods:
                    return True
                continue
            if isinstance(parent, cst.Subscript) and not self._picks_an_item(parent):
                parent = self._tree.parents.get(parent)
            if isinstance(parent, cst.Arg) and self._is_first_of_loss(parent, uses):
                return True
        return False

    def _is_term(self, place: str, found: LossSlice) -> bool:
        """`gan` of `loss = gan + 10 * l1`: gradients flow through it, as through no array."""
        tied: set[str] = set()
        for piece in found.pieces:
            if self._flow.module_uses(piece.node) or overlap(self._flow.reads(piece.node), tied):
                tied |= self._reader.of(piece.node).writes
        return place in tied and any(
            place_of(side, self._reader.instance) == place
            for piece in found.pieces
            for node in descendants(piece.node)
            if isinstance(node, cst.BinaryOperation)
            for side in (node.left, node.right)
        )

    def _uses(
        self, place: str, found: LossSlice, inside: set[cst.CSTNode]
    ) -> Iterator[cst.CSTNode]:
        """Reads that see what the slice binds; the whole function's where nothing rebinds it."""
        function = self._tree.enclosing(found.sink.call)
        rebound = any(
            place in self._reader.of(unit.node).writes
            for node, unit in self._tree.units.items()
            if isinstance(node, cst.BaseSmallStatement)
            and node not in inside
            and self._tree.enclosing(node) is function
        )
        for node in descendants(function):
            if place_of(node, self._reader.instance) == place and (node in inside or not rebound):
                yield node

    def _computes_tensor(self, piece: Unit, place: str) -> bool:
        """A criterion's or function's result, or sums of them, in whichever branch."""
        if isinstance(piece.node, cst.If):
            if place not in surely_binds(piece, self._tree, self._reader):
                return False
            units = [self._tree.units.get(inner) for inner in descendants(piece.node)]
            writing = [
                unit
                for unit in units
                if unit is not None
                and isinstance(unit.node, cst.BaseSmallStatement)
                and place in self._reader.of(unit.node).writes
            ]
            return all(self._assigns_tensor(unit.node) for unit in writing)
        return self._assigns_tensor(piece.node)

    def _assigns_tensor(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            single = not isinstance(node.targets[0].target, (cst.Tuple, cst.List))
            return single and self._is_tensor_expression(node.value)
        return False

    def _is_tensor_expression(self, value: cst.BaseExpression) -> bool:
        if isinstance(value, cst.BinaryOperation):
            sides = (value.left, value.right)
            return any(self._is_tensor_expression(side) for side in sides)
        if isinstance(value, cst.UnaryOperation):
            return self._is_tensor_expression(value.expression)
        if not isinstance(value, cst.Call):
            return False
        qualified = self._bindings.qualified(value.func) or ""
        name = qualified.rsplit(".", 1)[-1]
        func = value.func
        if not qualified and isinstance(func, cst.Attribute) and func.attr.value in _STAYS_TENSOR:
            return self._comes_from_torch(func.value) or self._is_tensor_expression(func.value)
        if qualified.startswith(("torch.nn.functional.", "torch.")):
            return name in _TENSOR_FUNCTIONS or "loss" in name or "cross_entropy" in name
        if self._makes_loss_of_torch(func):
            return True
        evidence = self._modules.evidence(value.func)
        built = evidence is not None and evidence.role == "criterion" and evidence.strength > 1
        return built and evidence is not None and "`torch.nn." in evidence.reason

    def _makes_loss_of_torch(self, func: cst.BaseExpression) -> bool:
        """`nn.CrossEntropyLoss()(output, target)`: made where it is called."""
        made = self._bindings.qualified(func.func) if isinstance(func, cst.Call) else None
        return _LOSS_CLASS.match(made or "") is not None

    def _comes_from_torch(self, value: cst.BaseExpression) -> bool:
        """`torch.min(a, b)`: a tensor if it is one object, and not a pair."""
        called = self._bindings.qualified(value.func) if isinstance(value, cst.Call) else None
        return _GIVES_TENSORS.match(called or "") is not None

    def _is_first_of_loss(self, argument: cst.Arg, uses: list[cst.CSTNode]) -> bool:
        """It is what a function of torch or a criterion computes with."""
        call = self._tree.parents.get(argument)
        if not isinstance(call, cst.Call) or not call.args or call.args[0] is not argument:
            return False
        qualified = self._bindings.qualified(call.func) or ""
        if qualified.startswith(("torch.nn.functional.", "torch.")):
            return qualified not in ("torch.is_tensor", "torch.cat", "torch.stack", "torch.save")
        if self._makes_loss_of_torch(call.func):
            return True
        evidence = self._modules.evidence(call.func)
        if evidence is None or evidence.role != "criterion":
            return False
        if "`torch.nn." in evidence.reason:
            return True
        # A loss class of the project may take all that the model returned, a tuple for instance.
        return evidence.strength < 2 and not any(map(self._is_picked_from, uses))

    def _is_picked_from(self, node: cst.CSTNode) -> bool:
        parent = self._tree.parents.get(node)
        return isinstance(parent, cst.Subscript) and self._picks_an_item(parent)

    def _picks_an_item(self, node: cst.Subscript) -> bool:
        """`pair[0]`, `exits[2 * i]` or `out["x"]`: of a list or mapping as well as of a tensor."""
        index = node.slice[0].slice
        if len(node.slice) != 1 or not isinstance(index, cst.Index):
            return False
        if isinstance(index.value, cst.Name):
            bound = self._bindings.lookup(index.value)
            return any(self._counts_rounds(binding.node) for binding in bound)
        if isinstance(index.value, cst.BinaryOperation):
            return not isinstance(index.value.operator, _OF_MASKS)
        return isinstance(index.value, (cst.Integer, cst.SimpleString, cst.UnaryOperation))

    def _counts_rounds(self, target: cst.CSTNode) -> bool:
        holder = self._tree.parents.get(target)
        while isinstance(holder, (cst.Element, cst.Tuple)):
            target, holder = holder, self._tree.parents.get(holder)
        return isinstance(holder, (cst.For, cst.CompFor)) and holder.target is target
