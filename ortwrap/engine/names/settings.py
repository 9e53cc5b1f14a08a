"""Settings of a script: what its command line said, kept at module level and never changed.

args = parser.parse_args()
temperature = args.temperature
device = torch.device("cuda" if args.cuda else "cpu")

The generated class stands beside them and can read them itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.names.assigned import parallel
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.set_attributes import may_set
from ortwrap.engine.text.nodes import children, descendants, last_name
from ortwrap.engine.text.tree import Unit

# What these give has plain attributes: whoever looks after a global can look after them.
_PARSES = frozenset(["parse_args", "parse_known_args"])
_NAMESPACES = frozenset(["argparse.Namespace", "types.SimpleNamespace", "easydict.EasyDict"])
_PLAIN_CALLS = frozenset(
    "torch.device torch.cuda.is_available torch.cuda.device_count "
    "torch.backends.mps.is_available".split()
)
_PLAIN_BUILTINS = frozenset("abs bool float int len max min pow round str".split())
_LITERALS = (cst.Integer, cst.Float, cst.SimpleString)
_COMPUTED = (
    cst.UnaryOperation, cst.BinaryOperation, cst.BooleanOperation, cst.Comparison,
    cst.ComparisonTarget, cst.IfExp, cst.FormattedString, cst.FormattedStringText,
    cst.FormattedStringExpression,
)  # fmt: skip
_LOOPS = (cst.For, cst.While)


def is_setting(name: cst.Name, bindings: Bindings) -> bool:
    """The name, or the attribute that is read of it here, is the same at every step."""
    return _Settings(bindings).has(name)


class _Settings:
    """Looks at the names of one module; `asked` are those that it is looking at."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._tree = bindings.tree
        self._asked: set[str] = set()

    def has(self, name: cst.Name) -> bool:
        owner = self._bindings.resolve(name)
        if owner is None or not owner.is_module or name.value in self._asked:
            return False
        bound = owner.names[name.value]
        target = bound[0].node if len(bound) == 1 and bound[0].kind == "variable" else None
        value = None if target is None else self._value_of(target)
        if target is None or value is None:
            return False
        if not self._makes_a_namespace(value):
            self._asked.add(name.value)
            plain = self._is_plain(value)
            self._asked.discard(name.value)
            return plain
        attributes = list(self._read_of(name))
        return bool(attributes) and all(
            self._stays(attribute, name.value, target) for attribute in attributes
        )

    def _read_of(self, name: cst.Name) -> Iterator[str]:
        """`penalty` and `weight` of `config.penalty.weight`, but no method that is called."""
        read: cst.CSTNode = name
        owner = self._tree.parents.get(read)
        while isinstance(owner, cst.Attribute) and owner.value is read:
            called = self._tree.parents.get(owner)
            if isinstance(called, cst.Call) and called.func is owner:
                return
            yield owner.attr.value
            read, owner = owner, called

    def _value_of(self, target: cst.CSTNode) -> cst.BaseExpression | None:
        """What a name is bound to once, outside of any loop."""
        statement = self._tree.unit_of(target).node
        if self._tree.is_in_a_loop(target) or not isinstance(
            statement, (cst.Assign, cst.AnnAssign)
        ):
            return None
        if isinstance(statement, cst.AnnAssign):
            return statement.value if statement.target is target else None
        for each in statement.targets:
            for one, value in parallel(each.target, statement.value):
                if one is target:
                    return value
            if self._is_first_of_pair(target, each.target, statement.value):
                return statement.value
        return None

    def _is_first_of_pair(
        self, target: cst.CSTNode, targets: cst.BaseExpression, value: cst.BaseExpression
    ) -> bool:
        """`args` of `args, unknown = parser.parse_known_args()`."""
        parsed = isinstance(value, cst.Call) and last_name(value.func) == "parse_known_args"
        return parsed and isinstance(targets, cst.Tuple) and targets.elements[0].value is target

    def _makes_a_namespace(self, value: cst.CSTNode) -> bool:
        """What a parser gives, or an object that is made of plain values."""
        if not isinstance(value, cst.Call):
            return False
        if isinstance(value.func, cst.Attribute) and value.func.attr.value in _PARSES:
            return True
        known = self._bindings.qualified(value.func) in _NAMESPACES
        return known and all(self._is_made_plainly(item.value) for item in value.args)

    def _is_made_plainly(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Dict):
            return all(
                isinstance(item, cst.DictElement) and self._is_made_plainly(item.value)
                for item in node.elements
            )
        return self._makes_a_namespace(node) or self._is_plain(node)

    def _is_plain(self, node: cst.CSTNode) -> bool:
        """A number, a text or a device, made of literals and other settings alone."""
        if isinstance(node, cst.Name):
            return node.value in ("True", "False") or self.has(node)
        if isinstance(node, cst.Attribute):
            constant = (self._bindings.qualified(node) or "").startswith("math.")
            return constant or self._is_plain(node.value)
        if isinstance(node, cst.Call):
            known = self._bindings.qualified(node.func) in _PLAIN_CALLS
            known = known or self._is_plain_builtin(node.func)
            return known and all(self._is_plain(item.value) for item in node.args)
        return isinstance(node, _LITERALS) or (
            isinstance(node, _COMPUTED) and all(map(self._is_plain, children(node)))
        )

    def _is_plain_builtin(self, func: cst.BaseExpression) -> bool:
        named = isinstance(func, cst.Name) and func.value in _PLAIN_BUILTINS
        return named and self._bindings.resolve(cst.ensure_type(func, cst.Name)) is None

    def _stays(self, attribute: str, namespace: str, made: cst.CSTNode) -> bool:
        """Nothing sets the attribute once the statements below the namespace have made it ready."""
        return all(
            self._makes_ready(target, namespace, made)
            for target in may_set(attribute, namespace, self._bindings)
        )

    def _makes_ready(self, target: cst.CSTNode, namespace: str, made: cst.CSTNode) -> bool:
        """`args.cuda = args.cuda and torch.cuda.is_available()`, before anything is run."""
        owner = target.value if isinstance(target, cst.Attribute) else None
        if not isinstance(owner, cst.Name) or owner.value != namespace:
            return False
        statement, first = self._tree.unit_of(target), self._tree.unit_of(made)
        node = statement.node
        if not isinstance(node, cst.Assign) or len(node.targets) > 1:
            return False
        around: Unit | None = statement
        while around is not None and around.block is not first.block:
            branch = next(
                (each for each in self._tree.ancestors(around.node) if each in self._tree.units),
                None,
            )
            around = self._tree.units[branch] if isinstance(branch, cst.If) else None
        if around is None or node.targets[0].target is not target or not self._is_plain(node.value):
            return False
        before = first.block.units[first.index + 1 : around.index + 1]
        return not any(map(self._may_run_steps, before))

    def _may_run_steps(self, unit: Unit) -> bool:
        """The statement is a loop, or calls a function of the script."""
        if isinstance(unit.node, (cst.FunctionDef, cst.ClassDef)):
            return False
        return any(
            isinstance(node, _LOOPS)
            or (isinstance(node, cst.Call) and self._bindings.definition(node.func) is not None)
            for node in descendants(unit.node)
        )
