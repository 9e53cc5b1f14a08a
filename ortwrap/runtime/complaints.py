"""Checks in forward that look at their arguments only to raise.

    def checked_loss(logits, labels, classes):
        if labels.min() < 0 or labels.max() >= classes:
            raise ValueError("labels out of range")
        return F.cross_entropy(logits, labels)

A trace would hold what the labels of one batch were. But such a check decides nothing else, and if
it needs only what the step is given, it can be asked before the graph runs: where it would raise,
eager raises. Its names stand for arguments of the step, or for values that the guards watch.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import linecache
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, NoReturn, Union

import torch
from torch import Tensor

_Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
_PLAIN = (int, float, complex, bool, str, bytes, type(None), torch.dtype, torch.device)
_METHODS = frozenset(
    "all allclose amax amin abs any bool count_nonzero cpu detach dim double element_size eq equal "
    "flatten float ge gt int is_complex is_floating_point isfinite isinf isnan item le long lt max "
    "mean min ndimension ne nelement numel prod reshape size square sum tolist unique".split()
)
_BUILTINS = frozenset("abs all any bool float int isinstance len max min str sum type".split())
_EXPRESSIONS = (
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Constant, ast.Name),
    *(ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.Tuple, ast.List, ast.Set),
)


@dataclass(frozen=True)
class Complaint:
    """A check that a trace has passed.

    Attributes:
        check: raises, or returns.
        values: what it is given besides tensors, by name.
        tensors: which tensors of a call it is given, by name.
    """

    check: types.FunctionType
    values: dict[str, Any]
    tensors: dict[str, int]

    def asks_the_same(self, other: Complaint) -> bool:
        """Whether both are one check of the same arguments."""
        mine, theirs = ((one.check.__code__, one.values, one.tensors) for one in (self, other))
        return mine == theirs

    def is_silent(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the tensors of a call pass."""
        given = {name: tensors[index] for name, index in self.tensors.items()}
        try:
            with torch.no_grad():
                self.check(**self.values, **given)
        except Exception:
            return False
        return True


def complaint_at(
    frame: types.FrameType, index_of: Callable[[Tensor], int | None]
) -> Complaint | None:
    """The check that runs in a frame; None where it is more than that, or needs more.

    Args:
        frame: of the user's code.
        index_of: which of the tensors of the call it is, as it was given.
    """
    function = _function_of(frame.f_code, "".join(linecache.getlines(frame.f_code.co_filename)))
    if function is None:
        return None
    try:
        statements, owned = _check_in(function, frame.f_lineno)
        naming = _Naming(frame, owned, index_of)
        body = [naming.visit(copy.deepcopy(statement)) for statement in statements]
    except _NoCheck:
        return None
    check = _compiled(body, [*naming.values, *naming.tensors])
    return Complaint(check, naming.values, naming.tensors)


class _NoCheck(Exception):
    """The code does more than to check what it is given."""


def _refuse() -> NoReturn:
    raise _NoCheck


def _check_in(function: _Function, line: int) -> tuple[list[ast.stmt], frozenset[str]]:
    """Statements that only check, and the names that they bind for themselves."""
    bound = frozenset(node.id for node in _names(function) if isinstance(node.ctx, ast.Store))
    given = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    if all(map(_only_checks, function.body)) and not given & bound:
        return [_bare(statement) for statement in function.body], bound
    every = (node for node in ast.walk(function) if isinstance(node, ast.stmt))
    at_line = [one for one in every if _has_in_its_head(one, line)]
    of_others = {id(inner) for one in at_line for inner in ast.walk(one) if inner is not one}
    outer = [one for one in at_line if id(one) not in of_others]
    if len(outer) != 1 or not isinstance(outer[0], (ast.If, ast.Assert)):
        _refuse()
    (found,) = outer
    if isinstance(found, ast.If):
        if not isinstance(found.body[-1], ast.Raise):
            _refuse()
        found = ast.If(found.test, found.body[-1:], [])
    return [_bare(found)], frozenset()


def _names(tree: ast.AST) -> Iterator[ast.Name]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name))


def _only_checks(statement: ast.stmt) -> bool:
    """It binds names of its function, raises, or returns nothing."""
    if isinstance(statement, ast.If):
        branches = [*([] if _raises(statement.body) else statement.body), *statement.orelse]
        return all(map(_only_checks, branches))
    if isinstance(statement, ast.Return):
        value = statement.value
        return value is None or (isinstance(value, ast.Constant) and value.value is None)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name) for target in statement.targets)
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name)
    return isinstance(statement, (ast.Assert, ast.Raise, ast.Pass))


def _raises(suite: list[ast.stmt]) -> bool:
    simple = not any(hasattr(statement, "body") for statement in suite)
    return simple and isinstance(suite[-1], ast.Raise)


def _bare(statement: ast.stmt) -> ast.stmt:
    """The same check, which says nothing when it raises."""
    if isinstance(statement, ast.If):
        body = list(map(_bare, statement.body[-1:] if _raises(statement.body) else statement.body))
        return ast.If(statement.test, body, [_bare(each) for each in statement.orelse])
    if isinstance(statement, ast.Assert):
        return ast.Assert(statement.test, None)
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.Assign([statement.target], statement.value)
    if isinstance(statement, (ast.AnnAssign, ast.Expr)):
        return ast.Pass()
    return _SILENTLY if isinstance(statement, ast.Raise) else statement


_SILENTLY = ast.Raise(ast.Name("AssertionError", ast.Load()), None)


def _has_in_its_head(node: ast.stmt, line: int) -> bool:
    """The statement has the line in what it evaluates itself."""
    inner = (each for each in ast.iter_child_nodes(node) if not isinstance(each, _SUITES))
    ends = (getattr(each, "end_lineno", 0) for part in inner for each in ast.walk(part))
    return node.lineno <= line <= max([node.lineno, *ends])


_SUITES = (ast.stmt, ast.excepthandler, *filter(None, [getattr(ast, "match_case", None)]))


@dataclass
class _Naming(ast.NodeTransformer):
    """Gives each thing that a check reads a name of its own.

    Attributes:
        frame: where it runs.
        owned: names that it binds itself.
        index_of: see `complaint_at`.
        values: what the names stand for.
        tensors: which tensors of a call they stand for.
    """

    frame: types.FrameType
    owned: frozenset[str]
    index_of: Callable[[Tensor], int | None]
    values: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, int] = field(default_factory=dict)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and not isinstance(node, _EXPRESSIONS):
            _refuse()
        return super().generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in _METHODS | {"is_tensor"}:
            func = ast.Attribute(self.visit(func.value), func.attr, ast.Load())
        elif not (isinstance(func, ast.Name) and self._is_builtin(func.id)):
            _refuse()
        keywords = [ast.keyword(each.arg, self.visit(each.value)) for each in node.keywords]
        return ast.Call(func, [self.visit(each) for each in node.args], keywords)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._named(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._named(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._named(node)

    def _is_builtin(self, name: str) -> bool:
        known = name in self.frame.f_locals or name in self.frame.f_globals
        return name in _BUILTINS and name not in self.owned and not known

    def _named(self, node: ast.expr) -> ast.AST:
        """A name for the value of `a`, `a.b` or `a["b"]`, or for the part that has one."""
        if isinstance(node, ast.Name) and node.id in self.owned:
            return node
        if isinstance(node, ast.Name) and self._is_builtin(node.id):
            return node
        try:
            value = self._value(node)
        except Exception:  # Whatever a property of the user's may raise.
            return super().generic_visit(node)
        if isinstance(value, Tensor):
            index = self.index_of(value)
            if index is not None:
                return self._take(self.tensors, index)
        elif _is_plain(value):
            return self._take(self.values, value)
        if isinstance(node, ast.Name):
            _refuse()
        return super().generic_visit(node)

    def _take(self, known: dict[str, Any], value: Any) -> ast.Name:
        name = f"given_{len(self.values) + len(self.tensors)}"
        known[name] = value
        return ast.Name(name, ast.Load())

    def _value(self, node: ast.expr) -> Any:
        """What a path of names and keys leads to."""
        if isinstance(node, ast.Name) and node.id not in self.owned:
            for space in (self.frame.f_locals, self.frame.f_globals):
                if node.id in space:
                    return space[node.id]
        elif isinstance(node, ast.Attribute):
            owner = self._value(node.value)
            if not isinstance(owner, Tensor):
                return getattr(owner, node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            owner = self._value(node.value)
            if isinstance(owner, (dict, list, tuple)):
                key: Any = node.slice.value
                return owner[key]
        raise _NotAPath


class _NotAPath(Exception):
    """A value has no place of its own."""


def _is_plain(value: Any) -> bool:
    """A value that is the same in every call for which the guards are."""
    if isinstance(value, (tuple, frozenset)):
        return all(map(_is_plain, value))
    if isinstance(value, type):
        return value.__module__.partition(".")[0] in ("builtins", "torch")
    return type(value) in _PLAIN or value is torch


def _compiled(body: list[Any], names: list[str]) -> types.FunctionType:
    """A function of these names."""
    tree = ast.parse("def check(): pass")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef), "it was just written"
    function.args.kwonlyargs = [ast.arg(name, None) for name in names]
    function.args.kw_defaults = [None] * len(names)
    function.body = body
    space: dict[str, Any] = {"__builtins__": builtins}
    exec(compile(ast.fix_missing_locations(tree), "<complaint>", "exec"), space)
    check: types.FunctionType = space["check"]
    return check


@functools.lru_cache(maxsize=256)
def _function_of(code: types.CodeType, text: str) -> _Function | None:
    """The source of a function, if this is what it was compiled from."""
    tree, codes = _parsed(text)
    if code not in codes:
        return None
    found = [node for node in ast.walk(tree) if _is_source_of(node, code)]
    return found[0] if len(found) == 1 else None  # type: ignore[return-value]


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> tuple[ast.Module, frozenset[types.CodeType]]:
    """A file, and what its functions are compiled to."""
    try:
        tree = ast.parse(text)
        compiled = compile(text, "<file>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return ast.Module([], []), frozenset()
    return tree, frozenset(_codes(compiled))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _is_source_of(node: ast.AST, code: types.CodeType) -> bool:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return node.name == code.co_name and first == code.co_firstlineno
