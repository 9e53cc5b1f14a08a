"""Criteria in the form that ORTModule's label sparsity looks for.

ORTModule 1.19.2 drops ignored labels only for `nn.CrossEntropyLoss` submodules that are called with
positional arguments (`onnxruntime.training.ortmodule._runtime_inspector`). `ortwrap.runtime` finds
them in any form; a standalone script, and whoever takes the class elsewhere, needs this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.tree import SourceTree

_CROSS_ENTROPY = "torch.nn.functional.cross_entropy"
_CONSTRUCTOR_OPTIONS = frozenset("ignore_index reduction label_smoothing".split())
_ARGUMENTS = ("input", "target")


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
    ignores = "ignore_index" in tree.text or "-100" in tree.text
    constructors: dict[str, str] = {}
    calls: dict[cst.Call, CriterionCall] = {}
    for call in _calls(found):
        names = [_keyword(argument) for argument in call.args]
        if any(argument.star for argument in call.args):
            continue
        if bindings.qualified(call.func) == _CROSS_ENTROPY and ignores:
            options = [arg for arg in call.args if _keyword(arg) in _CONSTRUCTOR_OPTIONS]
            constant = all(_is_constant(option.value, bindings) for option in options)
            if not constant or set(names) - {"", *_ARGUMENTS, *_CONSTRUCTOR_OPTIONS}:
                continue
            if names.count("") > len(_ARGUMENTS):
                continue
            text = ", ".join(tree.code(option).rstrip(", ") for option in options)
            constructor = f"CrossEntropyLoss({text})"
            attribute = constructors.get(constructor)
            if attribute is None:
                attribute = _free("cross_entropy", taken | set(constructors.values()))
                constructors[constructor] = attribute
            calls[call] = CriterionCall(attribute, constructor)
            continue
        by_keyword = any(names) and set(names) <= {"", *_ARGUMENTS}
        if by_keyword and _is_torch_criterion(call.func, modules):
            calls[call] = CriterionCall(None, None)
    return calls


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
