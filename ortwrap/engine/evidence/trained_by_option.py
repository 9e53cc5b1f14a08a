"""Encoders that are trained by option, before what prepares the inputs of the model proper.

Where that cannot move into forward (latents are sampled, noise is drawn), the encoder stays outside
as well: what it computes is an input, through which the gradients of the graph flow on.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.tree import Unit


def behind_options(found: LossSlice, slicer: Slicer, flow: GradientFlow) -> LossSlice | None:
    """The slice without the branches that it begins with; None if no model is run after them."""
    optional: list[Unit] = []
    for unit in found.units:
        if flow.trained_uses(unit.node):
            if not isinstance(unit.node, cst.If):
                if not optional or not flow.runs_module(unit.node):
                    return None
                return slicer.without(found, frozenset(optional))
            optional.append(unit)
    return None
