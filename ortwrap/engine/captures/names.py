"""Names in the generated class: of forward's parameters and of what the wrapper holds."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.asked import asked_about
from ortwrap.engine.captures.converters import data_of
from ortwrap.engine.captures.scopes import is_defined_once_for_all
from ortwrap.engine.effects.statement import instance_name
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.settings import is_setting
from ortwrap.engine.steps.local_names import local_name
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in, descendants

# What the methods of the wrapper call by these names.
RESERVED = frozenset(["self", "super"])
_DEVICE_AND_SHAPE = frozenset("shape device dtype data ndim".split())
_SAYS_NOTHING = frozenset("model net network module".split())
_MEASURES = {"size": "_size", "numel": "_numel", "dim": "_dim"}
_CONVERSIONS = frozenset("cpu cuda long int float double half bool".split())
_CONVERTED = {"detach": "detached", "item": "value", "tolist": "list"}
_RANDOM_NUMBER = re.compile(r"^(?:numpy\.)?random\.")
_VERB = re.compile(r"^(?:to|get|make|build|create|compute|calculate|generate|prepare)_(?=[a-z])")
_TAKEN_BY_MODULE = frozenset(
    "forward compute_loss training train eval modules parameters buffers children apply to "
    "type float half double cuda cpu register_buffer state_dict zero_grad add_module".split()
)

_LITERALS = (cst.Integer, cst.Float)
_LONG_NAME = 40
_OPERATORS = {
    cst.GreaterThan: "gt",
    cst.GreaterThanEqual: "ge",
    cst.LessThan: "lt",
    cst.LessThanEqual: "le",
    cst.Equal: "eq",
    cst.NotEqual: "ne",
}


class ParameterNames:
    """Which names forward's parameters can have, so that none hides what the slice reads."""

    def __init__(self, analyses: Analyses, found: LossSlice) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._effects = [analyses.reader.of(piece.node) for piece in found.pieces]
        self._mentioned = {
            name.split(".")[-1]
            for effects in self._effects
            for name in (*effects.reads, *effects.writes)
        }
        self._locals = _locals_for_attributes(found, analyses)
        self._reserved = {
            *RESERVED,
            *self._locals.values(),
            *self._read_at_module_level(),
            *_bound_inside(found, self._bindings),
        }

    def of_local(self, node: cst.BaseExpression) -> str | None:
        """The name of an attribute that forward binds anew, so that it may keep this value."""
        return self._locals.get(self._tree.source(node))

    def unique(self, name: str, owner: str | None, used: set[str], suffix: str = "") -> str:
        """A free parameter name; `loss` of `args` becomes `args_loss` where `loss` is taken.

        Args:
            name: the name wanted.
            owner: the place that the value is taken from.
            used: names that other parameters, the parts and the statements so far have.
            suffix: what tells the value from others that would have the same name.
        """
        candidate, count = name, 2
        prefix = "" if owner is None else owner.split(".")[-1]
        if self._is_taken(name, used) and prefix not in ("", name):
            candidate = name = f"{prefix}_{name}"
        if self._is_taken(name, used) and suffix:
            candidate = name = f"{name}_{suffix}"
        while self._is_taken(candidate, used):
            candidate = f"{name}_{count}"
            count += 1
        return candidate

    def _is_taken(self, name: str, used: set[str]) -> bool:
        if name in self._reserved or name in used:
            return True
        return name in self._mentioned and self._reads_plainly(name)

    def _reads_plainly(self, name: str) -> bool:
        """The slice also reads `name` by itself, or binds it."""
        for effects in self._effects:
            if name in effects.writes:
                return True
            for reader in effects.reads.get(name, []):
                if not self._is_taken_from(reader):
                    return True
        return False

    def _means_a_global(self, reader: cst.CSTNode) -> bool:
        return isinstance(reader, cst.Name) and (
            is_defined_once_for_all(reader, self._bindings) or is_setting(reader, self._bindings)
        )

    def _is_taken_from(self, reader: cst.CSTNode) -> bool:
        """A part of it is read, or a tensor made of it."""
        parent = self._tree.parents.get(reader)
        if isinstance(parent, cst.Arg):
            call = self._tree.parents[parent]
            return isinstance(call, cst.Call) and data_of(call, self._bindings) is reader
        return isinstance(parent, (cst.Attribute, cst.Subscript))

    def _read_at_module_level(self) -> set[str]:
        """Names that forward needs with the meaning that they have at module level."""
        return {
            place
            for effects in self._effects
            for place, readers in effects.reads.items()
            if any(self._means_a_global(reader) for reader in readers)
        }


def _locals_for_attributes(found: LossSlice, analyses: Analyses) -> dict[str, str]:
    """What forward calls each attribute of the instance that the slice binds."""
    changes = (analyses.reader.of(piece.node).changes for piece in found.pieces)
    attributes = {place for places in changes for place in places if "." in place}
    return {place: local_name(place, found) for place in attributes}


def _bound_inside(found: LossSlice, bindings: Bindings) -> set[str]:
    """Names of comprehensions and the like: `args.w` is no `w` in `[w * args.w for w in ws]`."""
    scopes = (
        bindings.scope(node)
        for piece in found.pieces
        for node in descendants(piece.node)
        if isinstance(node, (cst.BaseComp, cst.Lambda, cst.FunctionDef))
    )
    return set[str]().union(*(scope.names for scope in scopes))


def part_name(place: str, taken: Iterable[str]) -> str:
    """The attribute of the wrapper that holds what the script calls `place`."""
    name = place.split(".")[-1].lstrip("_") or "module"
    if name in RESERVED:
        name = "model"
    used = {*taken, *_TAKEN_BY_MODULE}
    while name in used:
        name += "_"
    return name


def name_for_item_of(node: cst.Subscript, bindings: Bindings) -> str:
    """A name for a module of a list or dict: `nets["g"]` -> g, `models[0]` -> model_0."""
    name = name_for(node, bindings)
    index = node.slice[0].slice
    owner = name_for(node.value, bindings)
    if isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
        return owner if name in _SAYS_NOTHING else name
    single = owner[:-1] if owner.endswith("s") and len(owner) > 2 else owner
    return single + name[len(owner) :]


def name_for(node: cst.BaseExpression, bindings: Bindings) -> str:
    """A parameter name for an expression: `batch["labels"]` -> labels, `x.to(d)` -> x."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return _name_for_attribute(node, bindings)
    if isinstance(node, cst.Subscript):
        return _name_for_item(node, bindings)
    called = _name_for_call(node, bindings) if isinstance(node, cst.Call) else None
    if called is not None:
        return called
    if isinstance(node, cst.IfExp):
        return name_for(node.body, bindings)
    if isinstance(node, cst.Comparison):
        return name_for_comparison(node, bindings)
    if isinstance(node, cst.BooleanOperation):
        return _name_for_condition(node, bindings)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return f"not_{name_for(node.expression, bindings)}"
    return _parameter_that_gets(node, bindings) or _name_for_number(node)


def _name_for_call(node: cst.Call, bindings: Bindings) -> str | None:
    """`F.one_hot(y)` -> one_hot, `to_categorical(y)` -> categorical; None for other callables."""
    data = data_of(node, bindings)
    if data is not None:
        return name_for(data, bindings)
    if isinstance(node.func, cst.Attribute):
        return _name_for_method(node, node.func, bindings)
    if not isinstance(node.func, cst.Name) or not node.args:
        return None
    if asked_about(node) is not None:
        return _name_for_kind(node, bindings)
    if not hasattr(builtins, node.func.value):
        return _name_for_made(node.func.value)
    telling = (item.value for item in node.args if not isinstance(item.value, _LITERALS))
    return f"{name_for(next(telling, node.args[0].value), bindings)}_{node.func.value}"


def _name_for_method(node: cst.Call, func: cst.Attribute, bindings: Bindings) -> str:
    """`torch.ones_like(x)` -> ones, `batch.get("mask")` -> mask, `x.size(0)` -> x_size."""
    method = func.attr.value
    if method.startswith("rand"):
        return "noise"
    imported = bindings.qualified(func)
    if imported is not None:
        return _name_for_result(imported)
    first = node.args[0].value if node.args else None
    if method == "get" and isinstance(first, cst.SimpleString):
        return _identifier(first.evaluated_value)
    return name_for(func.value, bindings) + _MEASURES.get(method, "")


def _name_for_attribute(node: cst.Attribute, bindings: Bindings) -> str:
    """`args.weight` -> weight, `x.shape` -> x_shape, `x.data` -> x, `self.device` -> device."""
    name = node.attr.value
    if name in _DEVICE_AND_SHAPE and _is_instance(node.value, bindings):
        return name
    if name in _DEVICE_AND_SHAPE or hasattr(builtins, name):
        return name_for(node.value, bindings) + ("" if name == "data" else f"_{name}")
    return _identifier(name)


def _name_for_number(node: cst.BaseExpression) -> str:
    scales = isinstance(node, cst.BinaryOperation) and isinstance(
        node.operator, (cst.Multiply, cst.Divide)
    )
    return "weight" if scales else "value"


def _is_instance(node: cst.BaseExpression, bindings: Bindings) -> bool:
    function = bindings.tree.enclosing(node)
    return isinstance(node, cst.Name) and node.value == instance_name(function, bindings)


def _parameter_that_gets(node: cst.BaseExpression, bindings: Bindings) -> str | None:
    """`interleave(x, 2 * mu + 1)` -> size, if that is what the function calls it."""
    argument = bindings.tree.parents.get(node)
    if not isinstance(argument, cst.Arg):
        return None
    if argument.keyword is not None:
        return argument.keyword.value
    call = cst.ensure_type(bindings.tree.parents[argument], cst.Call)
    function = bindings.definition(call.func)
    pairs = pair_arguments(function, call) if isinstance(function, cst.FunctionDef) else ()
    return next((name for name, value in pairs if value is node), None)


def name_for_comparison(node: cst.Comparison, bindings: Bindings, left: str = "") -> str:
    """`epoch >= 3` -> epoch_ge_3, `random.random() < ratio` -> by_chance.

    Args:
        node: the comparison.
        bindings: the names of its file.
        left: what to call the left side; found out if empty.
    """
    called = (bindings.qualified(call.func) or "" for call in calls_in(node))
    if any(map(_RANDOM_NUMBER.match, called)):
        return "by_chance"
    first = node.comparisons[0]
    operator = _OPERATORS.get(type(first.operator))
    right = first.comparator
    if asked_about(node) is not None:
        subject = name_for(node.left, bindings)
        return f"has_{subject}" if isinstance(first.operator, cst.IsNot) else f"{subject}_is_none"
    compared = right.value if isinstance(right, _LITERALS) else name_for(right, bindings)
    left = left or _name_for_remainder(node.left, bindings) or name_for(node.left, bindings)
    if (
        operator is None
        or len(node.comparisons) > 1
        or not (compared.isidentifier() or compared.isdigit())
    ):
        return "condition"
    return f"{left}_{operator}_{compared}"


def _name_for_remainder(node: cst.BaseExpression, bindings: Bindings) -> str | None:
    """`step % 4` -> step_mod_4."""
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.Modulo):
        return None
    divisor = node.right
    by = divisor.value if isinstance(divisor, cst.Integer) else name_for(divisor, bindings)
    return f"{name_for(node.left, bindings)}_mod_{by}"


def _name_for_condition(node: cst.BooleanOperation, bindings: Bindings) -> str:
    """`use_term and epoch >= 3` -> use_term_and_epoch_ge_3."""
    word = "and" if isinstance(node.operator, cst.And) else "or"
    name = f"{name_for(node.left, bindings)}_{word}_{name_for(node.right, bindings)}"
    return name if len(name) <= _LONG_NAME and "condition" not in name else "condition"


def _name_for_kind(node: cst.Call, bindings: Bindings) -> str:
    """`isinstance(policy, (A2C, PPO))` -> policy_is_a2c_or_ppo."""
    asked = node.args[1].value
    kinds = [item.value for item in asked.elements] if isinstance(asked, cst.Tuple) else [asked]
    names = [name_for(kind, bindings).lower() for kind in kinds]
    return f"{name_for(node.args[0].value, bindings)}_is_{'_or_'.join(names)}"


def converted_by(node: cst.BaseExpression) -> str:
    """`cpu` of `lengths.cpu()`, which goes into forward beside `lengths`."""
    func = node.func if isinstance(node, cst.Call) else None
    method = func.attr.value if isinstance(func, cst.Attribute) else ""
    return _CONVERTED.get(method, method if method in _CONVERSIONS else "")


def name_for_result_of(node: cst.BaseExpression) -> str:
    """`meter.weight(y)` -> weight_value."""
    while isinstance(node, (cst.Call, cst.Subscript)):
        node = node.func if isinstance(node, cst.Call) else node.value
    return f"{node.attr.value}_value" if isinstance(node, cst.Attribute) else "value"


def _name_for_result(function: str) -> str:
    """`torch.ones_like` -> ones, `targets.get_mask` -> mask."""
    package, name = function.rsplit(".", 1)
    if package != "torch":
        return _name_for_made(name)
    return name[: -len("_like")] if name.endswith("_like") else name


def _name_for_made(name: str) -> str:
    """`to_categorical` -> categorical, `smooth` -> smooth_value."""
    made = _VERB.sub("", name)
    return _identifier(made if made != name else f"{name}_value")


def _name_for_item(node: cst.Subscript, bindings: Bindings) -> str:
    index = node.slice[0].slice
    if isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
        return _identifier(index.value.evaluated_value)
    if isinstance(index, cst.Index) and isinstance(index.value, cst.Integer):
        return _identifier(f"{name_for(node.value, bindings)}_{index.value.value}")
    return _identifier(name_for(node.value, bindings))


def _identifier(value: object) -> str:
    name = re.sub(r"\W+", "_", str(value)).strip("_")
    if not name or name[0].isdigit():
        name = f"input_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) else name
