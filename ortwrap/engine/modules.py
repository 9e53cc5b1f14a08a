"""Which objects are trainable modules or criteria, and by what evidence.

Evidence, strongest first: parameters handed to an optimizer; built from an `nn.Module`; methods
that only modules have; what call sites in this file pass for a parameter; only then the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.classes import Classes
from ortwrap.engine.containers import loop_pairs
from ortwrap.engine.effects import instance_name, place_of
from ortwrap.engine.evidence import (
    CRITERION_CLASS,
    CRITERION_NAME,
    FACTORY_MODULES,
    MODULE_METHODS,
    MODULE_NAME,
    NO_MODULE,
    OWN_WAYS,
    Evidence,
    Role,
    built_by,
)
from ortwrap.engine.frozen import FrozenModules
from ortwrap.engine.members import Members
from ortwrap.engine.tree import SourceTree

Key = tuple[cst.CSTNode, str]

_TENSOR_METHODS = frozenset(
    "detach item view reshape size dim argmax mean sum squeeze unsqueeze permute transpose numpy "
    "tolist contiguous flatten softmax sigmoid".split()
)
_TENSOR_FUNCTION = re.compile(r"^(?:torch\.(?!compile$|load$)[a-z]\w*|numpy\.\w+)$")
_SAME_OBJECT = frozenset(
    "to cuda cpu half float double bfloat16 train eval xpu mps apply requires_grad_".split()
)
_WRAPPERS = frozenset(
    "torch.compile torch.jit.script torch.jit.trace torch.nn.DataParallel "
    "torch.nn.parallel.DataParallel torch.nn.parallel.DistributedDataParallel "
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm torch_ort.ORTModule "
    "onnxruntime.training.ortmodule.ORTModule onnxruntime.training.ORTModule "
    "copy.deepcopy torch.optim.swa_utils.AveragedModel".split()
)
_PREPARERS = frozenset("prepare setup initialize prepare_model setup_module".split())
_ENGINE_LIBRARIES = ("deepspeed", "colossalai")


class ModuleTable:
    """The evidence about every place of a script that may hold a module or a criterion."""

    def __init__(
        self, tree: SourceTree, bindings: Bindings, wrappers: tuple[str, ...] = ()
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._wrappers = frozenset(wrappers)
        self._evidence: dict[Key, Evidence] = {}
        self._instances: dict[cst.CSTNode, str | None] = {}
        self.classes = Classes(tree, bindings)
        self.module_classes = self._find_module_classes()
        self._members = Members(tree, bindings, self.key, self._of_value, self._evidence.get)
        # A second round sees what the first learnt through aliases and call sites.
        for _ in range(3):
            before = dict(self._evidence), self._members.known
            self._from_assignments()
            self._members.learn()
            self._from_loops()
            self._from_calls()
            self._from_call_sites()
            if (self._evidence, self._members.known) == before:
                break

    def evidence(self, node: cst.CSTNode) -> Evidence | None:
        """What is known about the object that a name or attribute of the instance holds."""
        if isinstance(node, cst.Subscript):
            return self._weaker(self._members.of_item(node))
        key = self.key(node)
        if key is None:
            return None
        if isinstance(node, cst.Name) and node.value == self._instance(node):
            return self._of_instance(node)
        known = self._evidence.get(key)
        return known if known is not None else self._from_name(node, key)

    def is_instance(self, node: cst.CSTNode) -> bool:
        """`self`, in a method of a trainable module's class."""
        named = isinstance(node, cst.Name) and node.value == self._instance(node)
        return named and self.is_trainable(node)

    def is_trainable(self, node: cst.CSTNode) -> bool:
        evidence = self.evidence(node)
        return evidence is not None and evidence.role != "criterion"

    def is_criterion(self, node: cst.CSTNode) -> bool:
        evidence = self.evidence(node)
        return evidence is not None and evidence.role == "criterion"

    @cached_property
    def frozen(self) -> FrozenModules:
        """Which of them train nothing."""
        return FrozenModules(self._tree, self)

    def key(self, node: cst.CSTNode) -> Key | None:
        """Identity of a place across the scopes and methods that share it."""
        if isinstance(node, cst.Name):
            owner = self._bindings.resolve(node)
            return None if owner is None else (owner.node, node.value)
        place = place_of(node, self._instance(node))
        if place is None:
            return None
        home = self.classes.home(node)
        if home is None:
            return None
        name = place.split(".", 1)[1]
        return self.classes.setter(home, name), name

    def values(self, node: cst.CSTNode) -> list[cst.BaseExpression]:
        """Every expression that is assigned to the place a node stands for, by its own."""
        key = self.key(node)
        return [] if key is None else list(self._values_of(key))

    def _instance(self, node: cst.CSTNode) -> str | None:
        function = self._tree.enclosing(node)
        if function not in self._instances:
            self._instances[function] = instance_name(function, self._bindings)
        return self._instances[function]

    def _of_instance(self, node: cst.Name) -> Evidence | None:
        home = self.classes.home(node)
        role = None if home is None else self.module_classes.get(home)
        if home is None or role is None:
            return None
        return Evidence(role, f"is an instance of `{home.name.value}`", 2)

    def _learn(self, key: Key | None, evidence: Evidence | None) -> None:
        if key is None or evidence is None:
            return
        known = self._evidence.get(key)
        stronger = known is None or evidence.strength > known.strength
        # What trains in a way of its own does so whatever else is known of it.
        own = evidence.role in OWN_WAYS
        if own or (stronger and (known is None or known.role not in OWN_WAYS)):
            self._evidence[key] = evidence

    # -- classes ---------------------------------------------------------------------------------

    def _find_module_classes(self) -> dict[cst.CSTNode, Role]:
        roles: dict[cst.CSTNode, Role] = {}
        for _ in range(4):
            for node in self._tree.classes:
                for base in node.bases:
                    role = self._base_role(base.value, roles)
                    if role is None and self.classes.is_lightning(node):
                        role = "module"
                    if role is not None:
                        named = CRITERION_CLASS.search(node.name.value) is not None
                        roles[node] = "criterion" if named else role
        return roles

    def _base_role(self, base: cst.BaseExpression, known: dict[cst.CSTNode, Role]) -> Role | None:
        defined = self._bindings.definition(base)
        if defined is not None:
            return known.get(defined)
        qualified = self._bindings.qualified(base) or ""
        if qualified.startswith("torch.nn."):
            return "criterion" if CRITERION_CLASS.search(qualified) else "module"
        of_factory = qualified.startswith(FACTORY_MODULES) and not NO_MODULE.search(qualified)
        if of_factory or qualified.endswith(("MessagePassing", "PreTrainedModel")):
            return "module"
        return None

    # -- values ----------------------------------------------------------------------------------

    def _from_assignments(self) -> None:
        for node in self._tree.assignments:
            if isinstance(node, cst.Assign):
                for target in node.targets:
                    self._assign(target.target, node.value)
            elif isinstance(node, cst.AnnAssign) and node.value is not None:
                self._assign(node.target, node.value)

    def _assign(self, target: cst.CSTNode, value: cst.BaseExpression) -> None:
        library = self._engine_library(value)
        if library is not None:
            several = isinstance(target, (cst.Tuple, cst.List)) and target.elements
            engine = target.elements[0].value if several else target  # type: ignore[attr-defined]
            self._learn(self.key(engine), Evidence("engine", f"is an engine of `{library}`", 3))
            return
        if isinstance(target, (cst.Tuple, cst.List)):
            sources = self._parallel_sources(value, len(target.elements))
            for element, source in zip(target.elements, sources):
                self._assign(element.value, source)
            return
        evidence = self._of_value(value)
        if evidence is not None:
            self._learn(self.key(target), evidence)

    def _engine_library(self, value: cst.BaseExpression) -> str | None:
        """`deepspeed.initialize(...)` gives an engine first, and an optimizer after it."""
        if not isinstance(value, cst.Call):
            return None
        library, _, name = (self._bindings.qualified(value.func) or "").partition(".")
        return library if library in _ENGINE_LIBRARIES and name == "initialize" else None

    def _parallel_sources(self, value: cst.BaseExpression, count: int) -> list[cst.BaseExpression]:
        """The expressions that a tuple assignment binds to its targets one by one."""
        if isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) == count:
            return [element.value for element in value.elements]
        if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute):
            return []
        prepares = value.func.attr.value in _PREPARERS
        return [argument.value for argument in value.args][:count] if prepares else []

    def gives_module(self, value: cst.BaseExpression) -> bool:
        """The value of an expression is a trainable module."""
        built = self._of_value(value)
        return self.is_trainable(value) or (built is not None and built.role != "criterion")

    def holds_modules(self, value: cst.BaseExpression) -> bool:
        """A list or dict of trainable modules."""
        evidence = self._members.of_all(value)
        return evidence is not None and evidence.role != "criterion"

    def holds_criteria(self, value: cst.CSTNode) -> bool:
        """A list or dict of criteria, which the wrapper holds as it does a single one."""
        evidence = self._members.of_all(value)
        return evidence is not None and evidence.role == "criterion"

    def _from_loops(self) -> None:
        """`for model, optimizer in zip(models, optimizers)` over lists that hold modules."""
        for node in self._tree.units:
            if isinstance(node, cst.For):
                for target, items, whole in loop_pairs(node.target, node.iter, self._bindings):
                    of = self._members.of_all if whole else self._members.of_each
                    self._learn(self.key(target), self._weaker(of(items)))

    def _of_value(self, value: cst.BaseExpression) -> Evidence | None:
        if isinstance(value, cst.Subscript):
            return self._weaker(self._members.of_item(value))
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self._weaker(self._evidence.get(self.key(value)))  # type: ignore[arg-type]
        if isinstance(value, cst.IfExp):
            return self._of_value(value.body) or self._of_value(value.orelse)
        if not isinstance(value, cst.Call):
            return None
        func = value.func
        defined = self._bindings.definition(func)
        if defined in self.module_classes:
            role = self.module_classes[defined]
            return Evidence(role, f"is built from `{self._tree.code(func)}`", 2)
        name = self._tree.code(func).rpartition(".")[2]
        if name in self._wrappers:
            inner = self._of_value(value.args[0].value) if value.args else None
            return inner or Evidence("module", f"is returned by `{name}`, a wrapper of yours", 2)
        qualified = self._bindings.qualified(func)
        if qualified is not None:
            built = self._of_factory(qualified, value)
            if built is not None:
                return built
        if isinstance(func, cst.Attribute):
            name = func.attr.value
            if name in _SAME_OBJECT:
                return self._of_value(func.value)
            if name in ("from_pretrained", "from_config"):
                if NO_MODULE.search(self._tree.code(func.value)):
                    return None
                return Evidence("module", f"is built by `{self._tree.code(func)}`", 2)
            if name in _PREPARERS and value.args:
                return self._of_value(value.args[0].value)
        elif isinstance(func, cst.Call):
            return None
        return None

    def _of_factory(self, qualified: str, value: cst.Call) -> Evidence | None:
        if qualified.endswith(".FullyShardedDataParallel"):
            return Evidence("engine", "is wrapped in `FullyShardedDataParallel`", 3)
        if qualified.endswith("DataParallel") and "Distributed" not in qualified:
            if not self._is_optional(value):
                return Evidence("parallel", "is wrapped in `DataParallel`", 3)
            return self._of_value(value.args[0].value) if value.args else None
        if qualified in _WRAPPERS or qualified.endswith((".ORTModule", "DistributedDataParallel")):
            inner = self._of_value(value.args[0].value) if value.args else None
            return inner or Evidence("module", f"is wrapped by `{qualified}`", 2)
        return built_by(qualified)

    def _is_optional(self, node: cst.CSTNode) -> bool:
        """It stands in a branch, such as `if torch.cuda.device_count() > 1:`."""
        for ancestor in self._tree.ancestors(node):
            test = ancestor.test if isinstance(ancestor, (cst.If, cst.IfExp)) else None
            if test is not None and "__name__" not in self._tree.code(test):
                return True
            if isinstance(ancestor, cst.FunctionDef):
                return False
        return False

    @staticmethod
    def _weaker(evidence: Evidence | None) -> Evidence | None:
        return None if evidence is None else Evidence(evidence.role, evidence.reason, 2)

    # -- uses ------------------------------------------------------------------------------------

    def _from_calls(self) -> None:
        for call in self._tree.calls:
            func = call.func
            if not isinstance(func, cst.Attribute) or func.attr.value not in MODULE_METHODS:
                continue
            key = self.key(func.value)
            if key is None or self._bindings.qualified(func.value) is not None:
                continue
            name = func.attr.value
            if name == "no_sync" and call.args:
                # `accelerator.no_sync(model)` is called on no module.
                continue
            if name in ("apply", "generate", "module", "requires_grad_", "children"):
                continue
            role: Role = "criterion" if self._is_criterion_name(key) else "module"
            if name in ("parameters", "named_parameters") and self._feeds_optimizer(call):
                self._learn(key, Evidence("module", "its parameters go to an optimizer", 3))
            else:
                self._learn(key, Evidence(role, f"`.{name}()` is called on it", 2))

    def _feeds_optimizer(self, call: cst.Call) -> bool:
        for ancestor in self._tree.ancestors(call):
            if isinstance(ancestor, cst.Call):
                qualified = self._bindings.qualified(ancestor.func) or ""
                if ".optim" in qualified:
                    return True
            if isinstance(ancestor, cst.BaseStatement):
                return False
        return False

    def _from_call_sites(self) -> None:
        for call in self._tree.calls:
            function = self._bindings.definition(call.func)
            if isinstance(function, cst.ClassDef):
                function = self.classes.constructor(function)
            if not isinstance(function, cst.FunctionDef):
                continue
            for parameter, argument in pair_arguments(function, call):
                evidence = self._of_value(argument)
                self._members.pass_on(argument, (function, parameter))
                if evidence is not None and evidence.strength > 0:
                    site = Evidence(evidence.role, f"callers pass what {evidence.reason}", 1)
                    self._learn((function, parameter), site)

    # -- names -----------------------------------------------------------------------------------

    def _from_name(self, node: cst.CSTNode, key: Key) -> Evidence | None:
        owner = key[0]
        bound = self._bindings.scope(owner).names.get(key[1], []) if owner is not None else []
        if any(binding.kind in ("import", "function", "class") for binding in bound):
            return None
        if self._members.is_container(key):
            return None
        if self._is_criterion_name(key):
            return Evidence("criterion", "its name says so", 0)
        if MODULE_NAME.search(key[1]) and not self._is_built_otherwise(key):
            return Evidence("module", "its name says so", 0)
        return None

    def _is_built_otherwise(self, key: Key) -> bool:
        """A name that holds a tensor, or only values that no call made, needs better evidence."""
        if key in self._used_otherwise:
            return True
        values = list(self._values_of(key))
        return bool(values) and not any(self._may_make_module(value) for value in values)

    def _may_make_module(self, value: cst.BaseExpression) -> bool:
        """A call may, but for what makes tensors: `gen = G(z)` holds what `G` returned."""
        if isinstance(value, cst.Name):
            given = any(bound.kind == "parameter" for bound in self._bindings.lookup(value))
            return given and self.is_trainable(value)
        if not isinstance(value, cst.Call):
            return False
        qualified = self._bindings.qualified(value.func) or ""
        if _TENSOR_FUNCTION.match(qualified):
            return False
        known = self._evidence.get(self.key(value.func))  # type: ignore[arg-type]
        return known is None

    @cached_property
    def _used_otherwise(self) -> set[Key]:
        """Places that are computed with, asked for what tensors have, or for the `next` of many."""
        used = [self._asked_otherwise(call) for call in self._tree.calls]
        for node in self._tree.parents:
            if isinstance(node, cst.BinaryOperation):
                used += [node.left, node.right]
        keys = (self.key(node) for node in used if node is not None)
        return {key for key in keys if key is not None}

    def _asked_otherwise(self, call: cst.Call) -> cst.BaseExpression | None:
        func = call.func
        if isinstance(func, cst.Attribute):
            other = func.attr.value in _TENSOR_METHODS or func.attr.value == "__next__"
            return func.value if other else None
        if not isinstance(func, cst.Name) or func.value != "next" or not call.args:
            return None
        return call.args[0].value if self._bindings.resolve(func) is None else None

    def _values_of(self, key: Key) -> Iterator[cst.BaseExpression]:
        for node in self._tree.assignments:
            if isinstance(node, cst.Assign):
                for target in node.targets:
                    if self.key(target.target) == key:
                        yield node.value

    @staticmethod
    def _is_criterion_name(key: Key) -> bool:
        return CRITERION_NAME.search(key[1]) is not None


def arguments_for(
    function: cst.CSTNode, parameter: str, calls: Iterable[cst.Call]
) -> list[cst.BaseExpression | None]:
    """What each of the calls that run a function gives one parameter; None where it gives none."""
    if not isinstance(function, cst.FunctionDef):
        return []
    return [dict(pair_arguments(function, call)).get(parameter) for call in calls]


def pair_arguments(
    function: cst.FunctionDef, call: cst.Call
) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Parameter names of a function with the arguments that a call gives them."""
    params = [*function.params.posonly_params, *function.params.params]
    names = [param.name.value for param in params]
    bound = isinstance(call.func, cst.Attribute) or function.name.value == "__init__"
    if bound and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    every = {*names, *(param.name.value for param in function.params.kwonly_params)}
    for position, argument in enumerate(call.args):
        if argument.star:
            return
        if argument.keyword is not None:
            if argument.keyword.value in every:
                yield argument.keyword.value, argument.value
        elif position < len(names):
            yield names[position], argument.value
