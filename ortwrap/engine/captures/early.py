"""Outputs for values that something reads before the computation of the loss changes them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.taken_values import takes_value
from ortwrap.engine.plan import CarriedOutput, NamedEarly
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.earlier import EarlierValue
from ortwrap.engine.steps.local_names import local_name
from ortwrap.engine.steps.order import Order
from ortwrap.engine.steps.slices import LossSlice


@dataclass
class EarlyOutputs:
    """What comes out of forward for them.

    Attributes:
        named: what forward keeps under a name of its own.
        outputs: the same values as they come out.
        renames: the nodes that read them.
    """

    named: list[NamedEarly] = field(default_factory=list)
    outputs: list[CarriedOutput] = field(default_factory=list)
    renames: dict[cst.CSTNode, str] = field(default_factory=dict)


def early_outputs(
    found: LossSlice,
    order: Order,
    inputs: set[str],
    free_name: Callable[[str], str],
    analyses: Analyses,
) -> EarlyOutputs:
    """Name each value, and whoever reads it by that name.

    Args:
        found: the slice.
        order: which values these are.
        inputs: places that have a value before the slice.
        free_name: gives a name that nothing else has.
        analyses: of the function that the slice stands in.

    Raises:
        Refuse: some path has not bound the value.
    """
    early = EarlyOutputs()
    names: dict[tuple[str, object], str] = {}
    for value in order.earlier:
        if value.place not in inputs | _surely_bound(value, found, analyses):
            code = analyses.tree.brief(value.unit.node)
            raise Refuse("OW204", value.unit.node, code=code, name=value.place)
        local = local_name(value.place, found)
        known = names.get((value.place, value.behind))
        if known is None:
            known = free_name(f"{local}_so_far")
            while known in names.values():
                known += "_too"
            names[value.place, value.behind] = known
            readers = [n for v in order.earlier if _is_same(v, value) for n in v.readers]
            detach = all(takes_value(node, analyses.tree) for node in readers)
            early.named.append(NamedEarly(known, local, value.behind, value.copied))
            early.outputs.append(CarriedOutput(known, known, detach))
        early.renames.update(dict.fromkeys(value.readers, known))
    return early


def _is_same(value: EarlierValue, other: EarlierValue) -> bool:
    return value.place == other.place and value.behind is other.behind


def _surely_bound(value: EarlierValue, found: LossSlice, analyses: Analyses) -> set[str]:
    pieces = (piece for piece in found.pieces if piece.index <= value.behind.index)
    bound = (surely_binds(piece, analyses.tree, analyses.reader) for piece in pieces)
    return set[str]().union(*bound)
