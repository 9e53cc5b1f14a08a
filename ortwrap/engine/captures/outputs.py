"""Carried outputs: what the slice defines and something after it reads."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.later_terms import LaterTerms
from ortwrap.engine.captures.optional import option_of
from ortwrap.engine.captures.output_fields import OUTPUT_FIELDS, is_tensor_field
from ortwrap.engine.captures.rounds_of_outputs import bound_with_a_round
from ortwrap.engine.effects.liveness import asks_whether_bound, bound_by_a_round, surely_binds
from ortwrap.engine.effects.statement import overlap, place_of
from ortwrap.engine.effects.surely_read import surely_read
from ortwrap.engine.effects.taken_values import takes_value
from ortwrap.engine.evidence.own_functions import liveness_behind
from ortwrap.engine.evidence.tensors import TensorProof
from ortwrap.engine.plan import CarriedOutput
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.branches import host_of
from ortwrap.engine.steps.local_names import local_name
from ortwrap.engine.steps.order import Order
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Block, Unit

_LEAVE = (cst.Return, cst.Break, cst.Continue, cst.Yield)
_GRADIENT_ATTRIBUTES = frozenset(
    "grad grad_fn retain_grad register_hook requires_grad requires_grad_ backward".split()
)


class OutputFinder:
    """Finds what has to come out of forward besides the loss."""

    def __init__(self, analyses: Analyses) -> None:
        self._analyses = analyses
        self._tree = analyses.tree
        self._modules = analyses.modules
        self._bindings = analyses.bindings
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._liveness = analyses.liveness
        self._tensors = TensorProof(analyses)
        self._later = LaterTerms(analyses)
        # The names of fields, each with the place that it is a field of.
        self._field_names: dict[str, str] = {}

    def find(
        self, found: LossSlice, order: Order, inputs: set[str]
    ) -> tuple[list[CarriedOutput], dict[cst.CSTNode, str]]:
        """Carried outputs, and later reads of a field that becomes an output of its own.

        Raises:
            Refuse: something later reads a value that only some path of the slice binds.
        """
        self._liveness = liveness_behind(found, self._analyses.liveness)
        written: dict[str, Unit] = {}
        for piece in found.pieces:
            for place in self._bound_in_order(piece):
                written.setdefault(place, piece)
        surely = self._surely_bound(found)
        outputs: list[CarriedOutput] = []
        renames: dict[cst.CSTNode, str] = {}
        for place in written:
            if place == "_":
                continue
            if place != found.place:
                self._check_gradient_reads(place, found)
            live = self._is_live(place, found, order) or self._is_read_unbound(place, found)
            if place == found.place or not live:
                continue
            if place not in inputs and self._is_read_by_slice_alone(place, found, order):
                continue
            fields = self._fields(place, found, order)
            if place not in surely and place not in inputs:
                if fields or asks_whether_bound(self._tree):
                    raise self._gone(place, written[place])
                outputs.append(self._optional(place, written[place], found, order))
                continue
            rescaled = any(
                found.place in self._reader.of(unit.node).writes
                for unit in self._following(found, place)
            )
            if fields:
                for name, nodes in fields.items():
                    new = self._field_name(name, place, found)
                    if name == "loss" and self._is_loss(place, found) and not rescaled:
                        new = found.place or found.name
                    else:
                        detach = is_tensor_field(name, nodes, self._tree)
                        detach = detach and self._graph_ends(place, found, order)
                        outputs.append(CarriedOutput(new, f"{place}.{name}", detach))
                    renames.update(dict.fromkeys(nodes, new))
            else:
                detach = place not in inputs and self._tensors.proves(place, found)
                detach = detach and self._graph_ends(place, found, order)
                outputs.append(CarriedOutput(place, local_name(place, found), detach))
        return outputs, renames

    def _bound_in_order(self, piece: Unit) -> list[str]:
        """Places that a statement binds, in the order in which they stand there."""
        writes = self._reader.of(piece.node).writes
        standing = (place_of(node, self._reader.instance) for node in descendants(piece.node))
        named = dict.fromkeys(place for place in standing if place in writes)
        return [*filter(None, named), *sorted(writes - named.keys())]

    def _optional(self, place: str, first: Unit, found: LossSlice, order: Order) -> CarriedOutput:
        """What only some path of the slice binds.

        Where nothing reads what a name held before, as in `if verbose: print(term)` for what is
        bound on that too, it may become None. An attribute, which anything may read, is set on
        the option that binds it.

        Raises:
            Refuse: what was there before may be read, and would be gone.
        """
        name = local_name(place, found)
        if "." not in place:
            if place in self._liveness.before(first):
                raise self._gone(place, first)
            return CarriedOutput(place, name, False, optional=True)
        option = option_of(place, found, self._analyses)
        lines = (*found.units, order.anchor, found.sink.unit)
        if not option or any(unit.shares_line for unit in lines):
            raise self._gone(place, first)
        local = self.output_name(name, found)
        return CarriedOutput(local, name, False, True, option, place)

    def _gone(self, place: str, first: Unit) -> Refuse:
        code = self._tree.brief(first.node)
        return Refuse("OW108", first.node, name=place, code=code)

    def _surely_bound(self, found: LossSlice) -> set[str]:
        """Places that have a value at the end of the slice, or forward has failed as eager would.

        What a later statement of the slice reads on every path, a loop has bound before.
        """
        surely = bound_with_a_round(found, self._analyses)
        for piece in found.pieces:
            loops = isinstance(piece.node, (cst.For, cst.While))
            if loops and not self._has_gradient_without(piece, found):
                # Without a round of this loop backward would have failed.
                surely |= bound_by_a_round(piece, self._tree, self._reader)
            if not isinstance(piece.node, cst.BaseCompoundStatement):
                surely |= surely_read(piece.node, self._reader.instance)
            surely |= surely_binds(piece, self._tree, self._reader)
        return surely

    def _has_gradient_without(self, loop: Unit, found: LossSlice) -> bool:
        """A module takes part in the loss even if a loop of the slice makes no round."""
        tied: set[str] = set()
        for piece in found.units:
            if piece is not loop and (
                self._flow.module_uses(piece.node) or overlap(self._flow.reads(piece.node), tied)
            ):
                tied |= self._reader.of(piece.node).changes
        if found.place is not None:
            return bool(overlap({found.place}, tied))
        reads = self._flow.reads(found.loss)
        return bool(overlap(reads, tied)) or bool(self._flow.module_uses(found.loss))

    def gone(self, found: LossSlice, outputs: list[CarriedOutput], inputs: set[str]) -> set[str]:
        """Places that only forward binds now."""
        kept = {output.place for output in outputs} | {found.place} | inputs
        bound = (self._reader.of(piece.node).writes for piece in found.pieces)
        return {place for places in bound for place in places if place not in kept}

    def _check_gradient_reads(self, place: str, found: LossSlice) -> None:
        """`.grad` and hooks of what forward computes are not to be had."""
        inside = {node for piece in found.pieces for node in descendants(piece.node)}
        function = self._tree.enclosing(found.sink.call)
        for node in descendants(function):
            parent = self._tree.parents.get(node)
            if place_of(node, self._reader.instance) != place or node in inside:
                continue
            if not isinstance(parent, cst.Attribute):
                continue
            asks = parent.attr.value in _GRADIENT_ATTRIBUTES
            if asks and not self._is_bound_anew(place, self._tree.unit_of(node), found):
                raise Refuse("OW302", parent, code=self._tree.code(parent), name=place)

    def _is_bound_anew(self, place: str, unit: Unit, found: LossSlice) -> bool:
        """On every path from the slice to a unit something else binds the place."""
        hosts = {*found.pieces, *self._around(found.block.units[0])}
        blocks = {host.block for host in hosts}
        for current in (unit, *self._around(unit)):
            for earlier in reversed(current.block.units[: current.index]):
                if earlier in hosts:
                    return False
                if place in surely_binds(earlier, self._tree, self._reader):
                    return True
            if current.block in blocks:
                return False
        return False

    def _around(self, unit: Unit) -> Iterator[Unit]:
        """The compound statements that a unit stands in, from the innermost."""
        parent = self._tree.parent_unit(unit)
        while parent is not None:
            yield parent
            parent = self._tree.parent_unit(parent)

    def _is_live(self, place: str, found: LossSlice, order: Order) -> bool:
        earlier = {(value.place, value.unit) for value in order.earlier}
        for unit in order.after:
            if self._touches(place, unit) and (place, unit) not in earlier:
                return True
        if found.inline and self._read_beside_loss(place, found):
            return True
        last = found.block.units[found.end - 1] if found.end else order.anchor
        units = [unit for unit in found.units if unit.index < found.end]
        last = units[-1] if units else last
        if not units:
            host = found.block.units[found.end]
            return place in self._liveness.after(host)
        live = place in self._liveness.after(last) and self._leaves_a_branch(place, found)
        if live and found.inline:
            return self._live_past_sink(place, found)
        return live

    def _is_read_unbound(self, place: str, found: LossSlice) -> bool:
        """Code in front of the slice reads a name of the function that only the slice binds."""
        function = self._tree.enclosing(found.sink.call)
        bound = self._bindings.scope(function).names.get(place, [])
        inside = {node for piece in found.pieces for node in descendants(piece.node)}
        if not bound or any(binding.node not in inside for binding in bound):
            return False
        body = function if isinstance(function, cst.Module) else function.body
        return any(node not in inside for node in self._reader.of(body).reads.get(place, ()))

    def _is_read_by_slice_alone(self, place: str, found: LossSlice, order: Order) -> bool:
        """What the next round of a loop reads in the slice, forward binds anew or does without."""
        if not found.units or found.inline or place not in self._liveness.exposed(found.units):
            return False
        if any(self._touches(place, unit) for unit in order.after):
            return False
        rest = self._liveness.without(found.units)
        return place not in rest.after(found.units[-1])

    def _leaves_a_branch(self, place: str, found: LossSlice) -> bool:
        """Some path on which the slice binds the place goes on to where that is read.

        `if train: embeds = encode(ids)` binds what later steps read only `if not train`.
        """
        for piece in found.pieces:
            if place not in self._reader.of(piece.node).writes:
                continue
            if not isinstance(piece.node, cst.If):
                return True
            for branch in self._tree.blocks(piece.node):
                binds = any(place in self._reader.of(unit.node).writes for unit in branch.units)
                if binds and place in self._liveness.after(branch.units[-1]):
                    return True
        return False

    def _touches(self, place: str, unit: Unit) -> bool:
        return place in self._reader.of(unit.node).reads

    def _read_beside_loss(self, place: str, found: LossSlice) -> bool:
        """The sink's statement, or one before it, reads the place outside of the loss."""
        loss_nodes = set(descendants(found.loss))
        end = found.end + 1
        start = found.units[-1].index + 1 if found.units else found.end
        for unit in found.block.units[start:end]:
            for node in self._reader.of(unit.node).reads.get(place, []):
                if node not in loss_nodes and not self._in_sibling_sink(node, found):
                    return True
        return False

    def _in_sibling_sink(self, node: cst.CSTNode, found: LossSlice) -> bool:
        """Another branch consumes an equal loss expression."""
        text = self._tree.code(found.loss)
        return any(
            isinstance(ancestor, cst.BaseExpression) and self._tree.code(ancestor) == text
            for ancestor in self._tree.ancestors(node)
        )

    def _live_past_sink(self, place: str, found: LossSlice) -> bool:
        host = found.block.units[found.end]
        return place in self._liveness.after(host)

    def _graph_ends(self, place: str, found: LossSlice, order: Order) -> bool:
        """No gradient can be asked of the place: backward always runs first, or nothing uses it.

        After backward the graph is gone, so whatever reads the value later has no use for it.
        """
        if place in found.open_places or self._later.may_hold(place, found, order):
            return False
        elsewhere = not isinstance(found.sink.call, cst.Call)
        leaves = self._may_leave_before_sink(found)
        if (elsewhere or leaves) and "." in place:
            return False
        host = host_of(found, self._tree)
        together = self._outside_with(found.sink.unit) is self._outside_with(host)
        together = together and not leaves
        if together and not elsewhere and found.sink.keeps_graph is None:
            return True
        function = self._tree.enclosing(found.sink.call)
        inside = {node for piece in found.pieces for node in descendants(piece.node)}
        for node in descendants(function):
            if place_of(node, self._reader.instance) == place and node not in inside:
                unit = self._tree.unit_of(node)
                read = place in self._flow.reads(unit.node) and not takes_value(node, self._tree)
                read = read and not self._is_bound_anew(place, unit, found)
                if read and not self._reports(unit):
                    return False
        return True

    def _may_leave_before_sink(self, found: LossSlice) -> bool:
        """`if not train: return loss, out` stands between the loss and its backward."""
        host, sink = host_of(found, self._tree), found.sink.unit
        if host.block is not sink.block:
            return False
        between = list(host.block.units[host.index + 1 : sink.index])
        if host is not found.pieces[0]:
            between += found.block.units[found.pieces[0].index + 1 :]
        return any(isinstance(node, _LEAVE) for unit in between for node in descendants(unit.node))

    def _reports(self, unit: Unit) -> bool:
        """`self.log("accuracy", ...)`: a logger takes the value and no gradient."""
        value = unit.node.value if isinstance(unit.node, cst.Expr) else None
        classes, instance = self._modules.classes, self._reader.instance
        return isinstance(value, cst.Call) and classes.only_reports(value.func, instance)

    def _outside_with(self, unit: Unit) -> Block:
        """The block that a statement runs in, `with` blocks not counted."""
        parent = self._tree.parent_unit(unit)
        while parent is not None and isinstance(parent.node, cst.With):
            unit, parent = parent, self._tree.parent_unit(parent)
        return unit.block

    # -- structured outputs ------------------------------------------------------------------------

    def _fields(self, place: str, found: LossSlice, order: Order) -> dict[str, list[cst.CSTNode]]:
        """Fields of a model output that later statements read, if they read nothing else of it."""
        fields: dict[str, list[cst.CSTNode]] = {}
        last: Unit | None = None
        for unit in (*order.after, *self._following(found, place)):
            for node in self._reader.of(unit.node).reads.get(place, []):
                parent = self._tree.parents.get(node)
                if not isinstance(parent, cst.Attribute) or parent.attr.value not in OUTPUT_FIELDS:
                    return {}
                fields.setdefault(parent.attr.value, []).append(parent)
            last = unit
        if fields and last is not None and place in self._liveness.after(last):
            node = found.pieces[0].node
            raise Refuse("OW108", node, name=place, code=self._tree.brief(node))
        return fields

    def _following(self, found: LossSlice, place: str) -> Iterator[Unit]:
        """Statements after the slice up to the end of its loop, or to a new binding."""
        start = found.units[-1] if found.units else found.block.units[found.end]
        skip = set(found.units)
        current: Unit | None = start
        while current is not None:
            for unit in current.block.units[current.index + 1 :]:
                if unit not in skip:
                    yield unit
                if place in surely_binds(unit, self._tree, self._reader):
                    return
            current = self._tree.parent_unit(current)
            if current is not None and isinstance(current.node, (cst.For, cst.While)):
                return

    def _is_loss(self, place: str, found: LossSlice) -> bool:
        """The loss itself is `outputs.loss`."""
        wanted = f"{place}.loss"
        if self._tree.code(found.loss) == wanted:
            return True
        last = found.units[-1].node if found.units else None
        return isinstance(last, cst.Assign) and self._tree.code(last.value) == wanted

    def _field_name(self, field: str, place: str, found: LossSlice) -> str:
        """`logits` of `output.logits`; of another step's `other.logits` it is `other_logits`."""
        name = self.output_name(field, found)
        if self._field_names.setdefault(name, place) != place:
            name = self.output_name(f"{place.split('.')[-1]}_{field}", found)
        return name

    def output_name(self, field: str, found: LossSlice) -> str:
        """A name for an output that the step's function does not use so far."""
        function = self._tree.enclosing(found.sink.call)
        taken = self._bindings.scope(function).names
        read = self._reader.of(_body(function)).reads
        while field in taken or field in read:
            field += "_out"
        return field


def _body(function: cst.CSTNode) -> cst.CSTNode:
    return function.body if isinstance(function, cst.FunctionDef) else function
