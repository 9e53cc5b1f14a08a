"""Scripts that need torch-ort and nothing of ortwrap: the memo in plain code, and no guards."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.captures.reports import is_item
from ortwrap.engine.evidence.counts import counts_elements
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.plan import Plan
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.branches import host_of
from ortwrap.engine.templating import render
from ortwrap.engine.text.nodes import children, descendants
from ortwrap.engine.text.tree import SourceTree, Unit

ORT_MODULES = frozenset(
    "torch_ort.ORTModule onnxruntime.training.ORTModule "
    "onnxruntime.training.ortmodule.ORTModule".split()
)
_WRAPS = ("DistributedDataParallel", "FullyShardedDataParallel", "DataParallel", "torch.compile")
_PREPARES = frozenset(["prepare", "setup", "setup_module", "prepare_model"])
_STOPS = frozenset(["detach", "no_grad"])


def made_by_hand(tree: SourceTree, bindings: Bindings) -> cst.FunctionDef | None:
    """The function that an earlier `--standalone` put here: it makes an `ORTModule` per key."""
    for function in tree.functions:
        if not isinstance(function.params.star_arg, cst.Param):
            continue
        for node in descendants(function.body):
            if isinstance(node, cst.Call) and bindings.qualified(node.func) in ORT_MODULES:
                return function
    return None


def render_helper(
    tree: SourceTree, bindings: Bindings, name: str, quotes: str
) -> tuple[str, str | None]:
    """The function's source, and the import that it needs; None where ORTModule is imported.

    Args:
        tree: the script.
        bindings: its names.
        name: what the function is to be called.
        quotes: what the script puts around docstrings.
    """
    imported = next(_imported(bindings), None)
    memo = "_steps"
    while any(memo in scope.names for scope in bindings.scopes()):
        memo += "_"
    values = {
        "name": name,
        "memo": memo,
        "indent": tree.indent,
        "quotes": quotes,
        "unwraps": imported is not None,
        "ort_module": imported or "ORTModule",
    }
    text = render("standalone.py.j2", values)
    return text, None if imported else "from torch_ort import ORTModule"


def _imported(bindings: Bindings) -> Iterator[str]:
    for name, bound in bindings.module.names.items():
        if all(binding.target in ORT_MODULES for binding in bound):
            yield name


def check_without_guards(
    plan: Plan, tree: SourceTree, bindings: Bindings, helpers: Helpers
) -> None:
    """Whether ORTModule by itself, which replays one trace for good, trains this step right.

    Raises:
        Refuse: it takes the runtime's guards to be sure.
    """
    for why in _needs_guards(plan, tree, bindings, helpers):
        raise Refuse("OW313", why=why)


def _needs_guards(
    plan: Plan, tree: SourceTree, bindings: Bindings, helpers: Helpers
) -> Iterator[str]:
    sink = plan.sinks[0]
    function = tree.enclosing(sink.call)
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    if isinstance(sink.call, cst.Return) and name != "training_step":
        yield f"`{name}` is shared by training and evaluation"
    if _block(sink.unit, tree) is not _block(host_of(plan.found, tree), tree):
        yield "backward is not run every time that the loss is computed"
    for node in _run_by_forward(plan, helpers):
        if isinstance(node, cst.Attribute) and node.attr.value in _STOPS:
            yield f"`{node.attr.value}` does not stop a gradient inside of its graph"
        if is_item(node) or counts_elements(node, bindings):
            yield f"`{tree.brief(node)}` would be taken once and for all"
        if isinstance(node, (cst.If, cst.IfExp)):
            yield f"`{tree.brief(node.test)}` would be decided once and for all"
        helper = helpers.called(node.func) if isinstance(node, cst.Call) else None
        if helper is not None:
            yield from _reasons_of(helper, tree.code(cst.ensure_type(node, cst.Call).func), helpers)
    for call in tree.calls:
        made = bindings.qualified(call.func) or ""
        method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
        if made.endswith(_WRAPS) or (not made and method in _PREPARES and call.args):
            yield f"`{tree.code(call.func)}` wraps the model, and has to stand around ORTModule"


def _reasons_of(helper: cst.FunctionDef, name: str, helpers: Helpers) -> Iterator[str]:
    """What it reads may be another at a later call of the step's function."""
    try:
        helpers.check(helper, name)
    except Refuse as refusal:
        yield refusal.message


def _run_by_forward(plan: Plan, helpers: Helpers) -> Iterator[cst.CSTNode]:
    """The code in forward, and that of the functions of this file which it calls."""
    called: dict[cst.FunctionDef, None] = {}
    for node in _in_forward(plan):
        yield node
        helper = helpers.called(node.func) if isinstance(node, cst.Call) else None
        if helper is not None:
            called[helper] = None
    for helper in (known := list(called)):
        for node in descendants(helper.body):
            yield node
            inner = helpers.called(node.func) if isinstance(node, cst.Call) else None
            if inner is not None and inner not in called:
                called[inner] = None
                known.append(inner)


def _in_forward(plan: Plan) -> Iterator[cst.CSTNode]:
    """The script's own code as it stands in forward, without what is computed outside of it."""
    stack: list[cst.CSTNode] = [piece.node for piece in plan.found.pieces]
    while stack:
        node = stack.pop()
        if node not in plan.captures.replacements:
            yield node
            stack.extend(children(node))


def _block(unit: Unit, tree: SourceTree) -> object:
    parent = tree.parent_unit(unit)
    while parent is not None and isinstance(parent.node, cst.With):
        unit, parent = parent, tree.parent_unit(parent)
    return unit.block
