"""What imports name: by statements, and by the functions that import like one."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

# What gives the package that it is told the name of.
IMPORTING = ("pytest.importorskip", "importlib.import_module")


@dataclass(frozen=True)
class Imported:
    """What an import statement names.

    Attributes:
        level: how many dots it starts with; 0 for an absolute import.
        path: the names of packages, module and what is in it.
    """

    level: int
    path: tuple[str, ...]

    @classmethod
    def of(cls, level: int, target: str) -> Imported:
        """What a dotted name stands for."""
        return cls(level, tuple(filter(None, target.split("."))))


def dotted(node: cst.CSTNode) -> str:
    """The text of a name with attributes, without its whitespace."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return cst.ensure_type(node, cst.Name).value


def names_a_package(call: cst.Call) -> str | None:
    """`torch` in `pytest.importorskip("torch")`, by the looks of it."""
    func, first = call.func, call.args[0].value if call.args else None
    name = func.attr if isinstance(func, cst.Attribute) else func
    if not isinstance(name, cst.Name) or not isinstance(first, cst.SimpleString):
        return None
    looks = any(importing.endswith(f".{name.value}") for importing in IMPORTING)
    return str(first.evaluated_value) if looks and not first.prefix else None
