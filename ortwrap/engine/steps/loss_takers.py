"""Objects that run backward on the loss that they are given, such as an Accelerator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

import libcst as cst

from ortwrap.engine.effects.computed_from import computed_from
from ortwrap.engine.effects.statement import EffectsReader, instance_name
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in, last_name

_LOSS_SCALER = re.compile(r"(?:^|\.)(?:loss_scaler|amp_scaler|grad_scaler)$")
_SCALER = re.compile(r"(?:^|\.|_)scaler$")
_OPTIMIZER = re.compile(r"(?:^|\.|_)(?:opt|optim|optimizer)\w{0,2}$")
_CLASS_NAME = re.compile(r"^(?!Variable$|\w*Tensor$|Parameter$)[A-Z]\w*[a-z]\w*$")
_BY_NAME = re.compile(
    r"(?:^|\.|_)(?:accelerator|fabric|engine|strategy|booster|optimizer|opt|plugin|ctx|scaler)\w*$",
    re.IGNORECASE,
)
_CLASS = re.compile(r"\.(?:Accelerator|Fabric|Booster)$|deepspeed")


class LossTakers:
    """Tells the objects of one script whose `backward` is given the loss from tensors.

    Args:
        bindings: the names of the script.
        modules: its modules.
        wrappers: names of wrappers that an earlier rewrite has made of some.
    """

    def __init__(self, bindings: Bindings, modules: ModuleTable, wrappers: Set[str]) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._modules = modules
        self._wrappers = wrappers

    def takes_loss(self, receiver: cst.BaseExpression, argument: cst.BaseExpression) -> bool:
        """The argument of `receiver.backward(argument)` is the loss, and not a tensor's gradient.

        Args:
            receiver: what `backward` is called on.
            argument: what that is given.
        """
        if any(map(_CLASS.search, self._classes(receiver))):
            return True
        if self._modules.is_trainable(receiver) or self._is_built_from_class(receiver):
            return True
        if _BY_NAME.search(self._tree.code(receiver)) is not None:
            return True
        return self._comes_from_outside(receiver) and self._is_computed(argument)

    def is_scaled_by(self, call: cst.Call) -> bool:
        """`loss_scaler(loss, optimizer, clip_grad=1.0)`, as timm has it."""
        positional = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        name = self._tree.code(call.func)
        if _LOSS_SCALER.search(name):
            return len(positional) >= 2
        if len(positional) < 2 or not _SCALER.search(name):
            return False
        return _OPTIMIZER.search(self._tree.code(positional[1])) is not None

    def _classes(self, receiver: cst.BaseExpression) -> Iterator[str]:
        """The full names of what it is built from, annotated with or, an instance, derives from."""
        for value in self._modules.values(receiver):
            if isinstance(value, cst.Call):
                yield self._bindings.qualified(value.func) or ""
        if not isinstance(receiver, cst.Name):
            return
        for binding in self._bindings.lookup(receiver):
            note = binding.node.annotation if isinstance(binding.node, cst.Param) else None
            if note is not None:
                yield self._bindings.qualified(note.annotation) or ""
        home = self._modules.classes.home(receiver)
        function = self._tree.enclosing(receiver)
        if home is not None and receiver.value == instance_name(function, self._bindings):
            yield from self._modules.classes.lineage(home).libraries

    def _is_built_from_class(self, receiver: cst.BaseExpression) -> bool:
        """`trainer = MixedPrecisionTrainer(model)`: no tensor, whatever its `backward` is given."""
        values = self._modules.values(receiver)
        return bool(values) and all(
            isinstance(value, cst.Call)
            and _CLASS_NAME.match(last_name(value.func)) is not None
            and not (self._bindings.qualified(value.func) or "torch").startswith("torch.")
            for value in values
        )

    def _comes_from_outside(self, receiver: cst.BaseExpression) -> bool:
        """Nothing in the function around gives it a value."""
        reader = EffectsReader(self._bindings, self._tree.enclosing(receiver))
        named = isinstance(receiver, (cst.Name, cst.Attribute))
        return named and computed_from(receiver, self._tree, reader) == [receiver]

    def _is_computed(self, value: cst.BaseExpression) -> bool:
        """The function around computes it by a module."""
        reader = EffectsReader(self._bindings, self._tree.enclosing(value))
        return any(
            self._modules.is_trainable(call.func) or last_name(call.func) in self._wrappers
            for node in computed_from(value, self._tree, reader)
            for call in calls_in(node)
        )
