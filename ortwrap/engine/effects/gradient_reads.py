"""What code reads of values whose gradient it could still ask for: not `loss.item()`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import libcst as cst

from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.statement import Effects, EffectsReader, overlap
from ortwrap.engine.text.nodes import descendants

_RUN_LATER = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


class GradientReads(EffectsReader):
    """An `EffectsReader` whose reads are those that a gradient can flow back through."""

    def __init__(
        self,
        reader: EffectsReader,
        flow: GradientFlow,
        only: Collection[cst.CSTNode] | None = None,
    ) -> None:
        """
        Args:
            reader: of a function.
            flow: of the same.
            only: statements that count, the others are taken for ones that read nothing.
        """
        self._only = only
        self.bindings = reader.bindings
        self.instance = reader.instance
        self._reader = reader
        self._flow = flow

    def of(self, node: cst.CSTNode) -> Effects:
        effects = self._reader.of(node)
        if self._only is not None and node not in self._only:
            return replace(effects, reads={})
        if isinstance(node, _RUN_LATER):
            return effects
        flowing = self._flow.reads(node)
        if isinstance(node, cst.AugAssign):
            flowing = flowing | self._flow.reads(node.target)
        kept = {p: nodes for p, nodes in effects.reads.items() if overlap({p}, flowing)}
        return replace(effects, reads=kept)

    def header(self, node: cst.CSTNode) -> Effects:
        effects = self._reader.header(node)
        tests = isinstance(node, (cst.If, cst.While)) and not any(
            isinstance(inner, cst.NamedExpr) for inner in descendants(node.test)
        )
        left_out = self._only is not None and node not in self._only
        return replace(effects, reads={}) if tests or left_out else effects
