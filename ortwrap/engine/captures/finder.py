"""The captures of one slice, put together: what its pieces need, and what is read after them."""

from __future__ import annotations

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.bound import unbound_inputs
from ortwrap.engine.captures.early import early_outputs
from ortwrap.engine.captures.outputs import OutputFinder
from ortwrap.engine.captures.scopes import local_imports
from ortwrap.engine.captures.walk import SliceWalk
from ortwrap.engine.plan import Captures
from ortwrap.engine.steps.order import Order
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.writing.deletions import deletions_of
from ortwrap.engine.writing.releases import releases_of


class CaptureFinder:
    """Decides for one function's slices what stands for each expression in forward."""

    def __init__(self, analyses: Analyses) -> None:
        self._analyses = analyses
        self._outputs = OutputFinder(analyses)

    def find(self, found: LossSlice, order: Order) -> Captures:
        """Inputs, parts and outputs of a slice.

        Raises:
            Refuse: something that the slice uses cannot be passed into or out of forward.
        """
        walk = SliceWalk(self._analyses, found)
        walked = walk.over_pieces()
        host = found.block.units[min(order.anchor.index, len(found.block.units) - 1)]
        unbound = unbound_inputs(walked, host, found, self._analyses)
        outputs, renames = self._outputs.find(found, order, walked.input_places)
        early = early_outputs(
            found,
            order,
            walked.input_places,
            lambda name: self._outputs.output_name(name, found),
            self._analyses,
        )
        gone = self._outputs.gone(found, outputs, walked.input_places)
        parts = sorted(walked.parts.values(), key=lambda part: (part.spread, not part.trainable))
        return Captures(
            parts=tuple(parts),
            inputs=tuple(walked.inputs.values()),
            outputs=(*outputs, *early.outputs),
            replacements={**walked.replacements, **walk.locals_for_attributes()},
            renames={**renames, **early.renames},
            deletions=deletions_of(found.units, gone, self._analyses.tree, self._analyses.reader),
            releases=releases_of(found, parts, self._analyses),
            unbound=unbound,
            imports=local_imports(found, self._analyses),
            early=tuple(early.named),
        )
