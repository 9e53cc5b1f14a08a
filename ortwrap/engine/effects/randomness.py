"""Whether running a module may draw random numbers, read off how this file builds it.

Two runs of different modules, or a run and another draw, trade places unnoticed only where at most
one of them moves a generator.
"""

from __future__ import annotations

import re
from typing import Callable, TypeVar

import libcst as cst

from ortwrap.engine.effects.statement import instance_name, place_of
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in
from ortwrap.engine.text.tree import SourceTree

Node = TypeVar("Node", bound=cst.CSTNode)

# What draws from the generators of Python and NumPy.
BESIDE_TORCH = ("numpy.random.", "random.")

_DRAWING_LAYERS = re.compile(
    r"Dropout|RReLU|Transformer|MultiheadAttention|Fractional|\b(?:LSTM|GRU|RNN)\b"
)
_DRAWING_CALLS = re.compile(
    r"rand|dropout|normal|bernoulli|multinomial|gumbel|rrelu|distributions|checkpoint|poisson"
    r"|\br?sample\b"
)
_WRAPPERS = frozenset(
    "DataParallel DistributedDataParallel compile DDP convert_sync_batchnorm deepcopy".split()
)
SAME_MODULE = frozenset("to cuda cpu float double train eval".split())
OF_MODULES = frozenset(
    "register_buffer register_parameter add_module parameters named_parameters modules apply "
    "children".split()
)


class Randomness:
    """Answers for the modules of one script.

    Args:
        tree: the script.
        bindings: its names.
        modules: its modules.
        beside_torch: ask for Python's and NumPy's numbers only: torch's layers leave them alone.
    """

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        *,
        beside_torch: bool = False,
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._beside_torch = beside_torch
        # What is being looked at, so that names which refer to themselves come to an end.
        self._open: set[cst.CSTNode] = set()

    def may_draw(self, module: cst.CSTNode) -> bool:
        """Running what a name or an attribute holds may draw random numbers, as far as is known."""
        values = self._modules.all_values(module)
        return not values or any(self._value_may_draw(value) for value in values)

    def _first_time(self, node: Node, may_draw: Callable[[Node], bool]) -> bool:
        """Ask of a node, unless it is being asked already: then it adds nothing."""
        if node in self._open:
            return False
        self._open.add(node)
        try:
            return may_draw(node)
        finally:
            self._open.discard(node)

    def _value_may_draw(self, value: cst.BaseExpression) -> bool:
        return self._first_time(value, self._expression_may_draw)

    def _expression_may_draw(self, value: cst.BaseExpression) -> bool:
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self.may_draw(value)
        if not isinstance(value, cst.Call):
            return True
        func = value.func
        if isinstance(func, cst.Attribute) and func.attr.value in SAME_MODULE:
            return self._value_may_draw(func.value)
        qualified = self._bindings.qualified(func) or ""
        if qualified.rsplit(".", 1)[-1] in _WRAPPERS and value.args:
            return self._value_may_draw(value.args[0].value)
        defined = self._bindings.definition(func)
        if isinstance(defined, cst.ClassDef):
            return self._class_may_draw(defined)
        return self._layer_may_draw(value)

    def _layer_may_draw(self, value: cst.Call) -> bool:
        qualified = self._bindings.qualified(value.func) or ""
        if not qualified.startswith("torch.nn."):
            return True
        if qualified.startswith("torch.nn.Sequential"):
            return any(self._value_may_draw(item.value) for item in value.args)
        return not self._beside_torch and _DRAWING_LAYERS.search(qualified) is not None

    def _class_may_draw(self, home: cst.ClassDef) -> bool:
        """Some method runs a layer or a function that draws, or one of which nothing is known."""
        return self._first_time(home, self._body_may_draw)

    def _body_may_draw(self, home: cst.ClassDef) -> bool:
        for base in home.bases:
            defined = self._bindings.definition(base.value)
            known = (self._bindings.qualified(base.value) or "").startswith("torch.nn.Module")
            if isinstance(defined, cst.ClassDef):
                if self._class_may_draw(defined):
                    return True
            elif not known:
                return True
        return self.may_draw_in(home)

    def call_may_draw(self, call: cst.Call) -> bool:
        """What is called may draw random numbers, itself or through what it holds."""
        func = call.func
        if self._modules.is_criterion(func):
            return bool(self._modules.values(func)) and self.may_draw(func)
        for module in (func, func.value) if isinstance(func, cst.Attribute) else (func,):
            if self._modules.is_trainable(module) and not self._modules.is_instance(module):
                return self.may_draw(module)
        qualified = self._bindings.qualified(func)
        if self._beside_torch and (qualified or "").startswith("torch."):
            return False
        if _DRAWING_CALLS.search(self._tree.code(func)):
            return True
        if qualified is not None:
            if qualified.startswith(("torch.nn.functional", "torch.nn.init")):
                return False
            if qualified.startswith("torch.nn."):
                return self._layer_may_draw(call)
            return not qualified.startswith(("torch.", "math."))
        defined = self._bindings.definition(func)
        if isinstance(defined, cst.ClassDef):
            return self._class_may_draw(defined)
        if isinstance(defined, cst.FunctionDef):
            return self._first_time(defined, self._function_may_draw)
        if isinstance(func, cst.Name):
            return self._bindings.resolve(func) is not None
        return isinstance(func, cst.Attribute) and self._method_may_draw(func)

    def _function_may_draw(self, function: cst.FunctionDef) -> bool:
        return bool(function.decorators) or self.may_draw_in(function.body)

    def may_draw_in(self, node: cst.CSTNode) -> bool:
        """Some call in a piece of code may."""
        return self.first_draw_in(node) is not None

    def first_draw_in(self, node: cst.CSTNode) -> cst.Call | None:
        """A call in a piece of code that may."""
        return next((call for call in calls_in(node) if self.call_may_draw(call)), None)

    def _method_may_draw(self, func: cst.Attribute) -> bool:
        """A layer that an instance was given may; methods are read where they are defined."""
        home = self._modules.classes.home(func)
        function = self._tree.enclosing(func)
        instance = instance_name(function, self._bindings)
        if home is None or place_of(func, instance) is None or func.attr.value in OF_MODULES:
            return False
        values = self._modules.values(func)
        if values:
            return any(not isinstance(value, cst.Call) for value in values)
        return self._modules.classes.inherited(home, func.attr.value) is None
