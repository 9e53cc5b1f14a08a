"""From some places of one block back to the statements that compute them: the slice of a block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.rebound import Rebound
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.effects.updates import runs_update
from ortwrap.engine.names.containers import makes_container
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.tree import Block, Unit


@dataclass(frozen=True)
class BlockSlice:
    """The backward slice of one block's prefix, divided by whether gradients flow through.

    Attributes:
        units: the statements that a trainable module reaches.
        preparation: those that these need and that no trainable module reaches.
        upstream: statements before a barrier whose values reach the loss with a gradient.
        needed: the places that the slice reads and the block does not bind.
        with_gradient: the places that a gradient flows back to.
        carried: a statement behind every barrier passes a gradient on.
        stopped: a barrier stands before such a statement.
    """

    units: tuple[Unit, ...]
    preparation: tuple[Unit, ...]
    upstream: tuple[Unit, ...]
    needed: frozenset[str]
    with_gradient: frozenset[str]
    carried: bool
    stopped: bool

    @property
    def parts(self) -> tuple[Unit, ...]:
        """Every statement of the block that gradients flow back through."""
        return (*self.upstream, *self.units)


class BlockSlicer:
    """Computes slices of the blocks inside one function or the module."""

    def __init__(self, analyses: Analyses, sinks: Iterable[Sink]) -> None:
        self._tree = analyses.tree
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._rebound = Rebound(analyses.reader, analyses.liveness)
        # What is returned gets its backward once the function is left.
        self._sink_calls = [sink.call for sink in sinks if isinstance(sink.call, cst.Call)]

    def slice(
        self,
        block: Block,
        end: int,
        needed: frozenset[str],
        with_gradient: frozenset[str],
        outside: frozenset[Unit] = frozenset(),
    ) -> BlockSlice:
        """Follow `needed` back through the statements of `block` before `end`.

        Those `outside` count as if they ran no module.
        """
        need, gradient = needed, with_gradient
        on_path: list[Unit] = []
        values_only: list[Unit] = []
        upstream: list[Unit] = []
        inside: dict[Unit, BlockSlice] = {}
        stopped = False
        for unit in reversed(block.units[:end]):
            stopped = stopped or (bool(on_path) and self.is_barrier(unit))
            if not overlap(need, self._reader.of(unit.node).changes):
                continue
            carries = self._carries(unit, gradient)
            if not stopped:
                (on_path if carries else values_only).append(unit)
            elif carries:
                upstream.append(unit)
            if isinstance(unit.node, cst.With):
                body = self._tree.blocks(unit.node)[0]
                inner = inside[unit] = self.slice(body, len(body.units), need, gradient)
                need = inner.needed.union(self._reader.header(unit.node).reads)
                gradient = inner.with_gradient if carries else gradient
            else:
                killed, rebound = self._bound_by(unit)
                need = (need - killed) | (set(self._reader.of(unit.node).reads) - rebound)
                if carries:
                    gradient = (gradient - killed) | (self._flow.reads(unit.node) - rebound)
        slice_units, prepared = self._tainted(on_path[::-1], values_only, outside)
        live_upstream, _ = self._tainted(upstream[::-1], [])
        parts = (inside[unit].parts if unit in inside else (unit,) for unit in live_upstream)
        return BlockSlice(
            units=slice_units,
            preparation=prepared,
            upstream=tuple(part for each in parts for part in each),
            needed=need,
            with_gradient=gradient,
            carried=bool(on_path),
            stopped=stopped,
        )

    def _carries(self, unit: Unit, gradient: frozenset[str]) -> bool:
        """A gradient flows back into a statement."""
        reached = overlap(gradient, self._reader.of(unit.node).changes)
        return bool(reached) and not self._flow.is_no_grad(unit.node)

    def _bound_by(self, unit: Unit) -> tuple[set[str], frozenset[str]]:
        """The places that a statement surely binds anew, and those that it does before it reads."""
        effects = self._reader.of(unit.node)
        certain = isinstance(unit.node, cst.BaseSmallStatement)
        killed = effects.writes - effects.mutates if certain else set[str]()
        return killed, self._rebound.before_read(unit)

    def _tainted(
        self, on_path: list[Unit], values_only: list[Unit], outside: frozenset[Unit] = frozenset()
    ) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
        """Of the statements on the gradient's path, those that a trainable module reaches.

        What frozen modules compute before the first one that trains is an input like any other.
        """
        path = set(on_path) - outside
        trains = any(self._flow.trained_uses(unit.node) for unit in path)
        tainted: set[str] = set()
        chosen: list[Unit] = []
        prepared: list[Unit] = []
        for unit in sorted([*on_path, *values_only], key=lambda unit: unit.index):
            effects = self._reader.of(unit.node)
            # A shape of an output is no gradient's way, but only forward can compute it.
            reads = set(effects.reads) - self._rebound.before_read(unit)
            reached = overlap(reads, tainted)
            uses = self._flow.trained_uses if trains and not chosen else self._flow.module_uses
            if reached or (unit in path and uses(unit.node)):
                chosen.append(unit)
                tainted |= effects.changes
            else:
                prepared.append(unit)
        # A container that outputs are collected in belongs to the slice from where it is made.
        for unit in list(prepared):
            collects = any(self._adds_to(later, unit) for later in chosen)
            if collects and (unit in on_path or self._makes_container(unit.node)):
                prepared.remove(unit)
                chosen.append(unit)
        chosen.sort(key=lambda unit: unit.index)
        prepared.sort(key=lambda unit: unit.index)
        return tuple(chosen), tuple(prepared)

    def _adds_to(self, later: Unit, unit: Unit) -> bool:
        """`loss += term` or `loss = loss + term`, behind `loss = 0`; `outputs.append(output)`."""
        made, effects = self._reader.of(unit.node).writes, self._reader.of(later.node)
        anew = made & effects.writes & set(effects.reads)
        return bool(made & effects.mutates) or (bool(anew) and makes_number(unit.node))

    def _makes_container(self, node: cst.CSTNode) -> bool:
        value = node.value if isinstance(node, (cst.Assign, cst.AnnAssign)) else None
        return value is not None and makes_container(value, self._reader.bindings)

    def is_barrier(self, unit: Unit) -> bool:
        """A statement that no forward may be moved across: an update or another backward."""
        backward = any(self._tree.holds(unit.node, call) for call in self._sink_calls)
        return backward or runs_update(unit.node, self._tree, self._reader.instance)


def makes_number(node: cst.CSTNode) -> bool:
    """`loss = 0`, or `first = second = 0.0`."""
    return isinstance(node, cst.Assign) and isinstance(node.value, (cst.Integer, cst.Float))
