"""Steps that go through ONNX Runtime before anything is rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.members import Key
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.writing.standalone import ORT_MODULES, made_by_hand


class ExistingUses:
    """Tells what `ort_module` or `ORTModule` already wrap in one script."""

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules

    def is_rewritten(self, sink: Sink) -> bool:
        """The loss comes out of a wrapper that `ort_module` made, or its plain stand-in."""
        if not self.wrappers:
            return False
        reader = EffectsReader(self._bindings, self._tree.enclosing(sink.call))
        if self.wrappers & set(reader.of(sink.loss).reads):
            return True
        return bool(self._defining_calls(sink, reader) & self.wrappers)

    @cached_property
    def wrappers(self) -> set[str]:
        """Names of wrappers that `ort_module` or its plain stand-in made."""
        by_hand = made_by_hand(self._tree, self._bindings)
        return {
            target.value
            for target, call in self._made()
            if isinstance(target, cst.Name)
            and (
                self._bindings.qualified(call.func) == "ortwrap.runtime.ort_module"
                or (by_hand is not None and self._bindings.definition(call.func) is by_hand)
            )
        }

    def is_inside_ort(self, found: LossSlice) -> bool:
        """All that computes the loss is one call of an `ORTModule`.

        One around the model alone leaves the loss outside: such a step is rewritten.
        """
        calls = [
            node
            for piece in found.pieces
            for node in descendants(piece.node)
            if isinstance(node, (cst.Call, cst.BinaryOperation))
        ]
        return len(calls) == 1 and isinstance(calls[0], cst.Call) and self._runs_ort(calls[0])

    def _runs_ort(self, call: cst.Call) -> bool:
        key = self._modules.key(call.func)
        return key is not None and key in self._ort_modules

    @cached_property
    def _ort_modules(self) -> set[Key | None]:
        """Places that hold an `ORTModule`, or an engine that was given one."""
        made = list(self._made())
        held = {self._modules.key(target) for target, call in made if self._is_ort(call)}
        return held | {
            self._modules.key(engine)
            for engine, call in made
            if self._is_engine(engine)
            and any(
                self._is_ort(argument.value) or self._modules.key(argument.value) in held - {None}
                for argument in call.args
            )
        }

    def _is_ort(self, made: cst.CSTNode) -> bool:
        return isinstance(made, cst.Call) and self._bindings.qualified(made.func) in ORT_MODULES

    def _is_engine(self, place: cst.CSTNode) -> bool:
        evidence = self._modules.evidence(place)
        return evidence is not None and evidence.role == "engine"

    def _made(self) -> Iterator[tuple[cst.CSTNode, cst.Call]]:
        """Assignments of what a call returned."""
        for node in self._tree.assignments:
            if isinstance(node, cst.Assign) and isinstance(node.value, cst.Call):
                for target in node.targets:
                    yield target.target, node.value
                    if isinstance(target.target, (cst.Tuple, cst.List)):
                        yield from ((each.value, node.value) for each in target.target.elements)

    def _defining_calls(self, sink: Sink, reader: EffectsReader) -> set[str]:
        """Names called in the last statements that bind what the loss is read from."""
        wanted = set(reader.of(sink.loss).reads)
        found: set[str] = set()
        unit: Unit | None = sink.unit
        while unit is not None:
            tried = self._tree.tried_before(unit)
            before = [*(tried.units if tried is not None else ()), *unit.block.units[: unit.index]]
            for earlier in reversed(before):
                effects = reader.of(earlier.node)
                if effects.changes & wanted:
                    found |= set(effects.reads)
                    wanted |= set(effects.reads)
            unit = self._tree.parent_unit(unit)
            if unit is not None and isinstance(unit.node, cst.If):
                condition = reader.header(unit.node)
                read = set(condition.reads) if condition.writes & wanted else set()
                found |= read
                wanted |= read
        return found
