"""From a sink back to everything its loss is computed from: the loss slice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.statement import EffectsReader, overlap, place_of
from ortwrap.engine.effects.updates import runs_update
from ortwrap.engine.names.containers import makes_container
from ortwrap.engine.reasons.attempts import is_read_on_failure
from ortwrap.engine.reasons.shared_graph import SharedGraph
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.headers import bound_in_header
from ortwrap.engine.steps.reducing import reduced_in_branches
from ortwrap.engine.steps.scaling import factors_of, scaling_of
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.tree import Block, SourceTree, Unit


@dataclass(frozen=True, eq=False)
class LossSlice:
    """The statements that compute one loss from the uses of trainable modules.

    Attributes:
        sink: what consumes the loss.
        loss: the expression whose value forward returns first.
        place: the place that holds the loss after the slice; None for an unnamed loss.
        inline: `loss` is written inside the sink's statement and has to be lifted out of it.
        block: the block that every unit stands in.
        units: the slice's statements in order.
        preparation: statements of the block that the slice needs and that compute no gradient.
        end: index in the block before which the loss must be known.
        upstream: statements before a barrier whose values reach the loss with a gradient.
        open_places: what statements outside of forward compute the rest of the loss from.
        chosen_by: the `if` whose branch the block is, where each branch is a step of its own.
        name: what the caller calls the loss, where it has no place.
    """

    sink: Sink
    loss: cst.BaseExpression
    place: str | None
    inline: bool
    block: Block
    units: tuple[Unit, ...]
    preparation: tuple[Unit, ...]
    end: int
    upstream: tuple[Unit, ...]
    open_places: frozenset[str] = frozenset()
    chosen_by: cst.If | None = None
    name: str = "loss"

    @cached_property
    def pieces(self) -> tuple[Unit, ...]:
        """What forward is made of: the units, and an unnamed loss as a last piece of its own."""
        if not self.inline:
            return self.units
        return (*self.units, Unit(self.loss, self.block, self.end))


@dataclass(frozen=True)
class _Closure:
    """The backward slice of one block's prefix, divided by whether gradients flow through."""

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

    def sliced(
        self, sink: Sink, loss: cst.BaseExpression, place: str | None, block: Block, end: int
    ) -> LossSlice:
        """The loss slice that these statements of a block make."""
        return LossSlice(
            sink=sink,
            loss=loss,
            place=place,
            inline=place is None,
            block=block,
            units=self.units,
            preparation=self.preparation,
            end=end,
            upstream=self.upstream,
        )


class Slicer:
    """Computes loss slices inside one function or the module."""

    def __init__(
        self, tree: SourceTree, reader: EffectsReader, flow: GradientFlow, sinks: list[Sink]
    ) -> None:
        self._tree = tree
        self._reader = reader
        self._flow = flow
        self._sinks = sinks
        self._sink_units = {sink.unit for sink in sinks}
        # What is returned gets its backward once the function is left.
        self._sink_calls = [sink.call for sink in sinks if isinstance(sink.call, cst.Call)]

    def slice(self, sink: Sink) -> LossSlice:
        """The loss slice of a sink.

        Raises:
            Refuse: the loss cannot be followed back to a trainable module in one block.
        """
        loss = self._scalar_core(sink)
        inline = self._place(loss) is None
        if isinstance(loss, (cst.List, cst.Tuple)):
            raise Refuse("OW206", code=self._tree.code(loss))
        found = self._climb(sink, loss, inline)
        found = self._descend(found)
        return self._leave_scaling_outside(found)

    def gradients_into(self, unit: Unit, loss: cst.BaseExpression) -> frozenset[str]:
        """Places whose gradients reach `loss` from before the block of a statement."""
        needed = frozenset(self._reader.of(loss).reads)
        gradient = frozenset(self._flow.reads(loss))
        return self._closure(unit.block, unit.index, needed, gradient).with_gradient

    def without(self, found: LossSlice, outside: frozenset[Unit]) -> LossSlice | None:
        """The same slice with some of its statements left where they are, as inputs of the rest."""
        place = frozenset() if found.place is None else frozenset({found.place})
        needed = place or frozenset(self._reader.of(found.loss).reads)
        flowing = place or frozenset(self._flow.reads(found.loss))
        closure = self._closure(found.block, found.end, needed, flowing, outside)
        if not closure.units or closure.upstream:
            return None
        return replace(found, units=closure.units, preparation=closure.preparation)

    # -- finding the block ---------------------------------------------------------------------

    def _climb(self, sink: Sink, loss: cst.BaseExpression, inline: bool) -> LossSlice:
        needed = frozenset(self._reader.of(loss).reads)
        with_gradient = frozenset(self._flow.reads(loss))
        here = sink.unit if inline and self._flow.module_uses(loss) else None
        place = None if inline else self._place(loss)
        unit: Unit | None = sink.unit
        crossed: Unit | None = None
        while unit is not None:
            closure = self._closure(unit.block, unit.index, needed, with_gradient)
            if place is not None and closure.carried and not closure.units and needed == {place}:
                place, end = self._before_scaling(place, unit, sink)
                needed = with_gradient = frozenset((place,))
                closure = self._closure(unit.block, end, needed, with_gradient)
            if closure.units or unit is here:
                if crossed is not None:
                    line = self._tree.line(closure.units[0].node)
                    raise Refuse("OW104", loss=self._tree.brief(loss), line=line)
                return closure.sliced(sink, loss, place, unit.block, unit.index)
            if closure.stopped:
                if closure.upstream:
                    raise SharedGraph(closure.upstream, self._tree)
                break
            needed, with_gradient = closure.needed, closure.with_gradient
            if closure.carried:
                crossed = unit
            body = self._tree.tried_before(unit)
            if body is not None:
                closure = self._closure(body, len(body.units), needed, with_gradient)
                failing = is_read_on_failure(closure.units, body, self._tree, self._reader)
                if closure.units and (inline or crossed is not None or failing):
                    line = self._tree.line(closure.units[0].node)
                    raise Refuse("OW104", loss=self._tree.brief(loss), line=line)
                if closure.units:
                    return closure.sliced(sink, loss, place, body, len(body.units))
            unit = self._tree.parent_unit(unit)
            if unit is not None and isinstance(unit.node, (cst.For, cst.While)):
                crossed = unit
            bound = None if unit is None or needed != {place} else bound_in_header(unit, place)
            if bound is not None:
                loss, place, inline, here = bound, None, True, unit
                needed = frozenset(self._reader.of(loss).reads)
                with_gradient = frozenset(self._flow.reads(loss))
        raise Refuse("OW101", loss=self._tree.brief(loss), unknown="")

    def _before_scaling(self, place: str, unit: Unit, sink: Sink) -> tuple[str, int]:
        """The place that a branch only scales on the way to its backward, and where it begins."""
        end = unit.index
        for earlier in reversed(unit.block.units[: unit.index]):
            if place not in self._reader.of(earlier.node).changes:
                continue
            scaling = scaling_of(earlier, self._reader.instance)
            if scaling is None or scaling.target != place or scaling.inner is None:
                break
            if any(self._reaches_module(factor, sink) for factor in scaling.factors):
                break
            place, end = scaling.inner, earlier.index
        return place, end

    def _closure(
        self,
        block: Block,
        end: int,
        needed: frozenset[str],
        with_gradient: frozenset[str],
        outside: frozenset[Unit] = frozenset(),
    ) -> _Closure:
        """Follow `needed` back through the statements of `block` before `end`.

        Those `outside` count as if they ran no module.
        """
        need, gradient = set(needed), set(with_gradient)
        on_path: list[Unit] = []
        values_only: list[Unit] = []
        upstream: list[Unit] = []
        inside: dict[Unit, _Closure] = {}
        stopped = False
        for unit in reversed(block.units[:end]):
            effects = self._reader.of(unit.node)
            changed = overlap(need, effects.changes)
            stopped = stopped or (bool(on_path) and self.is_barrier(unit))
            if not changed:
                continue
            carries = bool(overlap(gradient, effects.changes))
            carries = carries and not self._flow.is_no_grad(unit.node)
            if stopped:
                if carries:
                    upstream.append(unit)
            elif carries:
                on_path.append(unit)
            else:
                values_only.append(unit)
            if isinstance(unit.node, cst.With):
                body = self._tree.blocks(unit.node)[0]
                inner = self._closure(body, len(body.units), frozenset(need), frozenset(gradient))
                inside[unit] = inner
                need = set(inner.needed) | set(self._reader.header(unit.node).reads)
                gradient = set(inner.with_gradient) if carries else gradient
                continue
            certain = isinstance(unit.node, cst.BaseSmallStatement)
            killed = effects.writes - effects.mutates if certain else set()
            need = (need - killed) | set(effects.reads)
            if carries:
                gradient = (gradient - killed) | self._flow.reads(unit.node)
        slice_units, prepared = self._tainted(on_path[::-1], values_only, outside)
        live_upstream, _ = self._tainted(upstream[::-1], [])
        parts = (inside[unit].parts if unit in inside else (unit,) for unit in live_upstream)
        return _Closure(
            units=slice_units,
            preparation=prepared,
            upstream=tuple(part for each in parts for part in each),
            needed=frozenset(need),
            with_gradient=frozenset(gradient),
            carried=bool(on_path),
            stopped=stopped,
        )

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
            reached = overlap(set(effects.reads), tainted)
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
        return bool(made & effects.mutates) or (bool(anew) and self._makes_number(unit.node))

    @staticmethod
    def _makes_number(node: cst.CSTNode) -> bool:
        return isinstance(node, cst.Assign) and isinstance(node.value, (cst.Integer, cst.Float))

    def _makes_container(self, node: cst.CSTNode) -> bool:
        value = node.value if isinstance(node, (cst.Assign, cst.AnnAssign)) else None
        return value is not None and makes_container(value, self._reader.bindings)

    def is_barrier(self, unit: Unit) -> bool:
        """A statement that no forward may be moved across: an update or another backward."""
        span = self._tree.span(unit.node)
        for call in self._sink_calls:
            if span.start <= self._tree.span(call).start < span.end:
                return True
        return runs_update(unit.node, self._tree, self._reader.instance)

    # -- narrowing -----------------------------------------------------------------------------

    def inside(self, found: LossSlice, block: Block) -> LossSlice | None:
        """The slice of what a block of its only statement computes; None if that is no loss."""
        inner = self._within(found, block)
        return None if inner is None else self._leave_scaling_outside(self._descend(inner))

    def _within(self, found: LossSlice, block: Block) -> LossSlice | None:
        place = found.place or ""
        closure = self._closure(block, len(block.units), frozenset({place}), frozenset({place}))
        if not any(place in self._reader.of(unit.node).changes for unit in closure.units):
            return None
        return replace(
            found,
            block=block,
            units=closure.units,
            preparation=closure.preparation,
            end=len(block.units),
            upstream=(*closure.upstream, *found.upstream),
        )

    def _descend(self, found: LossSlice) -> LossSlice:
        """Move into a `with` or `try` block that holds the whole slice."""
        while len(found.units) == 1 and found.place is not None:
            node = found.units[0].node
            if not isinstance(node, (cst.With, cst.Try)):
                break
            block, *others = self._tree.blocks(node)
            if any(self._runs_for(found.place, other) for other in others):
                break
            inner = self._within(found, block)
            if inner is None or is_read_on_failure(inner.units, block, self._tree, self._reader):
                break
            found = inner
        return found

    def _runs_for(self, place: str, block: Block) -> bool:
        """A handler that computes the place by a module as well."""
        closure = self._closure(block, len(block.units), frozenset({place}), frozenset({place}))
        return bool(closure.units)

    def _leave_scaling_outside(self, found: LossSlice) -> LossSlice:
        """`loss = loss / accumulation_steps` needs no graph, and its divisor may change."""
        units = list(found.units)
        while len(units) > 1 and found.place is not None:
            inner = self._scaled_place(units, found.place)
            if inner is None:
                break
            last = units.pop()
            end = min(found.end, last.index)
            found = replace(found, units=tuple(units), end=end, place=inner)
        kept = tuple(unit for unit in found.preparation if unit.index < found.end)
        return replace(found, preparation=kept)

    def _scaled_place(self, units: list[Unit], place: str) -> str | None:
        """The place that the last unit only scales into `place`, with factors of no gradient."""
        scaling = scaling_of(units[-1], self._reader.instance)
        if scaling is None or scaling.target != place:
            return None
        made = any(scaling.inner in self._reader.of(unit.node).writes for unit in units[:-1])
        computed = set().union(*(self._reader.of(unit.node).changes for unit in units))
        free = all(
            not overlap(set(self._reader.of(factor).reads), computed)
            and not self._flow.module_uses(factor)
            for factor in scaling.factors
        )
        return scaling.inner if made and free else None

    def _scalar_core(self, sink: Sink) -> cst.BaseExpression:
        """The part of `loss / k`, or of `(loss := ...)`, that needs the graph."""
        if isinstance(sink.loss, cst.NamedExpr):
            return sink.loss.value
        reduced = reduced_in_branches(sink, self._sinks, self._tree)
        if reduced is not None and self._place(reduced) is not None:
            return reduced
        core, factors = factors_of(sink.loss)
        free = not any(self._reaches_module(factor, sink) for factor in factors)
        return core if free and self._place(core) is not None else sink.loss

    def _reaches_module(self, factor: cst.BaseExpression, sink: Sink) -> bool:
        """A gradient can flow from `factor` back to a trainable module."""
        if self._flow.module_uses(factor):
            return True
        needed = frozenset(self._reader.of(factor).reads)
        gradient = frozenset(self._flow.reads(factor))
        unit: Unit | None = sink.unit
        while unit is not None and gradient:
            closure = self._closure(unit.block, unit.index, needed, gradient)
            if closure.units or closure.upstream or closure.carried:
                return True
            needed, gradient = closure.needed, closure.with_gradient
            unit = self._tree.parent_unit(unit)
        return False

    def _place(self, node: cst.CSTNode) -> str | None:
        return place_of(node, self._reader.instance)
