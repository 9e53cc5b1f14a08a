"""Criteria in the form that ORTModule's label sparsity looks for.

ORTModule 1.19.2 drops ignored labels only for `nn.CrossEntropyLoss` submodules that are called with
positional arguments (`onnxruntime.training.ortmodule._runtime_inspector`). `ortwrap.runtime` finds
them in any form; a standalone script, and whoever takes the class elsewhere, needs this one. And
`nn.MSELoss()(out, y)`, a criterion made for one call, is a submodule to whoever writes the class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.own_criteria import is_written_out
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.tree import SourceTree
from ortwrap.engine.text.words import as_variable

_CROSS_ENTROPY = "torch.nn.functional.cross_entropy"
_CONSTRUCTOR_OPTIONS = frozenset("ignore_index reduction label_smoothing".split())
_ARGUMENTS = ("input", "target")
# The script has labels that a criterion leaves out.
_IGNORES = re.compile(r"\bignore_index\b|(?<!\w)-100\b")
_OF_TORCH = re.compile(r"^torch\.nn\.(?:modules\.loss\.)?(\w+Loss)$")


@dataclass(frozen=True)
class CriterionCall:
    """How a call of a criterion is written in forward.

    Attributes:
        attribute: the submodule that is called instead, where the class makes one.
        constructor: what follows `nn.` where it is made.
        positional: the arguments are passed by position.
    """

    attribute: str | None
    constructor: str | None
    positional: bool = True

    def rewrite(self, call: cst.Call) -> cst.Call:
        """The call in its new form; its inner expressions are those of forward already."""
        arguments = list(call.args)
        if self.constructor is not None:
            arguments = [arg for arg in arguments if _keyword(arg) not in _CONSTRUCTOR_OPTIONS]
        arguments.sort(key=_position)
        plain = [_by_position(argument) for argument in arguments]
        plain[-1] = plain[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=_before_bracket(call)
        )
        func = call.func
        if self.attribute is not None:
            func = cst.Attribute(cst.Name("self"), cst.Name(self.attribute))
        return call.with_changes(func=func, args=plain)


def criterion_calls(
    found: LossSlice, tree: SourceTree, bindings: Bindings, modules: ModuleTable, taken: set[str]
) -> dict[cst.Call, CriterionCall]:
    """The calls of a slice that forward writes in another form."""
    ignores = _IGNORES.search(tree.text) is not None
    constructors: dict[str, str] = {}
    calls: dict[cst.Call, CriterionCall] = {}
    for call in _calls(found):
        names = {_keyword(argument) for argument in call.args}
        if any(argument.star for argument in call.args):
            continue
        made = _made_for_it(call, tree, bindings)
        if made is None and ignores:
            made = _of_function(call, tree, bindings)
        if made is not None:
            name, constructor = made
            if constructor not in constructors:
                constructors[constructor] = _free(name, taken | set(constructors.values()))
            calls[call] = CriterionCall(constructors[constructor], constructor)
            continue
        by_keyword = any(names) and names <= {"", *_ARGUMENTS}
        if by_keyword and _is_torch_criterion(call.func, modules):
            calls[call] = CriterionCall(None, None)
    return calls


def _made_for_it(call: cst.Call, tree: SourceTree, bindings: Bindings) -> tuple[str, str] | None:
    """The name and constructor of the criterion in `nn.MSELoss()(out, y)`."""
    made = call.func
    kind = (
        _OF_TORCH.match(bindings.qualified(made.func) or "") if isinstance(made, cst.Call) else None
    )
    if kind is None or not isinstance(made, cst.Call):
        return None
    written = all(is_written_out(option.value) and not option.star for option in made.args)
    if not written or not call.args or {_keyword(each) for each in call.args} - {"", *_ARGUMENTS}:
        return None
    # The functions of torch are called `mse_loss` and `cross_entropy`.
    return as_variable(kind[1]).replace(
        "entropy_loss", "entropy"
    ), f"{kind[1]}({_options(made.args, tree)})"


def _of_function(call: cst.Call, tree: SourceTree, bindings: Bindings) -> tuple[str, str] | None:
    """The same for `F.cross_entropy(out, y, ignore_index=0)`."""
    if bindings.qualified(call.func) != _CROSS_ENTROPY:
        return None
    names = [_keyword(argument) for argument in call.args]
    options = [arg for arg in call.args if _keyword(arg) in _CONSTRUCTOR_OPTIONS]
    constant = all(_is_constant(option.value, bindings) for option in options)
    if not constant or set(names) - {"", *_ARGUMENTS, *_CONSTRUCTOR_OPTIONS}:
        return None
    if names.count("") > len(_ARGUMENTS):
        return None
    return "cross_entropy", f"CrossEntropyLoss({_options(options, tree)})"


def _options(given: Sequence[cst.Arg], tree: SourceTree) -> str:
    return ", ".join(tree.code(option).rstrip(", ") for option in given)


def _is_torch_criterion(func: cst.BaseExpression, modules: ModuleTable) -> bool:
    evidence = modules.evidence(func)
    known = evidence is not None and evidence.role == "criterion"
    return known and evidence is not None and "`torch.nn." in evidence.reason


def _calls(found: LossSlice) -> list[cst.Call]:
    calls: list[cst.Call] = []
    stack: list[cst.CSTNode] = [piece.node for piece in reversed(found.pieces)]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Call):
            calls.append(node)
        stack.extend(reversed(children(node)))
    return calls


def _is_constant(value: cst.BaseExpression, bindings: Bindings) -> bool:
    """It means the same where the class makes its criterion."""
    if isinstance(value, cst.Name):
        return bindings.literal(value) is not None
    if isinstance(value, cst.UnaryOperation):
        value = value.expression
    return isinstance(value, (cst.Integer, cst.Float, cst.SimpleString))


def _keyword(argument: cst.Arg) -> str:
    return argument.keyword.value if argument.keyword is not None else ""


def _position(argument: cst.Arg) -> int:
    keyword = _keyword(argument)
    return _ARGUMENTS.index(keyword) if keyword in _ARGUMENTS else 0


def _by_position(argument: cst.Arg) -> cst.Arg:
    return argument.with_changes(
        keyword=None,
        equal=cst.MaybeSentinel.DEFAULT,
        comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")),
        whitespace_after_arg=cst.SimpleWhitespace(""),
    )


def _before_bracket(call: cst.Call) -> cst.BaseParenthesizableWhitespace:
    """What stands between the last argument and the bracket that closes the call."""
    last = call.args[-1]
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    return last.whitespace_after_arg if comma is None else comma.whitespace_after


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
