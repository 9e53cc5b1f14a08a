"""Statements between model and loss that move into forward as well.

Where a statement cannot trade places with the model call or the loss, it keeps its place among them
if forward can run it: a frozen teacher's output, an input normalised under its old name, noise that
is drawn after the model's dropout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.gradients import PASSIVE_USES
from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Block, Unit

_COMPUTING_METHODS = frozenset(
    "detach clone view reshape flatten squeeze unsqueeze permute transpose contiguous expand "
    "expand_as view_as repeat t mean sum max min argmax argmin eq ne gt lt ge le softmax "
    "log_softmax sigmoid tanh relu abs pow sqrt exp log norm topk sort clamp gather index_select "
    "masked_select masked_fill scatter chunk split narrow mul add sub div mm bmm matmul float long "
    "half double bool int to cuda cpu type type_as div std var".split()
)
_NOT_COMPUTING = (
    "torch.manual_seed", "torch.save", "torch.load", "torch.set_", "torch.get_", "torch.cuda",
    "torch.distributed", "torch.utils", "torch.optim", "torch.backends", "torch.autograd.grad",
    "torch.autograd.backward", "torch.nn.init", "torch.nn.utils", "torch.from_numpy",
    "torch.tensor",
)  # fmt: skip
# Packages whose functions do other things than compute with tensors.
_OTHER_EFFECTS = frozenset(
    "torch numpy random time datetime os sys io json logging pickle shutil subprocess builtins "
    "threading socket pathlib secrets uuid warnings".split()
)


def absorb(found: LossSlice, unit: Unit, analyses: Analyses) -> LossSlice | None:
    """The slice with one more statement of its block; None if forward cannot run that statement."""
    if not _only_computes(unit, found, analyses, needed=unit in found.preparation):
        return None
    units = tuple(sorted((*found.units, unit), key=lambda each: each.index))
    preparation = tuple(each for each in found.preparation if each is not unit)
    return replace(found, units=units, preparation=preparation)


def _only_computes(unit: Unit, found: LossSlice, analyses: Analyses, *, needed: bool) -> bool:
    """It binds names to what known functions, modules and tensor methods give, or complains.

    Where the loss needs these values, functions of other files may compute them too.
    """
    node = unit.node
    if isinstance(node, cst.With):
        if not analyses.flow.is_no_grad(node):
            return False
        inner = analyses.tree.blocks(node)[0].units
        return all(_only_computes(each, found, analyses, needed=needed) for each in inner)
    if isinstance(node, cst.If):
        inside = _units(analyses.tree.blocks(node))
        return all(_only_computes(each, found, analyses, needed=needed) for each in inside)
    if isinstance(node, cst.Raise):
        # Who catches it goes on training, with whatever had been done by then.
        return not any(isinstance(each, cst.Try) for each in analyses.tree.ancestors(node))
    if not isinstance(node, cst.Assign) or not all(
        _binds_names(target.target) for target in node.targets
    ):
        return False
    known = set(_called_by(found, analyses))
    return all(
        _computes(inner, known, analyses)
        or (needed and isinstance(inner, cst.Call) and _gives_a_value(inner, analyses))
        for inner in descendants(node.value)
        if isinstance(inner, (cst.Call, cst.Await, cst.Yield, cst.NamedExpr))
    )


def _units(blocks: Sequence[Block]) -> Iterator[Unit]:
    return (unit for block in blocks for unit in block.units)


def _binds_names(target: cst.CSTNode) -> bool:
    if isinstance(target, (cst.Tuple, cst.List)):
        return all(_binds_names(element.value) for element in target.elements)
    return isinstance(target, cst.Name)


def _called_by(found: LossSlice, analyses: Analyses) -> Iterator[str]:
    """Functions and objects that forward calls anyhow."""
    for piece in found.pieces:
        for node in descendants(piece.node):
            if isinstance(node, cst.Call):
                qualified = analyses.bindings.qualified(node.func)
                place = place_of(node.func, analyses.reader.instance)
                yield from (name for name in (qualified, place) if name is not None)


def _computes(node: cst.CSTNode, known: set[str], analyses: Analyses) -> bool:
    """A call has no other effect than its value, and gives the same for the same arguments."""
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    qualified = analyses.bindings.qualified(func)
    if qualified is not None:
        computes = qualified.startswith("torch.") and not qualified.endswith("_")
        computes = computes and not qualified.startswith(_NOT_COMPUTING)
        return qualified in known or (computes and not _has_own_generator(node))
    if analyses.modules.evidence(func) is not None:
        return True
    if place_of(func, analyses.reader.instance) in known:
        return True
    helper = analyses.helpers.called(func)
    if helper is not None:
        return _passes_as_helper(helper, func, analyses)
    if not isinstance(func, cst.Attribute):
        return False
    if analyses.modules.is_trainable(func.value):
        return func.attr.value not in PASSIVE_USES
    # A method of the instance itself may do anything.
    if place_of(func, analyses.reader.instance) is not None:
        return False
    return func.attr.value in _COMPUTING_METHODS


def _has_own_generator(call: cst.Call) -> bool:
    """Torch draws the same numbers in a graph as without one, but from its own generator only."""
    names = (argument.keyword for argument in call.args)
    return any(name is not None and name.value == "generator" for name in names)


def _gives_a_value(call: cst.Call, analyses: Analyses) -> bool:
    """`loss_weights(sigmas)` of another file, of which the loss reads what it gives.

    It runs in forward where it ran before, between the model and the loss.
    """
    qualified = analyses.bindings.qualified(call.func)
    if qualified is None or qualified.split(".")[0] in _OTHER_EFFECTS:
        return False
    return not any(analyses.modules.is_trainable(argument.value) for argument in call.args)


def _passes_as_helper(
    helper: cst.FunctionDef, func: cst.BaseExpression, analyses: Analyses
) -> bool:
    try:
        analyses.helpers.check(helper, analyses.tree.code(func))
    except Refuse:
        return False
    return True
