"""What is told of each step: rewritten, skipped or refused, and by what evidence."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.reasons.unseen import why_no_module
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.result import Step
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree


class Rows:
    """Writes the row of a sink in the result."""

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules

    def row(self, sink: Sink, status: str, message: str) -> Step:
        return Step(
            line=self._tree.line(sink.call),
            function=self._tree.qualified_function(sink.call),
            status=status,  # type: ignore[arg-type]
            code=None,
            message=message,
        )

    def refused(self, sink: Sink, refusal: Refuse) -> Step:
        refusal = self._explained(sink, refusal)
        message = refusal.message
        line = self._tree.line(refusal.node if refusal.node is not None else sink.call)
        if line != self._tree.line(sink.call) and f"line {line}" not in message:
            message += f" (line {line})"
        return replace(
            self.row(sink, "refused", message), code=refusal.page.code, advice=refusal.advice
        )

    def evidence(self, sink: Sink, found: LossSlice | None) -> tuple[str, ...]:
        """What counts as a module or a criterion in a step: for people, and for them alone."""
        pieces = found.pieces if found is not None else [sink.unit]
        if found is None:
            pieces = self._tree.blocks(self._tree.enclosing(sink.call))[0].units
        told: dict[str, str] = {}
        for piece in pieces:
            for node in descendants(piece.node):
                if isinstance(node, (cst.Name, cst.Attribute)):
                    known = self._modules.evidence(node)
                    if known is not None:
                        what = "loss function" if known.role == "criterion" else "model"
                        name = self._tree.code(node)
                        told.setdefault(name, f"{what} `{name}`: {known.reason}")
        return tuple(told.values())

    def _explained(self, sink: Sink, refusal: Refuse) -> Refuse:
        """A better reason where no module was found."""
        if refusal.page.code != "OW101":
            return refusal
        return why_no_module(sink, self._tree, self._bindings, self._modules) or refusal
