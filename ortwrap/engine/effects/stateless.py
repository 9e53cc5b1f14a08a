"""Whether running a module leaves it as it was, read off how this file builds it.

A network of linear layers may run any number of times, in any order: it keeps no statistics and no
state. So its run on the next observations, whose values are a target, trades places with the one
that is trained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.randomness import OF_MODULES, SAME_MODULE
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in, children, descendants
from ortwrap.engine.text.tree import SourceTree

_KEEPS_NOTHING = re.compile(
    r"^torch\.nn\.(?:modules\.\w+\.)?(?:Module|ModuleList|ModuleDict|Sequential|Identity|Parameter"
    r"|Linear|Bilinear|Conv\w+|(?:Max|Avg|AdaptiveMax|AdaptiveAvg)Pool\dd|Embedding|LayerNorm"
    r"|GroupNorm|Flatten|Unflatten|ReLU6?|LeakyReLU|PReLU|ELU|CELU|SELU|GELU|SiLU|Mish|Tanh"
    r"|Sigmoid|LogSigmoid|Hard\w+|Soft(?:max|plus|sign|min)|LogSoftmax|ZeroPad2d|ReflectionPad2d"
    r"|Upsample|PixelShuffle)$"
)
CONTAINERS = frozenset(["Sequential", "ModuleList", "ModuleDict"])
_FUNCTIONS = ("torch.nn.functional.", "torch.nn.init.")
_CHANGES = re.compile(r"batch_norm|instance_norm|set_\w+|manual_seed|compile")
_CHANGING_BUILTINS = frozenset(["setattr", "delattr", "next", "exec", "eval"])


class Statelessness:
    """Answers for the modules of one script."""

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        # What is being looked at, so that names which refer to themselves come to an end.
        self._open: set[cst.CSTNode] = set()

    def holds(self, module: cst.CSTNode) -> bool:
        """Running what a name or an attribute holds changes nothing but its result."""
        values = self._modules.all_values(module) or ()
        return bool(values) and all(map(self._keeps_nothing, values)) and not self._hooks

    @cached_property
    def _hooks(self) -> bool:
        """The script registers hooks somewhere: what a run does is not in the modules alone."""
        return any("hook" in self._tree.code(call.func) for call in self._tree.calls)

    def _keeps_nothing(self, value: cst.BaseExpression) -> bool:
        if value in self._open:
            return True
        self._open.add(value)
        try:
            if isinstance(value, (cst.Name, cst.Attribute)):
                return self.holds(value)
            return isinstance(value, cst.Call) and self._builds_nothing_else(value)
        finally:
            self._open.discard(value)

    def _builds_nothing_else(self, call: cst.Call) -> bool:
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value in SAME_MODULE:
            return self._keeps_nothing(func.value)
        built = isinstance(self._bindings.definition(func), cst.ClassDef) or _KEEPS_NOTHING.match(
            self._bindings.qualified(func) or ""
        )
        given = [inner for argument in call.args for inner in descendants(argument.value)]
        modules = (node for node in given if isinstance(node, (cst.Name, cst.Attribute)))
        calls = (node for node in given if isinstance(node, cst.Call))
        return (
            bool(built)
            and not any(argument.star for argument in call.args)
            and not any(map(self._modules.is_trainable, modules))
            and all(map(self._is_plain, (call, *calls)))
        )

    def _is_plain(self, call: cst.Call) -> bool:
        """A layer without state, a function of torch, a class of this file that is made of them."""
        qualified = self._bindings.qualified(call.func)
        if any(arg.keyword is not None and arg.keyword.value == "max_norm" for arg in call.args):
            return False
        if qualified is None:
            defined = self._bindings.definition(call.func)
            return defined is None or (
                isinstance(defined, cst.ClassDef) and self._is_plain_class(defined)
            )
        if qualified.startswith("torch.nn.") and not qualified.startswith(_FUNCTIONS):
            return _KEEPS_NOTHING.match(qualified) is not None and not self._is_given(call)
        changes = _CHANGES.fullmatch(qualified.rsplit(".", 1)[-1]) is not None
        return qualified.startswith(("torch.", "math.")) and not changes

    def _is_given(self, call: cst.Call) -> bool:
        """`nn.Sequential(*layers)` of layers that a caller made."""
        if (self._bindings.qualified(call.func) or "").rsplit(".", 1)[-1] not in CONTAINERS:
            return False
        names = (name for argument in call.args for name in _names_outside_calls(argument.value))
        bound = (binding for name in names for binding in self._bindings.lookup(name))
        return any(binding.kind == "parameter" for binding in bound)

    def _is_plain_class(self, home: cst.ClassDef) -> bool:
        if home in self._open:
            return True
        self._open.add(home)
        try:
            return all(self._is_plain_base(base.value) for base in home.bases) and all(
                self._is_plain_method(item)
                for item in home.body.body
                if isinstance(item, cst.FunctionDef)
            )
        finally:
            self._open.discard(home)

    def _is_plain_base(self, base: cst.BaseExpression) -> bool:
        defined = self._bindings.definition(base)
        if isinstance(defined, cst.ClassDef):
            return self._is_plain_class(defined)
        return _KEEPS_NOTHING.match(self._bindings.qualified(base) or "") is not None

    def _is_plain_method(self, method: cst.FunctionDef) -> bool:
        reader = EffectsReader(self._bindings, method)
        scope = self._bindings.scope(method)
        changed = reader.of(method.body).changes - set(scope.names)
        if method.name.value != "__init__" and (changed or scope.declared_global):
            return False
        return all(
            self._is_plain(call) and self._is_known(call.func, reader.instance)
            for call in calls_in(method.body)
        )

    def _is_known(self, func: cst.BaseExpression, instance: str | None) -> bool:
        """Not `self.body(x)` or `self.body.encode(x)`, where the constructor was given the body."""
        if isinstance(func, cst.Name):
            own = isinstance(self._bindings.definition(func), cst.ClassDef)
            imported = self._bindings.qualified(func) is not None
            builtin = self._bindings.resolve(func) is None
            return own or imported or (builtin and func.value not in _CHANGING_BUILTINS)
        if isinstance(func, cst.Call):
            return False
        member = _member_of(func, instance)
        if member is None:
            return isinstance(func, cst.Attribute)
        home, name = self._modules.classes.home(func), member.attr.value
        inherited = home is not None and self._modules.classes.inherited(home, name) is not None
        values = self._modules.values(member)
        made = bool(values) and all(isinstance(value, cst.Call) for value in values)
        return inherited or made or (member is func and name in OF_MODULES)


def _member_of(node: cst.CSTNode, instance: str | None) -> cst.Attribute | None:
    """`self.body` in `self.body.layers[0]`."""
    while isinstance(node, (cst.Attribute, cst.Subscript)):
        inner = node.value
        if isinstance(node, cst.Attribute) and isinstance(inner, cst.Name):
            return node if inner.value == instance else None
        node = inner
    return None


def _names_outside_calls(node: cst.CSTNode) -> Iterator[cst.Name]:
    """Names in an expression, but not those that it only gives to what it calls."""
    if isinstance(node, cst.Name):
        yield node
    elif not isinstance(node, cst.Call):
        for inner in children(node):
            yield from _names_outside_calls(inner)
