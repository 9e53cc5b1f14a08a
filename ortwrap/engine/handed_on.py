"""Scripts that hand their loss to a function of another file: nothing in them says `backward`.

Read before LibCST is imported, so by the standard library's parser alone.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from ortwrap.engine.names.neighbours import ModuleName, Neighbours

# Packages hand on what their parts define: a chain longer than this is followed no further.
_LONGEST_CHAIN = 5


def hands_loss_on(tree: ast.AST, neighbours: Neighbours) -> bool:
    """Some statement calls an imported function that runs backward on one of its parameters."""
    imported = dict(_imported(tree))
    stars = [module for module, name in _from_imports(tree) if name.name == "*"]
    asked: set[tuple[ModuleName, str]] = set()
    for called in _called(tree):
        module, _, name = called.rpartition(".")
        if called in imported:
            asked.add(imported[called])
        elif module in imported:
            origin, own = imported[module]
            asked.add((ModuleName(origin.level, (*origin.parts, *own.split())), name))
        elif not module:
            asked.update((star, name) for star in stars)
    return any(_runs_backward(name, module, "", neighbours) for module, name in asked)


def _imported(tree: ast.AST) -> Iterator[tuple[str, tuple[ModuleName, str]]]:
    """What imports bind, with the module it comes from and its name there; none for a module."""
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import) else ():
            yield alias.asname or alias.name, (ModuleName(0, tuple(alias.name.split("."))), "")
    for module, alias in _from_imports(tree):
        yield alias.asname or alias.name, (module, alias.name)


def _from_imports(tree: ast.AST) -> Iterator[tuple[ModuleName, ast.alias]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else ()
            for alias in node.names:
                yield ModuleName(node.level, tuple(parts)), alias


def _called(tree: ast.AST) -> Iterator[str]:
    """The dotted names of what statements call with something, for its result or not."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Expr, ast.Assign)) and isinstance(node.value, ast.Call):
            call = node.value
            if call.args or call.keywords:
                yield ast.unparse(call.func)


def _runs_backward(
    name: str, module: ModuleName, path: str, neighbours: Neighbours, longest: int = _LONGEST_CHAIN
) -> bool:
    """A module defines such a function of a name, or is a package that hands one on."""
    found = neighbours.find(module, path, ())
    package = found is not None and found.path.endswith("__init__.py")
    if found is None or not (package or "backward" in found.text):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(found.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if any(
        isinstance(node, ast.FunctionDef) and node.name == name and _takes_loss(node)
        for node in tree.body
    ):
        return True
    handed_on = [
        (name if alias.name == "*" else alias.name, origin)
        for origin, alias in (_from_imports(tree) if package and longest else ())
        if (alias.asname or alias.name) in (name, "*")
    ]
    return any(
        _runs_backward(own, origin, found.path, neighbours, longest - 1)
        for own, origin in handed_on
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
