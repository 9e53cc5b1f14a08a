"""What consumes a loss, and what of it no graph can stand in for."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.libraries import runs_steps
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.sinks import Sink
from ortwrap.engine.tree import SourceTree

_LIBRARIES = frozenset("torch lightning pytorch_lightning accelerate transformers timm".split())
# Their losses have a `.backward()` too.
_OTHER_FRAMEWORKS = frozenset(
    "mxnet paddle oneflow tinygrad jittor mindspore chainer jax tensorflow cupy megengine".split()
)


class ConsumerCheck:
    """Refuses sinks by how they consume the loss, before anything is sliced."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        helpers: Mapping[cst.CSTNode, str],
    ) -> None:
        """
        Args:
            tree: the script.
            bindings: its names.
            helpers: functions that run backward on a parameter, with the parameter's name.
        """
        self._tree = tree
        self._bindings = bindings
        self._helpers = helpers

    def check(self, sink: Sink) -> None:
        """Whether the loss may come out of a graph of its own.

        Raises:
            Refuse: it may not.
        """
        if not self._imports_torch():
            raise Refuse("OW103")
        if isinstance(sink.call, cst.Call):
            self._check_call(sink.call)
        function = self._tree.enclosing(sink.call)
        if function in self._helpers:
            name = self._tree.qualified_function(sink.call) or ""
            raise Refuse("OW102", loss=self._helpers[function], function=name)

    def _check_call(self, call: cst.Call) -> None:
        qualified = self._bindings.qualified(call.func) or ""
        if runs_steps(qualified):
            raise Refuse("OW314", name=self._tree.code(call.func))
        if qualified.startswith("torch.distributed"):
            raise Refuse("OW207", code=self._tree.brief(call))
        for argument in call.args:
            keyword = argument.keyword.value if argument.keyword is not None else ""
            if keyword == "create_graph" and self._is_on(argument.value):
                raise Refuse("OW201", keyword=self._tree.code(argument).rstrip(", "))

    def _is_on(self, value: cst.BaseExpression) -> bool:
        """`True`, or a parameter that is unless a caller says otherwise."""
        if not isinstance(value, cst.Name):
            return False
        if value.value == "True":
            return True
        function = self._tree.enclosing(value)
        given = function.params if isinstance(function, cst.FunctionDef) else None
        parameters = () if given is None else (*given.params, *given.kwonly_params)
        return any(
            parameter.name.value == value.value
            and isinstance(parameter.default, cst.Name)
            and parameter.default.value == "True"
            for parameter in parameters
        )

    def _imports_torch(self) -> bool:
        roots = {
            binding.target.split(".")[0]
            for bound in self._bindings.module.names.values()
            for binding in bound
            if binding.kind == "import"
        }
        if roots & _LIBRARIES or "import torch" in self._tree.text:
            return True
        return not roots & _OTHER_FRAMEWORKS and (self._names_torch() or self._speaks_torch())

    def _names_torch(self) -> bool:
        """`torch.Tensor(x)`, where `torch` can only have come with `from model import *`."""
        return self._bindings.has_star_import and any(
            isinstance(call.func, cst.Attribute)
            and isinstance(call.func.value, cst.Name)
            and call.func.value.value == "torch"
            and self._bindings.resolve(call.func.value) is None
            for call in self._tree.calls
        )

    def _speaks_torch(self) -> bool:
        """A trainer that is given its model and optimizer uses them as only PyTorch's are used."""
        called = {
            call.func.attr.value
            for call in self._tree.calls
            if isinstance(call.func, cst.Attribute)
        }
        trains = {"zero_grad", "step"} <= called
        moved = "train" in called and bool(called & {"to", "cuda"})
        return trains and (moved or self._reads_param_groups())

    def _reads_param_groups(self) -> bool:
        """`optimizer.param_groups`, to set a learning rate."""
        return any(
            isinstance(node, cst.Attribute) and node.attr.value == "param_groups"
            for node in self._tree.parents
        )
