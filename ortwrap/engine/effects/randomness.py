"""Whether running a module may draw random numbers, read off how its file builds it.

Two runs of different modules, or a run and another draw, trade places unnoticed only where at most
one of them moves a generator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, TypeVar

import libcst as cst

from ortwrap.engine.effects.statement import instance_name, place_of
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import OtherFile, defined_elsewhere
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


@dataclass(frozen=True)
class _MadeElsewhere:
    """An instance of a class that a call in another file makes.

    Attributes:
        call: that call.
        constructor: what it runs.
        there: answers for the modules of the other file.
    """

    call: cst.Call
    constructor: cst.FunctionDef | None
    there: Randomness

    def is_given(self, name: cst.Name, bindings: Bindings) -> bool:
        """A name is a parameter of the constructor."""
        return any(
            binding.kind == "parameter"
            and bindings.tree.enclosing(binding.node) is self.constructor
            for binding in bindings.lookup(name)
        )

    def given_may_draw(self, parameter: str) -> bool:
        """What the call gives the constructor may; of what it leaves out nothing is known."""
        pairs = () if self.constructor is None else pair_arguments(self.constructor, self.call)
        given = dict(pairs).get(parameter)
        return given is None or self.there.may_draw_by_value(given)


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
        self._made: _MadeElsewhere | None = None
        # What is being looked at, so that names which refer to themselves come to an end.
        self._open: set[tuple[cst.CSTNode, cst.Call | None]] = set()

    def may_draw(self, module: cst.CSTNode) -> bool:
        """Running what a name or an attribute holds may draw random numbers, as far as is known."""
        values = self._modules.all_values(module) or ()
        known = [self.may_draw_by_value(value) for value in values]
        made = self._made
        if (
            made is not None
            and isinstance(module, cst.Name)
            and made.is_given(module, self._bindings)
        ):
            known.append(made.given_may_draw(module.value))
        return not known or any(known) or self._may_be_handed_on(module)

    def _may_be_handed_on(self, module: cst.CSTNode) -> bool:
        """A derived class may give the constructor what no call of the class itself gives."""
        bound = self._bindings.lookup(module) if isinstance(module, cst.Name) else ()
        functions = (self._tree.enclosing(each.node) for each in bound if each.kind == "parameter")
        homes = filter(None, map(self._tree.enclosing_class, functions))
        return any(map(self._modules.classes.derived, homes))

    def may_draw_by_value(self, value: cst.BaseExpression) -> bool:
        """The same for an expression that a name or an attribute is given."""
        return self._first_time(value, self._expression_may_draw)

    def _first_time(self, node: Node, may_draw: Callable[[Node], bool]) -> bool:
        """Ask of a node, unless it is being asked already: then it adds nothing."""
        key = node, None if self._made is None else self._made.call
        if key in self._open:
            return False
        self._open.add(key)
        try:
            return may_draw(node)
        finally:
            self._open.discard(key)

    def _expression_may_draw(self, value: cst.BaseExpression) -> bool:
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self.may_draw(value)
        if not isinstance(value, cst.Call):
            return True
        func = value.func
        if isinstance(func, cst.Attribute) and func.attr.value in SAME_MODULE:
            return self.may_draw_by_value(func.value)
        qualified = self._bindings.qualified(func) or ""
        if qualified.rsplit(".", 1)[-1] in _WRAPPERS and value.args:
            return self.may_draw_by_value(value.args[0].value)
        defined = self._bindings.definition(func)
        if isinstance(defined, cst.ClassDef):
            return self._class_may_draw(defined)
        elsewhere = defined_elsewhere(func, self._bindings)
        if elsewhere is not None and isinstance(elsewhere.node, cst.ClassDef):
            return self._for(value, elsewhere.node, elsewhere.file)._class_may_draw(elsewhere.node)
        return self._layer_may_draw(value)

    def _for(self, call: cst.Call, home: cst.ClassDef, file: OtherFile) -> Randomness:
        """The same question in another file, about an instance that a call of this one makes."""
        inner = self._in_file(file)
        constructor = file.modules.classes.constructor(home)
        inner._made = _MadeElsewhere(call, constructor, self)
        return inner

    def _in_file(self, file: OtherFile) -> Randomness:
        inner = Randomness(file.tree, file.bindings, file.modules, beside_torch=self._beside_torch)
        inner._open = self._open
        return inner

    def _layer_may_draw(self, value: cst.Call) -> bool:
        qualified = self._bindings.qualified(value.func) or ""
        if not qualified.startswith("torch.nn."):
            return True
        if qualified.startswith("torch.nn.Sequential"):
            return any(self.may_draw_by_value(item.value) for item in value.args)
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
        method = self._modules.objects.method(func)
        if method is not None:
            file = method.home.file
            there = self if file is None else self._in_file(file)
            return there._first_time(method.function, there._function_may_draw)
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
            others = (value for value in values if not isinstance(value, cst.Call))
            return any(map(self.may_draw_by_value, others))
        return self._modules.classes.inherited(home, func.attr.value) is None
