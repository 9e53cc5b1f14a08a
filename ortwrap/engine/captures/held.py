"""What the wrapper holds: the modules and criteria that the slice uses."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.conditions import any_of
from ortwrap.engine.captures.names import name_for_item_of, part_name
from ortwrap.engine.captures.walked import Walked
from ortwrap.engine.names.held_module import HeldModule
from ortwrap.engine.plan import Part
from ortwrap.engine.reasons.own_ways import check_own_way
from ortwrap.engine.refusals import Refuse


class HeldParts:
    """Gives the wrapper a part for each module, and puts it where the slice names the module.

    Args:
        analyses: of the step's function.
        walked: the walk whose parts these are.
        loss: the loss that is lifted, for messages.
        by_instance: `self` is the module, and held whole.
    """

    def __init__(
        self, analyses: Analyses, walked: Walked, loss: cst.BaseExpression, by_instance: bool
    ) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._reader = analyses.reader
        self._instance = analyses.reader.instance
        self._walked = walked
        self._loss = loss
        self._by_instance = by_instance

    def hold(self, node: cst.BaseExpression, place: str) -> None:
        """What is named at a place, under the same name wherever the slice names it."""
        instance = self._instance
        if self._by_instance and instance is not None and place.split(".")[0] == instance:
            self._hold_instance(node, place, instance)
            return
        self._walked.note_read(place, node)
        check_own_way(node, place, self._modules)
        if place not in self._walked.parts:
            trainable = self._modules.is_trainable(node)
            self._walked.parts[place] = Part(self._name(place), place, trainable)
        name = self._walked.parts[place].name
        self._walked.replacements[node] = cst.Attribute(cst.Name("self"), cst.Name(name))

    def _hold_instance(self, node: cst.BaseExpression, place: str, instance: str) -> None:
        """`self` is a module and is held whole: its own modules and methods are reached by it."""
        name = self._name("model")
        part = self._walked.parts.setdefault(instance, Part(name, instance, True))
        held = cst.Attribute(cst.Name("self"), cst.Name(part.name))
        attribute = place[len(instance) + 1 :]
        reached = cst.Attribute(held, cst.Name(attribute)) if attribute else held
        self._walked.replacements[node] = reached

    def hold_item(self, node: cst.Subscript | cst.Attribute) -> None:
        """The wrapper holds the one module; an index that changes makes another wrapper."""
        place = self._tree.source(node)
        check_own_way(node, place, self._modules)
        reads = self._reader.of(node).reads
        for root, readers in reads.items():
            self._walked.note_read(root, readers[0])
        # The other branches may be there because there is no such item.
        guards = [guard for guard in self._walked.guards if guard is not None]
        if len(guards) < len(self._walked.guards):
            raise Refuse("OW112", node, loss=self._tree.brief(self._loss), code=place)
        self._walked.picked.setdefault(place, []).append(guards)
        if place not in self._walked.parts:
            name = self._name(self._name_of_item(node, place))
            trainable = self._modules.is_trainable(node)
            owned = isinstance(node, cst.Attribute)
            part = Part(name, place, trainable, tuple(reads), of_object=owned)
            self._walked.parts[place] = part
        name = self._walked.parts[place].name
        self._walked.replacements[node] = cst.Attribute(cst.Name("self"), cst.Name(name))

    def pick_under_conditions(self) -> None:
        """`nets[2] if kind == "hint" else None`, where only one branch runs the module."""
        for place, branches in self._walked.picked.items():
            condition = any_of(branches, self._tree)
            if condition:
                part = self._walked.parts[place]
                tests = {guard.test for guards in branches for guard in guards}
                roots = {root for test in tests for root in self._reader.of(test).reads}
                self._walked.parts[place] = replace(
                    part,
                    place=f"{place} if {condition} else None",
                    found_by=(*part.found_by, *sorted(roots - set(part.found_by))),
                )

    def hold_list(self, node: cst.BaseExpression, place: str) -> None:
        """All modules of a plain list: the wrapper keeps them in an `nn.ModuleList`.

        Raises:
            Refuse: it is a dict, or the second such list.
        """
        held = self._walked.parts.get(place)
        others = [part for part in self._walked.parts.values() if part.spread and part is not held]
        if others or not self._is_used_as_list(node):
            raise Refuse("OW112", node, loss=self._tree.brief(self._loss), code=place)
        self._walked.note_read(place, node)
        if held is None:
            held = Part(self._name(place), place, True, (place,), spread=True)
            self._walked.parts[place] = held
        self._walked.replacements[node] = cst.Attribute(cst.Name("self"), cst.Name(held.name))

    def _is_used_as_list(self, node: cst.BaseExpression) -> bool:
        if self._modules.is_mapping(node):
            return False
        parent = self._tree.parents.get(node)
        return not isinstance(parent, cst.Attribute)

    def hold_for_helper(self, held: HeldModule, func: cst.BaseExpression) -> None:
        """A module that a helper runs is held by the wrapper, so that its parameters train."""
        place = held.place(self._instance)
        if place not in self._walked.parts and not held.of_instance:
            owner = self._bindings.scope_of(func).owner(held.root or place)
            if owner is None or not owner.is_module:
                raise Refuse("OW107", func, name=self._tree.code(func), why=f"runs `{place}`")
        self.hold_found(held)

    def hold_found(self, held: HeldModule) -> None:
        """A module that a callee of the slice runs, by what the slice would call it."""
        place = held.place(self._instance)
        if place in self._walked.parts:
            return
        item = cst.parse_expression(place) if held.root else None
        name = self._name(place if item is None else self._name_of_item(item, place))
        roots = (held.root,) if held.root else ()
        owned = isinstance(item, cst.Attribute)
        self._walked.parts[place] = Part(name, place, True, roots, of_object=owned)

    def _name_of_item(self, node: cst.BaseExpression, place: str) -> str:
        if isinstance(node, cst.Subscript):
            return name_for_item_of(node, self._bindings)
        return place

    def _name(self, place: str) -> str:
        return part_name(place, (part.name for part in self._walked.parts.values()))
