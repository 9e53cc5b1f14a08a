"""Modules that other objects have: `runner.model(x)`, `self.agent.policy_net(x)`.

The script runs such a module for a value, and asks of it what only modules are asked, or gives the
object a module of this name, or the name says so.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Callable

import libcst as cst

from ortwrap.engine.evidence.kinds import (
    MODULE_NAME,
    OWN_WAYS,
    Evidence,
    is_criterion_name,
    is_name_of_term,
)
from ortwrap.engine.evidence.saved_modules import RUNS_MODULE, computes
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.members import Key
from ortwrap.engine.text.tree import SourceTree

Owned = tuple[Key, str]

_OF_MODULES = frozenset(
    "parameters named_parameters train eval modules named_modules buffers named_buffers".split()
)
# `accelerator.unwrap_model(net)` is a method, whatever it ends in.
_VERBS = (
    "get|set|build|make|create|init|reset|load|save|log|print|export|wrap|unwrap|prepare|convert"
    "|freeze|update|add|find|register"
)
_IS_METHOD = re.compile(rf"^_?(?:{_VERBS})_")
_IS_METHOD_OF_MODULE = re.compile(
    r"^_?(?:forward|encode|decode|generate|sample|rsample|predict|infer|embed|step|call|apply"
    r"|compute|extract|transform|project|log_prob|reconstruct|reparameterize|train|eval)(?:_|$)"
)
_TRIES_MODEL = re.compile(r"^_?(?:train|eval|test|run)_")


class OwnedModules:
    """Finds such modules in a script.

    Args:
        bindings: the names of the script.
        key: tells places apart.
        of_value: what is known of the object that an expression gives.
        belongs_to_module: what an expression gives is a module, or an attribute of the instance of
            one: its parts are reached by it.
    """

    def __init__(
        self,
        bindings: Bindings,
        key: Callable[[cst.CSTNode], Key | None],
        of_value: Callable[[cst.BaseExpression], Evidence | None],
        belongs_to_module: Callable[[cst.CSTNode], bool],
    ) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._key = key
        self._of_value = of_value
        self._belongs_to_module = belongs_to_module

    def evidence(self, node: cst.Attribute) -> Evidence | None:
        """What is known of an attribute of an object that is no instance of the class around."""
        owned = self._owned(node)
        if (
            owned is None
            or owned not in self._run
            or self._belongs_to_module(_root(node, self._key))
        ):
            return None
        given = self._given.get(owned, [])
        known = [self._of_value(value) for value in given]
        own = next((each for each in known if each is not None and each.role in OWN_WAYS), None)
        if own is not None:
            return own
        asked = self._asked.get(owned)
        if asked is not None:
            return Evidence("module", f"`.{asked}()` is called on it", 2)
        if known and all(each is not None and each.role == "module" for each in known):
            return known[0]
        return _by_name(node.attr.value) if all(isinstance(v, cst.Call) for v in given) else None

    def _owned(self, node: cst.CSTNode) -> Owned | None:
        """The object and the way from it to the attribute."""
        root = _root(node, self._key)
        if not isinstance(node, cst.Attribute) or root is node:
            return None
        key = self._key(root)
        bound = self._bindings.lookup(root) if isinstance(root, cst.Name) else ()
        imported = any(binding.kind not in ("variable", "parameter") for binding in bound)
        if key is None or imported:
            return None
        return key, self._tree.code(node)[len(self._tree.code(root)) :]

    @cached_property
    def _run(self) -> set[Owned]:
        """Attributes that are called for a value, themselves or by their `forward` or `loss`."""
        found: set[Owned | None] = set()
        for call in self._tree.calls:
            func = call.func
            if not isinstance(func, cst.Attribute) or not computes(call, self._tree):
                continue
            found.add(self._owned(func))
            if RUNS_MODULE.search(func.attr.value):
                found.add(self._owned(func.value))
        return {owned for owned in found if owned is not None}

    @cached_property
    def _asked(self) -> dict[Owned, str]:
        """Attributes that are asked for parameters or told to train, each with the method."""
        found: dict[Owned, str] = {}
        for call in self._tree.calls:
            func = call.func
            if isinstance(func, cst.Attribute) and func.attr.value in _OF_MODULES:
                owned = self._owned(func.value)
                if owned is not None and len(call.args) <= 1:
                    found.setdefault(owned, func.attr.value)
        return found

    @cached_property
    def _given(self) -> dict[Owned, list[cst.BaseExpression]]:
        """What the script assigns to attributes of objects."""
        found: dict[Owned, list[cst.BaseExpression]] = {}
        for node in self._tree.assignments:
            for target in node.targets if isinstance(node, cst.Assign) else ():
                owned = self._owned(target.target)
                if owned is not None and isinstance(node, cst.Assign):
                    found.setdefault(owned, []).append(node.value)
        return found


def part_of_module(
    value: cst.BaseExpression,
    tree: SourceTree,
    evidence: Callable[[cst.CSTNode], Evidence | None],
) -> Evidence | None:
    """`head = model.head`, for a name that is called for a value: but for methods of the module."""
    owner: cst.BaseExpression = value
    while isinstance(owner, (cst.Attribute, cst.Subscript)):
        owner = owner.value
        known = evidence(owner)
        if known is not None:
            method = isinstance(value, cst.Attribute) and _may_be_method(value.attr.value, tree)
            if known.role != "module" or method:
                return None
            return Evidence("module", f"is `{tree.code(value)}`, a part of a module", 2)
    return None


def _may_be_method(name: str, tree: SourceTree) -> bool:
    """`encode = model.encode`: by its name, or since a class here has one."""
    if RUNS_MODULE.search(name) or _IS_METHOD.match(name) or _IS_METHOD_OF_MODULE.match(name):
        return True
    methods = (function for function in tree.functions if tree.enclosing_class(function))
    return any(function.name.value == name for function in methods)


def _by_name(name: str) -> Evidence | None:
    if _IS_METHOD.match(name):
        return None
    if is_criterion_name(name):
        return Evidence("criterion", "its name says so", 0)
    module = MODULE_NAME.search(name) and not is_name_of_term(name)
    named = module and not _TRIES_MODEL.match(name)
    return Evidence("module", "its name says so", 0) if named else None


def _root(node: cst.CSTNode, key: Callable[[cst.CSTNode], Key | None]) -> cst.CSTNode:
    """`self.agent` of `self.agent.policy_net`: the place that the way begins at."""
    while isinstance(node, cst.Attribute) and key(node) is None:
        node = node.value
    return node
