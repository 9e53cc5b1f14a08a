"""From a sink back to everything its loss is computed from: the loss slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import overlap, place_of
from ortwrap.engine.reasons.attempts import is_read_on_failure
from ortwrap.engine.reasons.shared_graph import SharedGraph
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.block_slices import BlockSlice, BlockSlicer
from ortwrap.engine.steps.headers import bound_in_header
from ortwrap.engine.steps.reducing import reduced_in_branches
from ortwrap.engine.steps.scaling import factors_of, scaling_of
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.text.tree import Block, Unit


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


class Slicer:
    """Computes loss slices inside one function or the module."""

    def __init__(self, analyses: Analyses, sinks: Sequence[Sink]) -> None:
        self._tree = analyses.tree
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._sinks = sinks
        self._blocks = BlockSlicer(analyses, sinks)

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
        needed, gradient = self._read_by(loss)
        return self._blocks.slice(unit.block, unit.index, needed, gradient).with_gradient

    def without(self, found: LossSlice, outside: frozenset[Unit]) -> LossSlice | None:
        """The same slice with some of its statements left where they are, as inputs of the rest.

        None if what is left runs no module, or if one of them cannot be left.
        """
        needed, flowing = self._read_by(found.loss)
        if found.place is not None:
            needed = flowing = frozenset({found.place})
        part = self._blocks.slice(found.block, found.end, needed, flowing, outside)
        if not part.units or part.upstream or outside.intersection(part.units):
            return None
        return replace(found, units=part.units, preparation=part.preparation)

    def is_barrier(self, unit: Unit) -> bool:
        """A statement that no forward may be moved across: an update or another backward."""
        return self._blocks.is_barrier(unit)

    # -- finding the block ---------------------------------------------------------------------

    def _climb(self, sink: Sink, loss: cst.BaseExpression, inline: bool) -> LossSlice:
        """The slice in the first block around the sink that a module of the loss is used in."""
        needed, with_gradient = self._read_by(loss)
        here = sink.unit if inline and self._flow.module_uses(loss) else None
        place = None if inline else self._place(loss)
        unit: Unit | None = sink.unit
        crossed: Unit | None = None
        while unit is not None:
            part = self._blocks.slice(unit.block, unit.index, needed, with_gradient)
            if place is not None and part.carried and not part.units and needed == {place}:
                place, end = self._before_scaling(place, unit, sink)
                part = self._blocks.slice(unit.block, end, frozenset((place,)), frozenset((place,)))
            if part.units or unit is here:
                if crossed is not None:
                    raise self._of_several_blocks(part.units or (unit,), loss)
                return _loss_slice(part, sink, loss, place, unit.block, unit.index)
            if part.upstream:
                raise SharedGraph(part.upstream, self._tree)
            if part.stopped:
                break
            needed, with_gradient = part.needed, part.with_gradient
            crossed = unit if part.carried else crossed
            tried = self._tried_before(unit, needed, with_gradient)
            if tried is not None:
                part, body = tried
                failing = is_read_on_failure(part.units, body, self._tree, self._reader)
                if inline or crossed is not None or failing:
                    raise self._of_several_blocks(part.units, loss)
                return _loss_slice(part, sink, loss, place, body, len(body.units))
            unit = self._tree.parent_unit(unit)
            if unit is not None and isinstance(unit.node, (cst.For, cst.While)):
                crossed = unit
            bound = None if unit is None or needed != {place} else bound_in_header(unit, place)
            if bound is not None:
                loss, place, inline, here = bound, None, True, unit
                needed, with_gradient = self._read_by(loss)
        raise Refuse("OW101", loss=self._tree.brief(loss), unknown="")

    def _tried_before(
        self, unit: Unit, needed: frozenset[str], with_gradient: frozenset[str]
    ) -> tuple[BlockSlice, Block] | None:
        """What the loss takes from the `try` whose `else` a statement stands in, and its body."""
        body = self._tree.tried_before(unit)
        if body is None:
            return None
        part = self._blocks.slice(body, len(body.units), needed, with_gradient)
        return (part, body) if part.units else None

    def _read_by(self, loss: cst.BaseExpression) -> tuple[frozenset[str], frozenset[str]]:
        """The places that an expression reads, and those whose gradients reach it."""
        return frozenset(self._reader.of(loss).reads), frozenset(self._flow.reads(loss))

    def _of_several_blocks(self, units: Sequence[Unit], loss: cst.BaseExpression) -> Refuse:
        line = self._tree.line(units[0].node)
        return Refuse("OW104", loss=self._tree.brief(loss), line=line)

    def _before_scaling(self, place: str, unit: Unit, sink: Sink) -> tuple[str, int]:
        """The place that a branch only scales on the way to its backward, and where it begins."""
        end = unit.index
        for earlier in reversed(unit.block.units[: unit.index]):
            if place not in self._reader.of(earlier.node).changes:
                continue
            scaling = scaling_of(earlier, place, self._reader.instance)
            if scaling is None or scaling.inner is None:
                break
            if any(self._reaches_module(factor, sink) for factor in scaling.factors):
                break
            place, end = scaling.inner, earlier.index
        return place, end

    # -- narrowing -----------------------------------------------------------------------------

    def inside(self, found: LossSlice, block: Block) -> LossSlice | None:
        """The slice of what a block of its only statement computes; None if that is no loss."""
        inner = self._within(found, block)
        return None if inner is None else self._leave_scaling_outside(self._descend(inner))

    def _within(self, found: LossSlice, block: Block) -> LossSlice | None:
        place = found.place or ""
        part = self._blocks.slice(block, len(block.units), frozenset({place}), frozenset({place}))
        if not any(place in self._reader.of(unit.node).changes for unit in part.units):
            return None
        return replace(
            found,
            block=block,
            units=part.units,
            preparation=part.preparation,
            end=len(block.units),
            upstream=(*part.upstream, *found.upstream),
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
        part = self._blocks.slice(block, len(block.units), frozenset({place}), frozenset({place}))
        return bool(part.units)

    def _leave_scaling_outside(self, found: LossSlice) -> LossSlice:
        """`loss = loss / accumulation_steps` needs no graph, and its divisor may change."""
        units = list(found.units)
        scaled = len(units)
        while len(units) > 1 and found.place is not None:
            inner = self._scaled_place(units, found.place)
            if inner is None:
                break
            last = units.pop()
            end = min(found.end, last.index)
            found = replace(found, units=tuple(units), end=end, place=inner)
        if len(units) == scaled or found.place is None:
            kept = tuple(unit for unit in found.preparation if unit.index < found.end)
            return replace(found, preparation=kept)
        # What else was done beside the scaling, a metric say, may have needed more.
        places = frozenset({found.place})
        part = self._blocks.slice(found.block, found.end, places, places)
        return replace(found, units=part.units, preparation=part.preparation)

    def _scaled_place(self, units: list[Unit], place: str) -> str | None:
        """The place that the last unit only scales into `place`, with factors of no gradient."""
        scaling = scaling_of(units[-1], place, self._reader.instance)
        if scaling is None:
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
        needed, gradient = self._read_by(factor)
        unit: Unit | None = sink.unit
        while unit is not None and gradient:
            part = self._blocks.slice(unit.block, unit.index, needed, gradient)
            if part.units or part.upstream or part.carried:
                return True
            needed, gradient = part.needed, part.with_gradient
            unit = self._tree.parent_unit(unit)
        return False

    def _place(self, node: cst.CSTNode) -> str | None:
        return place_of(node, self._reader.instance)


def _loss_slice(
    part: BlockSlice,
    sink: Sink,
    loss: cst.BaseExpression,
    place: str | None,
    block: Block,
    end: int,
) -> LossSlice:
    """The loss slice that the statements of one block make."""
    return LossSlice(
        sink=sink,
        loss=loss,
        place=place,
        inline=place is None,
        block=block,
        units=part.units,
        preparation=part.preparation,
        end=end,
        upstream=part.upstream,
    )
