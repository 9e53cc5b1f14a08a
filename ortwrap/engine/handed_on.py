"""Scripts that hand their loss to a function of another file: nothing in them says `backward`.

Read before LibCST is imported, so by the standard library's parser alone.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from ortwrap.engine.names.neighbours import ModuleName, Neighbours


def hands_loss_on(tree: ast.AST, neighbours: Neighbours) -> bool:
    """Some statement calls an imported function that runs backward on one of its parameters."""
    imported = dict(_imported(tree))
    asked: set[tuple[ModuleName, str]] = set()
    for called in _called(tree):
        module, _, name = called.rpartition(".")
        if called in imported:
            asked.add(imported[called])
        elif module in imported:
            origin, own = imported[module]
            asked.add((ModuleName(origin.level, (*origin.parts, *own.split())), name))
    return any(_runs_backward(name, module, neighbours) for module, name in asked)


def _imported(tree: ast.AST) -> Iterator[tuple[str, tuple[ModuleName, str]]]:
    """What imports bind, with the module it comes from and its name there; none for a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, (ModuleName(0, tuple(alias.name.split("."))), "")
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else ()
            module = ModuleName(node.level, tuple(parts))
            for alias in node.names:
                yield alias.asname or alias.name, (module, alias.name)


def _called(tree: ast.AST) -> Iterator[str]:
    """The dotted names of what statements call with something, for its result or not."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Expr, ast.Assign)) and isinstance(node.value, ast.Call):
            call = node.value
            if call.args or call.keywords:
                yield ast.unparse(call.func)


def _runs_backward(name: str, module: ModuleName, neighbours: Neighbours) -> bool:
    found = neighbours.find(module, "", ())
    if found is None or "backward" not in found.text:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(found.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        isinstance(node, ast.FunctionDef) and node.name == name and _takes_loss(node)
        for node in tree.body
    )


def _takes_loss(function: ast.FunctionDef) -> bool:
    """`def update(loss, optimizer)` with `loss.backward()` or `scaler.scale(loss).backward()`."""
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    parameters = {argument.arg for argument in every}
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "backward"
        and any(
            isinstance(inner, ast.Name) and inner.id in parameters for inner in ast.walk(node.func)
        )
        for node in ast.walk(function)
    )
