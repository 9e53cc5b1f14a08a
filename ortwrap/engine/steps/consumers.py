"""What consumes a loss, and what of it no graph can stand in for."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from ortwrap.engine.evidence.libraries import runs_steps
from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.reasons.unit_tests import check_is_no_unit_test
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.tree import SourceTree

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
        unfound: Mapping[Sink, str],
    ) -> None:
        """
        Args:
            tree: the script.
            bindings: its names.
            helpers: functions that run backward on a parameter, with the parameter's name.
            unfound: steps of a class with a base that nothing is known of, with its name.
        """
        self._tree = tree
        self._bindings = bindings
        self._helpers = helpers
        self._unfound = unfound

    def check(self, sink: Sink) -> None:
        """Whether the loss may come out of a graph of its own.

        Raises:
            Refuse: it may not, or need not: a test only looks at it.
        """
        if sink in self._unfound:
            step = self._tree.qualified_function(sink.call) or ""
            framework = "LightningModule" if step.endswith("training_step") else "Trainer"
            base = self._unfound[sink].rpartition(".")[2]
            raise Refuse("OW118", function=step, base=base, framework=framework)
        of_torch = self._imports_torch() or self._derives_from_torch(sink)
        if not of_torch and not self._is_handed_to_torch(sink):
            raise Refuse("OW103")
        check_is_no_unit_test(sink.call, self._tree)
        if isinstance(sink.call, cst.Call):
            self._check_call(sink.call)
        function = self._tree.enclosing(sink.call)
        if function in self._helpers:
            name = self._tree.qualified_function(sink.call) or ""
            raise Refuse("OW102", loss=self._helpers[function], function=name)
        if isinstance(sink.call, cst.Call):
            self._check_keeps_no_graph(sink.call)

    def _check_call(self, call: cst.Call) -> None:
        qualified = self._bindings.qualified(call.func) or ""
        if runs_steps(qualified):
            raise Refuse("OW314", name=self._tree.code(call.func))
        if qualified.startswith("torch.distributed"):
            raise Refuse("OW207", code=self._tree.brief(call))

    def _check_keeps_no_graph(self, call: cst.Call) -> None:
        for argument in call.args:
            keyword = argument.keyword.value if argument.keyword is not None else ""
            if keyword == "create_graph" and self._may_be_on(argument.value):
                raise Refuse("OW201", keyword=self._tree.code(argument).rstrip(", "))

    def _may_be_on(self, value: cst.BaseExpression) -> bool:
        """`True`, or what a caller decides."""
        if not isinstance(value, cst.Name):
            return False
        bound = self._bindings.lookup(value)
        given = any(binding.kind == "parameter" for binding in bound)
        return value.value == "True" or (given and self._is_decided_by_calls(value))

    def _is_decided_by_calls(self, flag: cst.Name) -> bool:
        """A parameter of one step, or one of a loop of steps that is not off by all that is known.

        Of a loop the runtime sees in the first step whether it is on, and leaves all to PyTorch.
        """
        scope = self._bindings.resolve(flag)
        function = None if scope is None else scope.node
        if not isinstance(function, cst.FunctionDef):
            return True
        around = list(self._tree.ancestors(flag))
        around = around[: around.index(function)]
        if not any(isinstance(node, (cst.For, cst.While)) for node in around):
            return True
        calls = self._bindings.calls_of(function)
        parameters = (*function.params.params, *function.params.kwonly_params)
        defaults = [one.default for one in parameters if one.name.value == flag.value]
        given = arguments_for(function, flag.value, calls)
        return any(isinstance(one, cst.Name) and one.value == "True" for one in defaults + given)

    def _imports_torch(self) -> bool:
        if _imported(self._bindings) & _LIBRARIES:
            return True
        other = is_of_another_framework(self._bindings)
        return not other and (self._names_torch() or self._speaks_torch())

    def _derives_from_torch(self, sink: Sink) -> bool:
        """The step is a method, and a file that a base class stands in imports PyTorch."""
        home = self._tree.enclosing_class(self._tree.enclosing(sink.call))
        bases = [] if home is None else Lineage(Ancestor(home, self._bindings)).elsewhere()
        return any(_imported(base.bindings) & _LIBRARIES for base in bases)

    def _is_handed_to_torch(self, sink: Sink) -> bool:
        """A function of a file that imports PyTorch is given the loss."""
        called = sink.call.func if isinstance(sink.call, cst.Call) else None
        found = None if called is None else defined_elsewhere(called, self._bindings)
        return found is not None and bool(_imported(found.file.bindings) & _LIBRARIES)

    def _names_torch(self) -> bool:
        """`torch.Tensor(x)`, where `torch` can only have come with `from model import *`."""
        return self._bindings.has_star_import and any(map(self._is_of_torch, self._tree.calls))

    def _is_of_torch(self, call: cst.Call) -> bool:
        if (self._bindings.qualified(call.func) or "").startswith("torch."):
            return True
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        return (
            isinstance(owner, cst.Name)
            and owner.value == "torch"
            and self._bindings.resolve(owner) is None
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


def is_of_another_framework(bindings: Bindings) -> bool:
    """The file imports one whose losses have a `.backward()` too, and none of PyTorch's."""
    roots = _imported(bindings)
    return bool(roots & _OTHER_FRAMEWORKS) and not roots & _LIBRARIES


def _imported(bindings: Bindings) -> set[str]:
    """The packages that a file imports, by their first names."""
    return {
        binding.target.split(".")[0]
        for scope in bindings.scopes()
        for bound in scope.names.values()
        for binding in bound
        if binding.kind == "import"
    }
