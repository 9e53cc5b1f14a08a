"""Numbers that are taken out of the graph only to be reported: `return loss, {"kld": kld.item()}`.

The runtime lets the graph return the tensor and takes the number off it after each run. That can be
done as long as nothing but a report needs the number: no branch, no print, no loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree

_ARITHMETIC = (
    cst.Add, cst.Subtract, cst.Multiply, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power,
)  # fmt: skip
_SUMS = (cst.AddAssign, cst.SubtractAssign, cst.MultiplyAssign, cst.DivideAssign)
_ROUNDS = frozenset(["round", "abs"])
_CONTAINERS = frozenset(["dict", "collections.OrderedDict", "list", "tuple"])
_RECORDS = frozenset("collections.namedtuple typing.NamedTuple dataclasses.dataclass".split())
_FILLS = frozenset("append extend insert update setdefault".split())


class Reports:
    """Follows a number through one function, or through the statements of a slice."""

    def __init__(
        self, tree: SourceTree, bindings: Bindings, statements: Sequence[cst.CSTNode]
    ) -> None:
        """
        Args:
            tree: the script.
            bindings: its names.
            statements: where the number may go; what reads it elsewhere runs after forward.
        """
        self._tree = tree
        self._bindings = bindings
        self._names = [
            node
            for statement in statements
            for node in descendants(statement)
            if isinstance(node, cst.Name)
        ]
        self._followed: set[str] = set()
        # Names whose values are being looked at, which may refer to one another.
        self._asked: set[str] = set()

    def holds(self, taken: cst.CSTNode) -> bool:
        """Whether the value of `x.item()` is reported and used for nothing else."""
        return is_item(taken) and self._ends_in_report(taken)

    def _ends_in_report(self, node: cst.CSTNode) -> bool:
        parent = self._tree.parents.get(node)
        if isinstance(parent, (cst.Element, cst.DictElement, cst.StarredDictElement, cst.Arg)):
            return self._passes_container(node, parent)
        if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, _ARITHMETIC):
            other = parent.right if parent.left is node else parent.left
            return self._is_no_tensor(other) and self._ends_in_report(parent)
        if isinstance(parent, cst.UnaryOperation):
            minus = isinstance(parent.operator, cst.Minus)
            return minus and self._ends_in_report(parent)
        if isinstance(parent, cst.IfExp):
            return parent.test is not node and self._ends_in_report(parent)
        if isinstance(parent, cst.Attribute):
            call = self._tree.parents.get(parent)
            return call is not None and is_item(call)
        if isinstance(parent, cst.Assign):
            return all(self._stores(target.target) for target in parent.targets)
        if isinstance(parent, cst.AugAssign) and isinstance(parent.operator, _SUMS):
            return self._starts_as_number(parent.target) and self._stores(parent.target)
        return isinstance(parent, cst.Return)

    def _passes_container(self, node: cst.CSTNode, parent: cst.CSTNode) -> bool:
        """The number goes into a list or dict, or through `round`."""
        holder = self._tree.parents[parent]
        if isinstance(parent, cst.DictElement) and parent.key is node:
            return False
        if not isinstance(holder, cst.Call):
            return isinstance(holder, (cst.Dict, cst.List, cst.Tuple)) and self._ends_in_report(
                holder
            )
        func = holder.func
        if isinstance(func, cst.Attribute):
            fills = func.attr.value in _FILLS and isinstance(
                self._tree.parents.get(holder), cst.Expr
            )
            return fills and self._stores(func.value)
        name = self._bindings.qualified(func) or ""
        if not name and isinstance(func, cst.Name) and self._bindings.resolve(func) is None:
            name = func.value
        known = name in _CONTAINERS | _ROUNDS or self._is_record(func)
        return known and self._ends_in_report(holder)

    def _is_record(self, func: cst.CSTNode) -> bool:
        """A named tuple or a dataclass of this file."""
        if not isinstance(func, cst.Name):
            return False
        home = self._bindings.definition(func)
        if isinstance(home, cst.ClassDef):
            marks = [*(base.value for base in home.bases), *(d.decorator for d in home.decorators)]
            names = [item.func if isinstance(item, cst.Call) else item for item in marks]
            return any(self._bindings.qualified(name) in _RECORDS for name in names)
        made = [self._bound_to(binding.node) for binding in self._bindings.lookup(func)]
        return bool(made) and all(
            isinstance(value, cst.Call) and self._bindings.qualified(value.func) in _RECORDS
            for value in made
        )

    def _stores(self, target: cst.CSTNode) -> bool:
        """Every read of what the number is stored in reports it."""
        if isinstance(target, (cst.Tuple, cst.List)):
            return all(self._stores(element.value) for element in target.elements)
        while isinstance(target, cst.Subscript):
            target = target.value
        if not isinstance(target, cst.Name):
            return False
        if target.value in self._followed:
            return True
        self._followed.add(target.value)
        home = self._bindings.resolve(target)
        return all(
            self._read_is_report(name)
            for name in self._names
            if name.value == target.value and self._bindings.resolve(name) is home
        )

    def _read_is_report(self, name: cst.Name) -> bool:
        parent = self._tree.parents.get(name)
        if isinstance(parent, cst.AssignTarget):
            return True
        if isinstance(parent, cst.AugAssign) and parent.target is name:
            return True
        if isinstance(parent, cst.Element) and self._is_target(parent):
            return True
        if isinstance(parent, cst.Subscript) and parent.value is name:
            stored = isinstance(self._tree.parents.get(parent), (cst.AssignTarget, cst.AugAssign))
            return stored or self._ends_in_report(parent)
        if isinstance(parent, cst.Attribute) and parent.attr.value in _FILLS:
            return True
        if isinstance(parent, cst.Attribute) and parent.attr is name:
            return True
        if isinstance(parent, cst.Arg) and parent.keyword is name:
            return True
        return self._ends_in_report(name)

    def _is_target(self, element: cst.Element) -> bool:
        holder: cst.CSTNode = element
        while isinstance(holder, (cst.Element, cst.Tuple, cst.List)):
            holder = self._tree.parents[holder]
        return isinstance(holder, cst.AssignTarget)

    def _is_no_tensor(self, node: cst.CSTNode | None) -> bool:
        """A tensor beside the number would make one of it: what is computed of none is none.

        A parameter or an attribute may be one, for all that can be seen here; the runtime runs a
        step eagerly that computes with a tensor and a number read off another.
        """
        if isinstance(node, cst.Call):
            return is_item(node) or self._measures(node)
        if isinstance(node, cst.BinaryOperation):
            return self._is_no_tensor(node.left) and self._is_no_tensor(node.right)
        if isinstance(node, cst.UnaryOperation):
            return self._is_no_tensor(node.expression)
        if isinstance(node, cst.Subscript):
            shape = isinstance(node.value, cst.Attribute) and node.value.attr.value == "shape"
            return shape
        if isinstance(node, cst.Name):
            if node.value in self._asked:
                return True
            self._asked.add(node.value)
            return all(
                binding.kind != "variable" or self._is_no_tensor(self._bound_to(binding.node))
                for binding in self._bindings.lookup(node)
            )
        return isinstance(node, (cst.Integer, cst.Float, cst.Attribute))

    def _measures(self, call: cst.Call) -> bool:
        func = call.func
        if isinstance(func, cst.Attribute):
            return func.attr.value in ("size", "numel", "dim", "nelement")
        plain = isinstance(func, cst.Name) and self._bindings.resolve(func) is None
        return plain and cst.ensure_type(func, cst.Name).value in ("len", "max", "min", "int")

    def _bound_to(self, node: cst.CSTNode) -> cst.BaseExpression | None:
        """The expression that a plain assignment binds a name to."""
        parent = self._tree.parents.get(node, node)
        assign = self._tree.parents.get(parent)
        if isinstance(parent, cst.AugAssign):
            return parent.value
        if isinstance(parent, cst.Element) and isinstance(assign, cst.Tuple):
            return self._bindings.element_bound_to(node)
        return assign.value if isinstance(assign, cst.Assign) else None

    def _starts_as_number(self, target: cst.CSTNode) -> bool:
        """`total += n.item()`: what is added to is no tensor."""
        while isinstance(target, cst.Subscript):
            target = target.value
        if not isinstance(target, cst.Name):
            return False
        values = [self._bound_to(binding.node) for binding in self._bindings.lookup(target)]
        return all(
            value is None or self._is_no_tensor(value) or isinstance(value, (cst.Dict, cst.List))
            for value in values
        )


def is_item(node: cst.CSTNode) -> bool:
    """`x.item()`."""
    if not isinstance(node, cst.Call) or node.args:
        return False
    return isinstance(node.func, cst.Attribute) and node.func.attr.value == "item"
