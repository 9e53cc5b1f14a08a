"""What a walk over the pieces of a slice has met so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.plan import CapturedInput, Part


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition that is known before the call, and which way it has to turn out."""

    test: cst.BaseExpression
    wanted: bool


@dataclass
class Walked:
    """The state that the walk fills and that its questions read.

    Attributes:
        parts: what the wrapper holds, by place.
        picked: the items of lists and dicts among the parts, with the branches that run each.
        inputs: what forward takes, by the text of the argument.
        replacements: nodes of the slice with what stands for them in forward.
        input_places: places that an argument is read from.
        whole: places that are passed as they are, so that the model may fill them.
        called: places that some piece calls, so that the wrapper holds what is there.
        conditional: places that only some path reads, each with a node that does.
        certain: places that every path reads, or fails for want of them.
        defined: places that the pieces so far have bound or changed.
        free: nodes of the current piece that read a value from outside of it.
        guards: the conditions of the branches that the walk stands in, None for an unknown one.
        ran_module: a trainable module has run, or a random number was drawn.
        blocks: how many `with` blocks of the slice are around.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    picked: dict[str, list[list[Guard]]] = field(default_factory=dict)
    inputs: dict[str, CapturedInput] = field(default_factory=dict)
    replacements: dict[cst.CSTNode, cst.BaseExpression] = field(default_factory=dict)
    input_places: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    called: frozenset[str] = frozenset()
    conditional: dict[str, cst.CSTNode] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    free: set[cst.CSTNode] = field(default_factory=set)
    guards: list[Guard | None] = field(default_factory=list)
    ran_module: bool = False
    blocks: int = 0

    def note_read(self, place: str, node: cst.CSTNode) -> None:
        """Remember what only a branch reads, since the call passes it on every path."""
        if self.guards:
            self.conditional.setdefault(place, node)
        else:
            self.certain.add(place)
