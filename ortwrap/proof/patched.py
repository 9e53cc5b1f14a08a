"""The text to run on the patched side, and the names of the wrapper classes in it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from ortwrap import source
from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource

_WRAPPING_CALLS = frozenset({"ort_module", "ORTModule"})


class CannotVerify(Exception):
    """Nothing can be compared; the message says why and what to do."""


@dataclass(frozen=True)
class Patched:
    """The patched script.

    Attributes:
        source: its bytes.
        classes: the names of its generated wrapper classes.
        untouched: why training steps were left as they are, one clause each.
    """

    source: bytes
    classes: tuple[str, ...]
    untouched: tuple[str, ...] = ()


def patched_script(script: Path, given: Path | None, options: Options) -> Patched:
    """Read the patched script that is `given`, or rewrite `script`.

    Raises:
        CannotVerify: a file cannot be read or parsed, or nothing was rewritten.
    """
    try:
        original = source.decode(source.read_bytes(str(script)), str(script))
        if given is not None:
            data = source.read_bytes(str(given))
            text = source.decode(data, str(given)).text
            return Patched(data, wrapper_classes(text, str(given)))
        result = rewrite_source(original.text, options)
        data = original.encode(result.text)
    except source.SourceError as error:
        raise CannotVerify(str(error)) from error
    except InvalidSource as error:
        place = f"{script}:{error.line}:{error.column}"
        raise CannotVerify(f"{place}: {error.message}") from error
    untouched = tuple(
        f"line {step.line}: {step.code}: {step.message}" if step.code
        else f"line {step.line}: {step.message}"
        for step in result.steps
        if step.status != "rewritten"
    )  # fmt: skip
    if result.status != "rewritten":
        raise CannotVerify(_nothing_rewritten(script, untouched))
    return Patched(data, wrapper_classes(result.text, str(script)), untouched)


def _nothing_rewritten(script: Path, untouched: tuple[str, ...]) -> str:
    if not untouched:
        return f"{script}: there is no training step to rewrite, so nothing to verify"
    listed = "".join(f"\n  {each}" for each in untouched)
    return f"{script}: no training step was rewritten, so there is nothing to verify{listed}"


def wrapper_classes(text: str, path: str) -> tuple[str, ...]:
    """Names of the classes that a patched script hands to `ort_module` or `ORTModule`.

    Raises:
        CannotVerify: the text is not Python.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise CannotVerify(f"{path}:{error.lineno}: {error.msg}") from error
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    wrapped = {
        name
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and _name(call.func) in _WRAPPING_CALLS
        for name in (_name(call.args[0]), _name(getattr(call.args[0], "func", None)))
        if name in classes
    }
    return tuple(sorted(wrapped))


def _name(node: ast.AST | None) -> str:
    """The last part of a dotted name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
