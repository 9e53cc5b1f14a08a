"""The immutable description of one step's rewrite, made before any code is generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import libcst as cst

from ortwrap.engine.steps.order import Order
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import SourceTree, Unit

ImportStatement = Union[cst.Import, cst.ImportFrom]


@dataclass(frozen=True)
class Part:
    """A module or callable that the wrapper holds.

    Attributes:
        name: constructor parameter and attribute of the generated class.
        place: what the script calls it.
        trainable: it is a trainable module rather than a criterion or a function.
        found_by: places that decide which object `place` is, where these are others: the list
            and the index of `models[i]`.
        spread: it is a plain list, whose modules are handed over one by one.
        of_object: it is an attribute of an object, which may have another one at each step.
    """

    name: str
    place: str
    trainable: bool
    found_by: tuple[str, ...] = ()
    spread: bool = False
    of_object: bool = False

    @property
    def argument(self) -> str:
        """What `ort_module` is given for it."""
        return f"*{self.place}" if self.spread else self.place

    @property
    def roots(self) -> tuple[str, ...]:
        """Places whose change may make `place` another object."""
        return self.found_by or (self.place,)


@dataclass(frozen=True)
class CapturedInput:
    """A value that the slice reads and does not define.

    Attributes:
        name: parameter of forward.
        expression: argument at the call, in the script's own words.
        star: it is passed on as `**name`.
    """

    name: str
    expression: str
    star: bool = False


@dataclass(frozen=True)
class CarriedOutput:
    """A value that the slice defines and that something after it reads.

    Attributes:
        place: where the script keeps it, the target at the call.
        value: what forward returns for it.
        detach: it is known to be a tensor that nothing takes a gradient of.
        optional: only some path binds it; forward returns None on the others.
        option: the test on which the script sets its attribute to it, if it is no plain name.
        attribute: that attribute.
    """

    place: str
    value: str
    detach: bool
    optional: bool = False
    option: str = ""
    attribute: str = ""


@dataclass(frozen=True)
class NamedEarly:
    """A value that forward gives a name of its own before it changes.

    Attributes:
        name: that name.
        value: what forward calls the value until then.
        behind: the piece of the slice that computes it.
        copied: it is changed in place.
    """

    name: str
    value: str
    behind: Unit
    copied: bool


@dataclass(frozen=True, eq=False)
class Constructed:
    """A criterion that the generated class makes instead of a statement of the script.

    Attributes:
        unit: that statement.
        attribute: what the class calls the criterion.
        constructor: what follows `nn.` where it is made.
    """

    unit: Unit
    attribute: str
    constructor: str


@dataclass(frozen=True, eq=False)
class Captures:
    """How the slice's code turns into the body of forward.

    Attributes:
        parts: what the constructor takes, trainable modules first.
        inputs: what forward takes.
        outputs: what forward returns after the loss.
        replacements: nodes of the slice with what stands for them in forward.
        renames: nodes after the slice that read a field which is now an output of its own.
        deletions: `del` statements with the names that live in forward only now.
        releases: statements that let go of a module which the wrapper holds.
        unbound: inputs that only some paths bind: they start as None.
        imports: imports of the step's function that forward makes too.
        early: values of the slice that get names of their own.
    """

    parts: tuple[Part, ...]
    inputs: tuple[CapturedInput, ...]
    outputs: tuple[CarriedOutput, ...]
    replacements: dict[cst.CSTNode, cst.BaseExpression]
    renames: dict[cst.CSTNode, str]
    deletions: dict[cst.Del, frozenset[str]]
    releases: tuple[cst.Del | cst.Assign, ...]
    unbound: tuple[str, ...]
    imports: tuple[ImportStatement, ...]
    early: tuple[NamedEarly, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is decided about one step.

    Attributes:
        sinks: what consumes the loss; several when branches share one loss.
        found: the loss slice.
        order: where the call stands.
        captures: inputs, outputs and parts.
        loss_target: name that the call binds the loss to.
        constructed: criteria that the generated class makes.
    """

    sinks: tuple[Sink, ...]
    found: LossSlice
    order: Order
    captures: Captures
    loss_target: str
    constructed: tuple[Constructed, ...] = ()

    def moved_comments(self, tree: SourceTree) -> frozenset[Unit]:
        """Statements whose comments above go with them into forward.

        What stands above the call describes it and stays, unless it is about a branch or a loop, or
        the last of several such comments. So does what heads the step, unless other statements part
        the two. A comment behind a statement always goes with it.
        """
        anchor = self.order.anchor
        parted = any(unit.index < anchor.index for unit in self.order.between)
        gone = self.found.units if parted else self.found.units[1:]
        several = any(
            unit is not anchor and tree.is_comment_line(tree.line(unit.node) - 1) for unit in gone
        )
        stays = not (several or isinstance(anchor.node, cst.BaseCompoundStatement))
        return frozenset(gone) - ({anchor} if stays or anchor.shares_line else set())
