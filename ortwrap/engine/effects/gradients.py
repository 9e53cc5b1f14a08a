"""Where gradients flow through an expression: what carries one, and what cuts it off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, place_of
from ortwrap.engine.effects.unread import is_unread
from ortwrap.engine.evidence.counts import counts_elements
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.unwrapping import is_fact
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import children, descendants

if TYPE_CHECKING:
    from ortwrap.engine.names.helpers import Helpers

# Attributes and methods whose result carries no gradient of the tensor they are asked of.
_CUT_ATTRIBUTES = frozenset("data shape dtype device grad ndim is_cuda requires_grad".split())
CUT_METHODS = frozenset(
    "detach item tolist numpy size dim numel argmax argmin argsort nelement eq ne gt lt ge le "
    "detach_ bool long int".split()
)
# What they make has no gradient, whatever it is made of.
_MAKES_LEAVES = re.compile(
    r"^torch\.(?:tensor|from_numpy|(?:cuda\.)?(?:Long|Int|Short|Char|Byte|Bool)Tensor)$"
)
_COLLECT = frozenset(["list", "tuple"])
# What gives the same values in another place, shape or type.
_MOVES = frozenset("float double half to cpu cuda view reshape squeeze unsqueeze clone".split())
_CUT_BUILTINS = frozenset("len float int bool str isinstance print range type round".split())
# What turns a tensor of the step into a Python value, which a graph would keep for good. Gradients
# that stop at `.detach()`, `.data` and `no_grad` stop in the graph as well.
_BAKED_METHODS = frozenset("item tolist numpy detach_".split())
_BAKED_BUILTINS = frozenset(["float", "int", "bool"])
# Uses of a module that compute nothing with its parameters.
PASSIVE_USES = frozenset(
    "train eval zero_grad state_dict load_state_dict to cuda cpu training device config dtype "
    "requires_grad_ half float name no_sync save save_pretrained register_buffer modules".split()
)
_STATIC = re.compile(r"^n_|^num_|_?(?:shape|size|dim|len|config|cfg|device|dtype|classes|name)s?$")
_NO_GRAD = ("no_grad", "inference_mode")


def _computes(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.Call, cst.BinaryOperation, cst.UnaryOperation, cst.Attribute))


class GradientFlow:
    """Answers, for code of one function, what a loss's gradient flows back to."""

    def __init__(
        self, bindings: Bindings, modules: ModuleTable, reader: EffectsReader, helpers: Helpers
    ) -> None:
        self._bindings = bindings
        self._helpers = helpers
        self._modules = modules
        self._reader = reader

    def reads(self, node: cst.CSTNode) -> set[str]:
        """Places through which a gradient can flow into the value of `node`."""
        found: set[str] = set()
        self._walk(node, found, [])
        return found

    def module_uses(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """Uses of trainable modules in `node` whose parameters can receive a gradient."""
        uses: list[cst.CSTNode] = []
        self._walk(node, set(), uses)
        return uses

    def trained_uses(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """Of these, the uses of modules that the script does not freeze."""
        return [use for use in self.module_uses(node) if not self._modules.frozen.holds(use)]

    def runs_module(self, node: cst.CSTNode) -> bool:
        """Some trainable module does more in `node` than give its parameters."""
        return not all(map(self._gives_parameters, self.module_uses(node)))

    def _gives_parameters(self, module: cst.CSTNode) -> bool:
        """`model.parameters()`, for a penalty say: the model itself is not run."""
        parents = self._bindings.tree.parents
        method = parents.get(module)
        return (
            isinstance(method, cst.Attribute)
            and method.attr.value in ("parameters", "named_parameters")
            and isinstance(parents.get(method), cst.Call)
        )

    def is_data_of_module(self, node: cst.CSTNode) -> bool:
        """`discriminator.output_shape`, `model.alpha`: read as a value, nothing is run."""
        if not isinstance(node, cst.Attribute) or self._is_callee(node):
            return False
        if node.attr.value == "forward":
            # What runs it, by another way.
            return False
        root: cst.CSTNode = node
        while isinstance(root, cst.Attribute) and place_of(root, self._reader.instance) is None:
            root = root.value
            if self._modules.is_of_object(root):
                break
        known = root is not node and self._modules.is_trainable(root)
        return known and not self._is_layer(node)

    def _is_layer(self, node: cst.Attribute) -> bool:
        """`model.decoder`: each class here that has such an attribute makes a module of it."""
        name = node.attr.value
        assigned = [
            assignment.value
            for assignment in self._bindings.tree.assignments
            if isinstance(assignment, cst.Assign)
            for target in assignment.targets
            if isinstance(target.target, cst.Attribute) and target.target.attr.value == name
        ]
        return bool(assigned) and all(map(self._modules.gives_module, assigned))

    def is_static_data(self, node: cst.CSTNode) -> bool:
        """Data of a module that its forward does not set: a size, a configuration."""
        if not isinstance(node, cst.Attribute) or not self.is_data_of_module(node):
            return False
        return _STATIC.search(node.attr.value) is not None or not self._set_by_forward(node)

    def _set_by_forward(self, node: cst.Attribute) -> bool:
        """Some method but a constructor assigns an attribute of this name, or none here does."""
        known = False
        tree = self._bindings.tree
        for assignment in tree.assignments:
            targets = (
                [target.target for target in assignment.targets]
                if isinstance(assignment, cst.Assign)
                else [assignment.target]  # type: ignore[attr-defined]
            )
            for target in targets:
                if isinstance(target, cst.Attribute) and target.attr.value == node.attr.value:
                    known = True
                    function = tree.enclosing(assignment)
                    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
                    if name not in ("__init__", "build", "setup"):
                        return True
        return not known

    def _is_callee(self, node: cst.CSTNode) -> bool:
        """The attribute is called, itself or at the end of a longer chain."""
        parents = self._reader.bindings.tree.parents
        parent = parents.get(node)
        while isinstance(parent, (cst.Attribute, cst.Subscript)) and parent.value is node:
            node, parent = parent, parents.get(parent)
        return isinstance(parent, cst.Call) and parent.func is node

    def is_no_grad(self, node: cst.CSTNode) -> bool:
        """A `with torch.no_grad():` block."""
        if not isinstance(node, cst.With):
            return False
        for item in node.items:
            call = item.item
            func = call.func if isinstance(call, cst.Call) else call
            name = (self._bindings.qualified(func) or "").rsplit(".", 1)[-1]
            if name in _NO_GRAD:
                return True
        return False

    def _runs_without_gradients(self, function: cst.FunctionDef) -> bool:
        """`@torch.no_grad()`, a body that is one such block and returns what it computed, or
        `return adversarial.detach()` wherever it returns.
        """
        for item in function.decorators:
            call = item.decorator
            func = call.func if isinstance(call, cst.Call) else call
            if (self._bindings.qualified(func) or "") in ("torch.no_grad", "torch.inference_mode"):
                return True
        if self._returns_cut_values(function):
            return True
        units = self._bindings.tree.blocks(function)[0].units
        rest = [unit.node for unit in units if not isinstance(unit.node, cst.Expr)]
        if not rest or not self.is_no_grad(rest[0]):
            return False
        return all(
            isinstance(node, cst.Return) and not any(map(_computes, descendants(node)))
            for node in rest[1:]
        )

    def _returns_cut_values(self, function: cst.FunctionDef) -> bool:
        tree = self._bindings.tree
        inside = [node for node in descendants(function) if tree.enclosing(node) is function]
        if any(isinstance(node, (cst.Yield, cst.Await)) for node in inside):
            return False
        values = [node.value for node in inside if isinstance(node, cst.Return)]
        return bool(values) and all(self._is_cut(value, function) for value in values)

    def _is_cut(
        self, value: cst.BaseExpression | None, function: cst.FunctionDef | None = None
    ) -> bool:
        """`adversarial.detach()`, `torch.tensor(returns).float()`, whatever they are made of.

        So are all of `tuple(repackage(state) for state in states)`, in the function `repackage`.
        """
        if isinstance(value, (cst.Tuple, cst.List)):
            return all(self._is_cut(element.value, function) for element in value.elements)
        if isinstance(value, (cst.ListComp, cst.GeneratorExp)):
            return self._is_cut(value.elt, function)
        while isinstance(value, cst.Call):
            func = value.func
            if isinstance(func, cst.Name) and value.args:
                if function is not None and self._bindings.definition(func) is function:
                    return True
                collects = self._is_builtin(func, _COLLECT) and len(value.args) == 1
                return collects and self._is_cut(value.args[0].value, function)
            if _MAKES_LEAVES.match(self._bindings.qualified(func) or ""):
                return True
            if not isinstance(func, cst.Attribute):
                return False
            if func.attr.value == "detach":
                return True
            value = func.value if func.attr.value in _MOVES else None
        return False

    def _walk(self, node: cst.CSTNode, found: set[str], uses: list[cst.CSTNode]) -> None:
        """Note the places that `node` passes a gradient on to, and the modules that it uses."""
        if isinstance(node, cst.FunctionDef):
            # Whoever calls it passes gradients on to what it reads.
            found.update(self._reader.of(node).reads)
            return
        if self._cuts(node):
            return
        if isinstance(node, cst.Call):
            self._walk_call(node, found, uses)
            return
        place = place_of(node, self._reader.instance)
        picked = isinstance(node, cst.Subscript)
        of_object = place is None and not picked and self._modules.is_of_object(node)
        if (place is not None or picked or of_object) and self._modules.is_trainable(node):
            uses.append(node)
        elif place is not None:
            found.add(place)
        elif not of_object:
            for part in self._carrying(node):
                self._walk(part, found, uses)

    def _cuts(self, node: cst.CSTNode) -> bool:
        """No gradient comes through, whatever stands in there."""
        if isinstance(node, cst.Attribute):
            return node.attr.value in _CUT_ATTRIBUTES
        if isinstance(node, (cst.ListComp, cst.GeneratorExp)):
            return self._is_cut(node)
        return isinstance(node, (cst.ClassDef, cst.Comparison)) or self.is_no_grad(node)

    def _carrying(self, node: cst.CSTNode) -> Sequence[cst.CSTNode]:
        """The parts of a node that a gradient may flow on to."""
        if isinstance(node, (cst.Assign, cst.AnnAssign)):
            return [] if node.value is None else [node.value]
        if isinstance(node, (cst.If, cst.While)):
            return [child for child in children(node) if child is not node.test]
        if isinstance(node, cst.Attribute):
            fact = is_fact(node, self._bindings, self._modules)
            return [] if fact or self.is_static_data(node) else [node.value]
        if isinstance(node, (cst.Subscript, cst.Arg)):
            # An index picks values; gradients flow through what is indexed.
            return [node.value]
        return children(node)

    def _walk_call(self, node: cst.Call, found: set[str], uses: list[cst.CSTNode]) -> None:
        func = node.func
        if isinstance(func, cst.Attribute):
            if func.attr.value in CUT_METHODS:
                return
            if func.attr.value in PASSIVE_USES and self._modules.is_trainable(func.value):
                return
        elif isinstance(func, cst.Name) and self._is_builtin(func, _CUT_BUILTINS):
            return
        if _MAKES_LEAVES.match(self._bindings.qualified(func) or ""):
            return
        helper = self._helpers.called(func)
        if helper is not None and self._runs_without_gradients(helper):
            return
        there = self._helpers.of_object(func) if helper is None else None
        if there is not None:
            function, here = there.method.function, there.method.home.file is None
            if here and self._runs_without_gradients(function):
                return
            # Nothing flows through the object itself.
            uses.append(func)
        else:
            if any(map(self._helpers.held_modules, self._helpers.possible(func))):
                uses.append(func)
            self._walk(func, found, uses)
        for argument in node.args:
            given = argument.value
            module = self._modules.is_trainable(given)
            if not module or not is_unread(given, node, helper, self._bindings):
                self._walk(argument, found, uses)

    def baked(self, node: cst.CSTNode, inside: set[str]) -> Iterator[cst.CSTNode]:
        """The expressions that turn a value computed from `inside` into a constant, in order."""
        stack = [node]
        while stack:
            current = stack.pop()
            if self._bakes(current) and self._depends(current, inside):
                yield current
            if not isinstance(current, (cst.FunctionDef, cst.Lambda)):
                stack.extend(reversed(children(current)))

    def _bakes(self, node: cst.CSTNode) -> bool:
        if not isinstance(node, cst.Call):
            return False
        func = node.func
        if counts_elements(node, self._bindings):
            return False
        if isinstance(func, cst.Attribute):
            return func.attr.value in _BAKED_METHODS
        return isinstance(func, cst.Name) and self._is_builtin(func, _BAKED_BUILTINS)

    def _is_builtin(self, name: cst.Name, names: frozenset[str]) -> bool:
        return name.value in names and self._bindings.resolve(name) is None

    def _depends(self, node: cst.CSTNode, inside: set[str]) -> bool:
        effects = self._reader.of(node)
        if inside & set(effects.reads):
            return True
        return any(
            self._modules.is_trainable(self._modules.run_by(reader))
            for readers in effects.reads.values()
            for reader in readers
        )
