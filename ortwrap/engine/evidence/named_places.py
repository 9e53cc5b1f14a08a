"""What the name of a place tells of the object there, when nothing stronger is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Callable

import libcst as cst

from ortwrap.engine.evidence.kinds import (
    MODULE_NAME,
    Evidence,
    Role,
    is_beside_a_criterion,
    is_criterion_name,
    is_name_of_output,
    is_name_of_term,
)
from ortwrap.engine.evidence.plain_objects import plain_class_of
from ortwrap.engine.evidence.returned_values import ReturnedValues
from ortwrap.engine.evidence.saved_modules import computes
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.members import Key, Members, constant_index
from ortwrap.engine.text.tree import SourceTree

_TENSOR_METHODS = frozenset(
    "detach item view reshape size dim argmax mean sum squeeze unsqueeze permute transpose numpy "
    "tolist contiguous flatten softmax sigmoid clone repeat expand masked_fill gather numel".split()
)
_MOVES = frozenset("to cuda cpu float half double".split())
_TENSOR_FUNCTION = re.compile(
    r"^(?:torch\.(?!compile$|load$)[a-z]\w*|torch\.Generator|numpy\.\w+)$"
)
_OF_TENSORS = re.compile(
    r"^torch\.(?:nn\.functional\.|(?!compile$|load$|save$|is_tensor$|typename$|vmap$)[a-z])\w+$"
)
# `nets = SimpleNamespace(enc=..., dec=...)` is what holds modules.
_OF_PYTHON = ("types.", "argparse.", "collections.", "functools.partial")
# `backbone = str(cfg.backbone).lower()`
_MAKE_PLAIN_VALUES = frozenset("str int float bool len repr round list dict set tuple".split())
# `optim_G` and `d_optimizer`: the letters that papers give to the networks of a GAN.
_OPTIMIZER_OF_A_LETTER = re.compile(
    r"(?:(?P<before>[A-Z]|[a-z](?=_))_?)?(?i:opt|optim|optimizer)(?:_?(?P<after>[A-Z]|(?<=_)[a-z]))?$"
)


class NamedPlaces:
    """Takes a name for evidence, unless the script shows that something else has it.

    Args:
        tree: the script.
        bindings: its names.
        key: tells places apart.
        of_place: what is known of the object at a place.
        is_trainable: whether an expression gives a trainable module.
        values: the expressions that are assigned to a place, by its own.
        members: what is known of lists and dicts.
        module_classes: the classes of the script that are modules.
    """

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        key: Callable[[cst.CSTNode], Key | None],
        of_place: Callable[[Key], Evidence | None],
        is_trainable: Callable[[cst.CSTNode], bool],
        values: Mapping[Key, list[cst.BaseExpression]],
        members: Members,
        module_classes: Mapping[cst.CSTNode, Role],
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._key = key
        self._of_place = of_place
        self._is_trainable = is_trainable
        self._values = values
        self._members = members
        self._module_classes = module_classes
        self._returned = ReturnedValues(tree, key, of_place, is_trainable)
        self._asked_about: set[Key] = set()

    def evidence(self, key: Key) -> Evidence | None:
        """What the name of a place tells; None where it tells nothing."""
        if key in self._asked_about:
            # `a = b` and `b = a`: neither is made anywhere.
            return None
        self._asked_about.add(key)
        try:
            return self._by_name(key)
        finally:
            self._asked_about.remove(key)

    def _by_name(self, key: Key) -> Evidence | None:
        owner, name = key
        bound = self._bindings.scope(owner).names.get(name, []) if owner is not None else []
        if any(binding.kind in ("import", "function", "class") for binding in bound):
            return None
        if self._members.is_container(key):
            return None
        if is_criterion_name(name):
            value = is_beside_a_criterion(name) or key in self._used_otherwise
            if value and key not in self.run:
                return None
            return Evidence("criterion", "its name says so", 0)
        term = is_name_of_term(name)
        output = is_name_of_output(name) and key not in self.run
        named = (MODULE_NAME.search(name) and not term) or name in self._named_by_optimizers
        if named and not output and not self._is_built_otherwise(key):
            return Evidence("module", "its name says so", 0)
        return None

    def _is_built_otherwise(self, key: Key) -> bool:
        """A name that holds a tensor, or only values that no call made, needs better evidence.

        `self.encoder = None` only says that a subclass, or whoever makes the object, sets it.
        """
        if key in self._used_otherwise:
            return True
        values = [
            value
            for value in self._values.get(key, ())
            if not (isinstance(value, cst.Name) and value.value == "None")
        ]
        if self._returned.holds(key, values, is_run=key in self.run):
            return True
        if key not in self.run:
            # `x_bert = batch["x_bert"]` and `x_bert = x_bert.cuda()`: only the former made it.
            values = [value for value in values if self._moved(value) != key] or values
        modules = [value for value in values if not self._makes_plain_object(value)]
        if key in self.run and any(map(_is_part_of_that_name, modules)):
            return False
        return bool(values) and not any(map(self._may_make_module, modules))

    def _moved(self, value: cst.BaseExpression) -> Key | None:
        """The place of what `x.cuda()` or `x.to(device)` gives once more."""
        func = value.func if isinstance(value, cst.Call) else None
        moves = isinstance(func, cst.Attribute) and func.attr.value in _MOVES
        return self._key(cst.ensure_type(func, cst.Attribute).value) if moves else None

    def _makes_plain_object(self, value: cst.BaseExpression) -> bool:
        return plain_class_of(value, self._bindings, self._module_classes) is not None

    def _may_make_module(self, value: cst.BaseExpression) -> bool:
        """A call may, but for what makes tensors: `gen = G(z)` holds what `G` returned."""
        if isinstance(value, cst.Name):
            return self._is_trainable(value)
        if not isinstance(value, cst.Call):
            return False
        inner = value.func.value if isinstance(value.func, cst.Attribute) else None
        if isinstance(inner, cst.Call):
            # `torch.Generator().manual_seed(0)` is what its first call makes.
            return self._may_make_module(inner)
        plain = isinstance(value.func, cst.Name) and value.func.value in _MAKE_PLAIN_VALUES
        if plain and self._bindings.resolve(cst.ensure_type(value.func, cst.Name)) is None:
            return False
        qualified = self._bindings.qualified(value.func) or ""
        return not (_TENSOR_FUNCTION.match(qualified) or qualified.startswith(_OF_PYTHON))

    @cached_property
    def _named_by_optimizers(self) -> set[str]:
        """`G` where `optim_G.step()` is called."""
        names: set[str] = set()
        for call in self._tree.calls:
            func = call.func
            if isinstance(func, cst.Attribute) and func.attr.value == "step":
                stepped = self._tree.code(func.value).rpartition(".")[2]
                found = _OPTIMIZER_OF_A_LETTER.match(stepped)
                names |= {letter.upper() for letter in (found.groups("") if found else ())}
        return names - {""}

    @cached_property
    def run(self) -> set[Key | None]:
        """What is called for a value."""
        calls = (call for call in self._tree.calls if computes(call, self._tree))
        return {self._key(call.func) for call in calls}

    @cached_property
    def _used_otherwise(self) -> set[Key]:
        """Places that are computed with, compared with a text, or asked as no module is."""
        used = [self._asked_otherwise(call) for call in self._tree.calls]
        used += [call.args[0].value for call in self._tree.calls if self._computes_by_torch(call)]
        for node in self._tree.parents:
            if isinstance(node, cst.BinaryOperation):
                used += [node.left, node.right]
            elif isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
                used.append(node.expression)
            elif isinstance(node, cst.Subscript) and len(node.slice) > 1:
                # `x[:, 1:]` has axes.
                used.append(node.value)
            elif isinstance(node, cst.AugAssign):
                # `total += loss_gan`
                used += [node.target, node.value]
            elif isinstance(node, cst.Comparison):
                # `backbone == "resnet"`
                sides = [node.left, *(each.comparator for each in node.comparisons)]
                used += sides if any(isinstance(s, cst.SimpleString) for s in sides) else []
        keys = (self._key(node) for node in used if node is not None)
        return {key for key in keys if key is not None}

    def _computes_by_torch(self, call: cst.Call) -> bool:
        """`F.softmax(out_net, 1)`, `torch.mean(disc)`"""
        qualified = self._bindings.qualified(call.func) or ""
        return bool(call.args) and _OF_TENSORS.match(qualified) is not None

    def _asked_otherwise(self, call: cst.Call) -> cst.BaseExpression | None:
        func = call.func
        if isinstance(func, cst.Attribute):
            other = func.attr.value in _TENSOR_METHODS or func.attr.value == "__next__"
            return func.value if other else None
        if not isinstance(func, cst.Name) or func.value != "next" or not call.args:
            return None
        return call.args[0].value if self._bindings.resolve(func) is None else None


def _is_part_of_that_name(value: cst.BaseExpression) -> bool:
    """`runner.model`, `kwargs["model"]`: what an object or a dict holds under such a name."""
    name: str | int | None = None
    if isinstance(value, cst.Attribute):
        name = value.attr.value
    elif isinstance(value, cst.Subscript):
        name = constant_index(value)
    return isinstance(name, str) and bool(MODULE_NAME.search(name))
