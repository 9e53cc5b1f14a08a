"""Why a rewrite changed what it changed, for those who review it."""

from __future__ import annotations

from collections.abc import Sequence

from ortwrap.engine.plan import CarriedOutput, Plan
from ortwrap.engine.result import Change
from ortwrap.engine.text.edits import Edit
from ortwrap.engine.text.tree import SourceTree, Unit

OF_IMPORT = "runs generated modules on ONNX Runtime, or eagerly where that would not be exact"
OF_BASE = "the generated class is an `nn.Module`"
OF_LOSS = "the loss comes out of the call above"
OF_RENAME = "this value is an output of its own now"
OF_RELEASE = "the wrapper holds the model, whose memory is to be freed here"
# How many functions that share a class its docstring names.
_AT_MOST = 3


def listed(places: Sequence[str]) -> str:
    """`a`, `b` and `c`, each of them once, and of many how many more."""
    once = list(dict.fromkeys(places))
    if len(once) > _AT_MOST:
        once = [*once[: _AT_MOST - 1], f"{len(once) - _AT_MOST + 1} more"]
    *most, last = once
    return f"{', '.join(most)} and {last}" if most else last


def of_class(name: str, where: str, plan: Plan) -> str:
    """Why there is a generated class."""
    takes = [item.name for item in plan.captures.inputs]
    needs = f"; takes {_names(takes)}" if takes else ""
    return f"`{name}` holds the forward pass and the loss of {where}, one graph{needs}"


def of_wrapper(variable: str, places: tuple[str, ...]) -> str:
    """Why a wrapper is made where it is."""
    return (
        f"`{variable}` is made where {_names(places)} {_are(places)} known; "
        "the same modules always get the same wrapper, so nothing is exported twice"
    )


def of_unbound(names: tuple[str, ...]) -> str:
    """Why names start as None."""
    return f"only some paths bind {_names(names)}, and the call passes every input"


def of_call(plan: Plan, tree: SourceTree) -> str:
    """What the call of a wrapper stands for."""
    lines = sorted({tree.told(tree.line(unit.node)) for unit in plan.found.units})
    moved = f"lines {lines[0]} to {lines[-1]}" if len(lines) > 1 else "the computation"
    return "; ".join([f"runs {moved} as one graph", *map(_of_output, plan.captures.outputs)])


def _of_output(output: CarriedOutput) -> str:
    read = f"`{output.place}` comes back because later statements read it"
    return f"{read}, detached because none asks for its gradient" if output.detach else read


def of_move(unit: Unit, tree: SourceTree) -> str:
    """Where a statement went."""
    return f"`{tree.brief(unit.node)}` moved into forward"


def explained(tree: SourceTree, edits: list[Edit]) -> tuple[Change, ...]:
    """The reasons of edits at their lines."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.rank))
    found = [
        Change(tree.told(tree.line_at(edit.start)), why)
        for edit in ordered
        for why in edit.why.split("\n")
    ]
    return tuple(change for change in dict.fromkeys(found) if change.why)


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _are(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"
