"""Which objects are trainable modules or criteria, and by what evidence.

Evidence, strongest first: parameters handed to an optimizer; built from an `nn.Module`; methods
that only modules have; what call sites in this file pass for a parameter; only then the name.
"""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.statement import instance_name, place_of
from ortwrap.engine.evidence.factories import NO_MODULE
from ortwrap.engine.evidence.fed_to_optimizers import feeds_optimizer
from ortwrap.engine.evidence.frozen import FrozenModules
from ortwrap.engine.evidence.kinds import (
    MODULE_METHODS,
    OWN_WAYS,
    SAME_OBJECT,
    SPLITS_A_BATCH,
    WRAPPERS,
    Evidence,
    Role,
    built_by,
    is_criterion_name,
)
from ortwrap.engine.evidence.made_here import MadeHere
from ortwrap.engine.evidence.module_classes import find_module_classes
from ortwrap.engine.evidence.named_places import NamedPlaces
from ortwrap.engine.evidence.owned_modules import OwnedModules, part_of_module
from ortwrap.engine.evidence.plain_objects import PlainObjects
from ortwrap.engine.evidence.prepared import PREPARERS, engine_library, parallel_sources
from ortwrap.engine.evidence.saved_modules import SavedModules
from ortwrap.engine.evidence.sharded import SHARDED, sharded_by
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.assigned import assigned_values
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.classes import Classes
from ortwrap.engine.names.containers import loop_pairs
from ortwrap.engine.names.given import with_arguments
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.names.made_elsewhere import kept_elsewhere, made_elsewhere, parts_made_elsewhere
from ortwrap.engine.names.members import Key, Members
from ortwrap.engine.text.tree import SourceTree

_TAKES_AT_MOST = {"no_sync": 0, "eval": 0, "train": 1}


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
        self._made = MadeHere(tree, self.classes, self._instance, self.of_value)
        self.module_classes = find_module_classes(tree, bindings, self.classes)
        self._values = assigned_values(tree, self.key)
        self.objects = PlainObjects(bindings, self, self._values)
        self._members = Members(tree, bindings, self.key, self.of_value, self._evidence.get)
        self._names = NamedPlaces(
            tree,
            bindings,
            self.key,
            self._evidence.get,
            self.is_trainable,
            self._values,
            self._members,
            self.module_classes,
        )
        self._owned = OwnedModules(bindings, self.key, self.of_value, self._belongs_to_module)
        saved = SavedModules(bindings, self.key, self.all_values, self.module_classes).find()
        for key, method in saved.items():
            role: Role = "criterion" if is_criterion_name(key[1]) else "module"
            self._learn(key, Evidence(role, f"it is called, and so is its `.{method}()`", 1))
        # A second round sees what the first learnt through aliases and call sites.
        for _ in range(3):
            before = dict(self._evidence), self._members.known
            self._from_assignments()
            self._members.learn()
            self._from_loops()
            self._from_calls()
            self._from_call_sites()
            if not self._made.learn() and (self._evidence, self._members.known) == before:
                break

    def evidence(self, node: cst.CSTNode) -> Evidence | None:
        """What is known about the object that a name or attribute of the instance holds."""
        if isinstance(node, cst.Subscript):
            return self._weaker(self._members.of_item(node))
        key = self.key(node)
        if key is None:
            known = None
            if isinstance(node, cst.Attribute):
                known = self._owned.evidence(node) or self._of_plain(node)
            return known or kept_elsewhere(node, self._bindings)
        if isinstance(node, cst.Name) and node.value == self._instance(node):
            return self._of_instance(node)
        if self.objects.holds(node):
            return None
        known = self._evidence.get(key) or self._names.evidence(key)
        return known or kept_elsewhere(node, self._bindings)

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

    def is_of_object(self, node: cst.CSTNode) -> bool:
        """A module or criterion that another object has: `runner.model`."""
        owned = isinstance(node, cst.Attribute) and self.key(node) is None
        return owned and self.evidence(node) is not None

    def run_by(self, reader: cst.CSTNode) -> cst.CSTNode:
        """The module that `nets` in `nets["g"]` or `runner` in `runner.model` is read for."""
        node, parent = reader, self._tree.parents.get(reader)
        while isinstance(parent, (cst.Attribute, cst.Subscript)) and parent.value is node:
            if self.is_trainable(parent):
                return parent
            node, parent = parent, self._tree.parents.get(parent)
        return reader

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
        return [] if key is None else list(self._values.get(key, ()))

    def all_values(self, node: cst.CSTNode) -> list[cst.BaseExpression] | None:
        """The same, with what callers pass for a parameter; None where some are not known."""
        values = self.values(node)
        if isinstance(node, cst.Name):
            return with_arguments(node, values, self._bindings, self.classes.constructor)
        return values

    def _instance(self, node: cst.CSTNode) -> str | None:
        function = self._tree.enclosing(node)
        if function not in self._instances:
            self._instances[function] = instance_name(function, self._bindings)
        return self._instances[function]

    def _belongs_to_module(self, node: cst.CSTNode) -> bool:
        inner = node.value if isinstance(node, cst.Attribute) else node
        return self.is_trainable(node) or self.is_instance(inner)

    def _of_plain(self, node: cst.Attribute) -> Evidence | None:
        """`gan.D`, where the class of `gan` gives its instances a module of that name."""
        holder = self.objects.holder(node)
        return None if holder is None else holder[0]._evidence.get(holder[1])

    def _of_instance(self, node: cst.Name) -> Evidence | None:
        home = self.classes.home(node)
        role = None if home is None else self.module_classes.get(home)
        if home is None or role is None:
            return None
        reason = f"is an instance of `{home.name.value}`"
        for base in Lineage(Ancestor(home, self._bindings)).elsewhere():
            if base.node in base.module_classes:
                return Evidence(role, f"{reason}, whose base class {base.place} is a module", 2)
        return Evidence(role, reason, 2)

    def _learn(self, key: Key | None, evidence: Evidence | None) -> None:
        if key is None or evidence is None:
            return
        known = self._evidence.get(key)
        stronger = known is None or evidence.strength > known.strength
        # What trains in a way of its own does so whatever else is known of it.
        own = evidence.role in OWN_WAYS
        if own or (stronger and (known is None or known.role not in OWN_WAYS)):
            self._evidence[key] = evidence

    # -- values ----------------------------------------------------------------------------------

    def _from_assignments(self) -> None:
        for node in self._tree.assignments:
            if isinstance(node, cst.Assign):
                for target in node.targets:
                    self._assign(target.target, node.value)
            elif isinstance(node, cst.AnnAssign) and node.value is not None:
                self._assign(node.target, node.value)

    def _assign(self, target: cst.CSTNode, value: cst.BaseExpression) -> None:
        library = engine_library(value, self._bindings)
        if library is not None:
            several = isinstance(target, (cst.Tuple, cst.List)) and target.elements
            engine = target.elements[0].value if several else target  # type: ignore[attr-defined]
            self._learn(self.key(engine), Evidence("engine", f"is an engine of `{library}`", 3))
            return
        if isinstance(target, (cst.Tuple, cst.List)):
            sources = parallel_sources(value, len(target.elements))
            for element, source in zip(target.elements, sources):
                self._assign(element.value, source)
            for element, part in zip(target.elements, parts_made_elsewhere(value, self._bindings)):
                self._learn(self.key(element.value), part)
            for position, element in enumerate(target.elements):
                if isinstance(value, cst.Call):
                    self._learn(self.key(element.value), self._made.given_by(value, position))
            return
        evidence = self.of_value(value)
        key = self.key(target)
        if evidence is None and key in self._names.run and key and not is_criterion_name(key[1]):
            evidence = part_of_module(value, self._tree, self.evidence)
        self._learn(key, evidence)

    def gives_module(self, value: cst.BaseExpression) -> bool:
        """The value of an expression is a trainable module."""
        built = self.of_value(value)
        return self.is_trainable(value) or (built is not None and built.role != "criterion")

    def holds_modules(self, value: cst.BaseExpression) -> bool:
        """A list or dict of trainable modules."""
        evidence = self._members.of_all(value)
        return evidence is not None and evidence.role != "criterion"

    def holds_loose_modules(self, value: cst.BaseExpression) -> bool:
        """Such a list or dict that is no module itself, as an `nn.ModuleList` is."""
        known = self.evidence(value)
        return self.holds_modules(value) and (known is None or known.strength == 0)

    def is_mapping(self, value: cst.BaseExpression) -> bool:
        """A dict of this file."""
        return self._members.is_mapping(value)

    def holds_criteria(self, value: cst.CSTNode) -> bool:
        """A list or dict of criteria, which the wrapper holds as it does a single one."""
        evidence = self._members.of_all(value)
        return evidence is not None and evidence.role == "criterion"

    def _from_loops(self) -> None:
        """`for model, optimizer in zip(models, optimizers)` over lists that hold modules."""
        for node in self._loops:
            for target, items, whole in loop_pairs(node.target, node.iter, self._bindings):
                of = self._members.of_all if whole else self._members.of_each
                self._learn(self.key(target), self._weaker(of(items)))

    @cached_property
    def _loops(self) -> list[cst.For | cst.CompFor]:
        """The loops of statements and of comprehensions."""
        return [node for node in self._tree.parents if isinstance(node, (cst.For, cst.CompFor))]

    def of_value(self, value: cst.BaseExpression) -> Evidence | None:
        """What is known of the object that an expression gives, whatever the name it has."""
        if isinstance(value, cst.Subscript):
            return self._weaker(self._members.of_item(value))
        if isinstance(value, (cst.Name, cst.Attribute)):
            if self.objects.holds(value):
                return None
            known = self._evidence.get(self.key(value))  # type: ignore[arg-type]
            return self._weaker(known) or kept_elsewhere(value, self._bindings)
        if isinstance(value, cst.IfExp):
            return self.of_value(value.body) or self.of_value(value.orelse)
        if not isinstance(value, cst.Call):
            return None
        func = value.func
        defined = self._bindings.definition(func)
        if defined in self.module_classes:
            role = self.module_classes[defined]
            return Evidence(role, f"is built from `{self._tree.code(func)}`", 2)
        made = self._made.given_by(value)
        if made is not None:
            return made
        name = self._tree.code(func).rpartition(".")[2]
        if name in self._wrappers:
            given = self.of_value(value.args[0].value) if value.args else None
            return given or Evidence("module", f"is returned by `{name}`, a wrapper of yours", 2)
        qualified = self._bindings.qualified(func)
        if qualified is not None:
            built = self._of_factory(qualified, value)
            if built is not None:
                return built
        if isinstance(func, cst.Attribute):
            name = func.attr.value
            if name in SAME_OBJECT:
                return self.of_value(func.value)
            if name in ("from_pretrained", "from_config"):
                if NO_MODULE.search(self._tree.code(func.value)):
                    return None
                return Evidence("module", f"is built by `{self._tree.code(func)}`", 2)
            if name in PREPARERS and value.args:
                return self.of_value(value.args[0].value)
        return made_elsewhere(value, self._bindings)

    def _of_factory(self, qualified: str, value: cst.Call) -> Evidence | None:
        if qualified.endswith(".FullyShardedDataParallel"):
            return Evidence("engine", "is wrapped in `FullyShardedDataParallel`", 3)
        if sharded_by(value, self._bindings) is not None:
            return SHARDED
        if SPLITS_A_BATCH.search(qualified):
            if not self._tree.is_optional(value):
                return Evidence("parallel", "is wrapped in `DataParallel`", 3)
            return self.of_value(value.args[0].value) if value.args else None
        if qualified in WRAPPERS or qualified.endswith((".ORTModule", "DistributedDataParallel")):
            return self._of_wrapped(qualified, value.args[0].value if value.args else None)
        return built_by(qualified)

    def _of_wrapped(self, wrapper: str, wrapped: cst.BaseExpression | None) -> Evidence | None:
        """What a wrapper gives is what it is given, which only a copy can have be anything."""
        if wrapped is None or self._is_function(wrapped):
            return None
        inner = self.of_value(wrapped)
        if inner is None and wrapper == "copy.deepcopy":
            while isinstance(wrapped, cst.Attribute) and self.key(wrapped) is None:
                # A part of a module: `model.backbone`.
                wrapped = wrapped.value
            return self._weaker(self.evidence(wrapped))
        return inner or Evidence("module", f"is wrapped by `{wrapper}`", 2)

    def _is_function(self, value: cst.BaseExpression) -> bool:
        """A function of this file, or `self.step`, a method of its own class."""
        if isinstance(value, cst.Name):
            return any(binding.kind == "function" for binding in self._bindings.lookup(value))
        if not isinstance(value, cst.Attribute):
            return False
        if self.key(value) is None:
            methods = self.classes.methods(value.attr.value)
            return bool(methods) and not any(method.decorators for method in methods)
        return self.classes.called_on_instance(value) is not None

    @staticmethod
    def _weaker(evidence: Evidence | None) -> Evidence | None:
        return None if evidence is None else Evidence(evidence.role, evidence.reason, 2)

    # -- uses ------------------------------------------------------------------------------------

    def _from_calls(self) -> None:
        for call in self._tree.calls:
            func = call.func
            sharded = sharded_by(call, self._bindings)
            if sharded is not None and not self._tree.is_optional(call):
                self._learn(self.key(sharded), SHARDED)
            if not isinstance(func, cst.Attribute) or func.attr.value not in MODULE_METHODS:
                continue
            key = self.key(func.value)
            imported = self._bindings.qualified(func.value) is not None
            if key is None or imported or self.objects.holds(func.value):
                continue
            name = func.attr.value
            if len(call.args) > _TAKES_AT_MOST.get(name, len(call.args)):
                # `accelerator.no_sync(model)`, `experiment.eval(model, loader)`: on no module.
                continue
            if name in ("apply", "generate", "module", "requires_grad_", "children"):
                continue
            role: Role = "criterion" if is_criterion_name(key[1]) else "module"
            if name in ("parameters", "named_parameters") and feeds_optimizer(call, self._bindings):
                self._learn(key, Evidence("module", "its parameters go to an optimizer", 3))
            else:
                self._learn(key, Evidence(role, f"`.{name}()` is called on it", 2))

    def _from_call_sites(self) -> None:
        for call in self._tree.calls:
            function = self._bindings.definition(call.func)
            if isinstance(function, cst.ClassDef):
                function = self.classes.constructor(function)
            elif function is None and isinstance(call.func, cst.Attribute):
                function = self.classes.called_on_instance(call.func)
            if not isinstance(function, cst.FunctionDef):
                continue
            for parameter, argument in pair_arguments(function, call):
                evidence = self.of_value(argument)
                self._members.pass_on(argument, (function, parameter))
                if evidence is not None and evidence.strength > 0:
                    reason = f"is what callers pass, which {evidence.reason}"
                    self._learn((function, parameter), Evidence(evidence.role, reason, 1))
