"""The text to run on the patched side, and the names of the wrapper classes in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ortwrap import source
from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.engine.result import InvalidSource
from ortwrap.neighbours import ProjectFiles

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
        others: further files that were rewritten, with their bytes.
    """

    source: bytes
    classes: tuple[str, ...]
    untouched: tuple[str, ...] = ()
    others: tuple[tuple[Path, bytes], ...] = ()


def patched_script(
    script: Path, given: Path | None, options: Options, also: Sequence[Path] = ()
) -> Patched:
    """Read the patched script that is `given`, or rewrite `script`, and the files in `also`.

    Raises:
        CannotVerify: a file cannot be read or parsed, or nothing was rewritten.
    """
    main, changed = (_given(given), True) if given is not None else _rewritten(script, options)
    others = [(path.resolve(), *_rewritten(path, options)) for path in also]
    every = [main, *(twin for _, twin, _ in others)]
    twin = Patched(
        main.source,
        tuple(sorted({name for each in every for name in each.classes})),
        (*main.untouched, *_named(others)),
        tuple((path, each.source) for path, each, differs in others if differs),
    )
    if not changed and not twin.others:
        raise CannotVerify(_nothing_rewritten(script, twin.untouched))
    return twin


def _named(others: Sequence[tuple[Path, Patched, bool]]) -> tuple[str, ...]:
    """Why steps of further files were left as they are, with the names of the files."""
    return tuple(f"{path.name}, {why}" for path, twin, _ in others for why in twin.untouched)


def check_copied(paths: Sequence[Path], script: Path, cwd: Path) -> None:
    """Runs happen in copies of the script's folder and the one it is started in.

    Raises:
        CannotVerify: one of `paths` is in neither, so that its patched text would not be found.
    """
    folders = (script.resolve().parent, cwd.resolve())
    for path in paths:
        if not any(folder in path.resolve().parents for folder in folders):
            raise CannotVerify(
                f"{path} is not below {folders[0]} or {folders[1]}, so no copy of it runs"
            )


def _given(path: Path) -> Patched:
    try:
        data = source.read_bytes(str(path))
        text = source.decode(data, str(path)).text
    except source.SourceError as error:
        raise CannotVerify(str(error)) from error
    return Patched(data, wrapper_classes(text, str(path)))


def _rewritten(path: Path, options: Options) -> tuple[Patched, bool]:
    """A file's patched text, and whether it is another one than its own."""
    try:
        original = source.decode(source.read_bytes(str(path)), str(path))
        result = rewrite_source(original.text, options, ProjectFiles(str(path)))
        data = original.encode(result.text)
    except source.SourceError as error:
        raise CannotVerify(str(error)) from error
    except InvalidSource as error:
        place = f"{path}:{error.line}:{error.column}"
        raise CannotVerify(f"{place}: {error.message}") from error
    untouched = tuple(
        f"line {step.line}: {step.code}: {step.message}" if step.code
        else f"line {step.line}: {step.message}"
        for step in result.steps
        if step.status != "rewritten"
    )  # fmt: skip
    patched = Patched(data, wrapper_classes(result.text, str(path)), untouched)
    return patched, result.status == "rewritten"


def _nothing_rewritten(script: Path, untouched: tuple[str, ...]) -> str:
    if not untouched:
        return (
            f"{script}: there is no training step to rewrite, so nothing to verify; "
            "if it is in another file, name that with --also"
        )
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
