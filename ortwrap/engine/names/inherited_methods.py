"""Methods that a step's class has from a base class in another file: what they run and change.

They are looked through as helpers of the script are, in the file that defines them. There `self` is
an instance of the script's class, so that nothing the script's classes override or change may be
taken for what the base class says.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.harm_elsewhere import reached_from
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import OtherFile
from ortwrap.engine.names.held_module import HeldModule
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.names.steady import changes_after_init
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import descendants


@dataclass(frozen=True)
class InheritedMethod:
    """One such method, as a step calls it.

    Attributes:
        func: the call's `self.penalty`, for refusals.
        place: the same as people read it.
        function: what it runs.
        home: the class that defines it.
        file: the file of that class.
        lineage: of the class that the step stands in.
    """

    func: cst.BaseExpression
    place: str
    function: cst.FunctionDef
    home: Ancestor
    file: OtherFile
    lineage: Lineage

    def check(self, call: cst.Call) -> None:
        """Refuse a method that does more than compute a value from what stays the same.

        Raises:
            Refuse: as `Helpers.check`, where the script calls it.
        """
        try:
            self.file.helpers.check(self.function, self.place)
        except Refuse as refusal:
            line = self.file.tree.line(refusal.node or self.function)
            raise refusal.seen_from(self.func, f"{self.file.shown}:{line}") from None
        self.check_instance()
        changed = self.file.helpers.callees.changed_by(self.function, surely=True)
        for parameter, argument in pair_arguments(self.function, call):
            if parameter in changed:
                code = self.lineage.members[0].bindings.tree.code(argument)
                raise self._refusal(f"changes `{code}`", self.function)

    def held_modules(self) -> tuple[HeldModule, ...]:
        """The modules of the instance that it runs without being given them.

        Raises:
            Refuse: it runs a module that its own file holds.
        """
        found = self.file.helpers.held_modules(self.function)
        for held in found:
            if not held.of_instance or held.root:
                raise self._refusal(f"runs `{held.name}`", self.function)
        return found

    def check_instance(self) -> None:
        """Refuse a method that may take other things from the instance than its file says.

        Raises:
            Refuse: some class that derives from its own has or changes them.
        """
        for function in reached_from(self.function, self.file.helpers):
            self._check_instance(function)

    def _check_instance(self, function: cst.FunctionDef) -> None:
        reader = EffectsReader(self.file.bindings, function)
        parents = self.file.tree.parents
        for node in descendants(function.body):
            if not isinstance(node, cst.Name):
                continue
            if node.value == "super":
                raise self._refusal("calls a method of a base class in turn", node)
            if node.value == reader.instance and not isinstance(parents[node], cst.Attribute):
                raise self._refusal(f"uses `{node.value}` whole", node)
        for place, readers in reader.of(function.body).reads.items():
            instance, _, name = place.partition(".")
            if not name or instance != reader.instance:
                continue
            for member in self.lineage.in_front_of(self.home):
                if member.gives(name):
                    raise self._refusal(
                        f"reads `{place}`, which {member.place} has too", readers[0]
                    )
            known = self.file.modules.evidence(readers[0]) is not None
            for member in () if known else self.lineage.members:
                if member != self.home and _changes(name, member):
                    raise self._refusal(
                        f"reads `{place}`, which {member.place} changes", readers[0]
                    )

    def _refusal(self, why: str, node: cst.CSTNode) -> Refuse:
        line = self.file.tree.line(node)
        refusal = Refuse("OW107", node, name=self.place, why=why)
        return refusal.seen_from(self.func, f"{self.file.shown}:{line}")


def inherited_method(
    func: cst.BaseExpression, place: str, home: cst.ClassDef, bindings: Bindings
) -> InheritedMethod | None:
    """What `self.penalty` runs, if a base class in another file defines it.

    Raises:
        Refuse: some class of another file defines it, and it is not certain that this one runs.
    """
    if not isinstance(func, cst.Attribute):
        return None
    lineage, name = Lineage(Ancestor(home, bindings)), func.attr.value
    givers = lineage.givers(name)
    if not givers or givers[0].file is None or _holds_module(name, givers[0]):
        return None
    definer = lineage.definer(name)
    function = definer.method(name) if definer is not None else None
    if definer is None or definer.file is None or function is None:
        why = f"is what {givers[0].place} has by that name, or something else"
        raise Refuse("OW107", func, name=place, why=why)
    return InheritedMethod(func, place, function, definer, definer.file, lineage)


def certain_method(
    func: cst.BaseExpression, place: str, home: cst.ClassDef, bindings: Bindings
) -> InheritedMethod | None:
    """The same, where what it takes from the instance is certain too, and None where it is not."""
    try:
        method = inherited_method(func, place, home, bindings)
        if method is not None:
            method.check_instance()
    except Refuse:
        return None
    return method


def _holds_module(name: str, member: Ancestor) -> bool:
    """`mse = nn.MSELoss()` in the body of a class: no method, whatever is done with it."""
    bound = member.bindings.scope(member.node).names[name]
    modules = member.file.modules if member.file is not None else None
    return modules is not None and all(modules.evidence(each.node) is not None for each in bound)


def _changes(attribute: str, member: Ancestor) -> bool:
    return changes_after_init(attribute, member.node, member.bindings, None)
