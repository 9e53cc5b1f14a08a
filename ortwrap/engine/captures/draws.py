"""Samples that a distribution draws in the slice, and who else is told of them.

torch draws the same sample in a graph as without one. But what an environment does with an action,
for example, decides what follows in the script, and no graph holds that.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.outside import Outside
from ortwrap.engine.captures.walked import Walked
from ortwrap.engine.effects.statement import place_of, root_place
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import calls_in, descendants

_DRAWS = ("sample", "rsample", "multinomial")
_DISTRIBUTIONS = "torch.distributions."


class Draws:
    """Follows the samples of one slice from piece to piece."""

    def __init__(self, analyses: Analyses, walked: Walked, outside: Outside) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._reader = analyses.reader
        self._walked = walked
        self._outside = outside
        # The places that hold a sample, or what was computed from one, and the call that drew it.
        self._drawn: dict[str, cst.Call] = {}
        # The places that hold one of torch's distributions, which are known to draw torch's way.
        self._distributions: set[str] = set()

    def check(self, piece: cst.CSTNode) -> None:
        """Look at the next piece, before the walk takes what it defines for known.

        Raises:
            Refuse: a sample goes to something that may do more with it than compute, or comes from
                something of which it is not known how it draws.
        """
        own = self._reader.of(piece).writes
        statements = (
            each for each in descendants(piece) if isinstance(each, cst.BaseSmallStatement)
        )
        for part in dict.fromkeys((*statements, piece)):
            self._check_part(part, own)

    def behind(self, value: cst.CSTNode) -> cst.Call | None:
        """The draw that a value of the pieces so far goes back to, None if none."""
        return self._drawn_in(value, set())

    def _check_part(self, part: cst.CSTNode, own: set[str]) -> None:
        """Look at one statement, of a piece that binds `own`."""
        for call in calls_in(part):
            if self._is_draw(call, own) and not self._is_of_torch(call):
                raise Refuse("OW306", call, code=self._tree.code(call))
            drawn = self._drawn_for(call, own)
            if drawn is not None and not self._computes(call, self._walked.defined | own):
                raise Refuse("OW306", drawn, code=self._tree.code(drawn))
        self._distributions |= self._distributions_made_by(part)
        drawn = self._drawn_in(part, own)
        if drawn is not None:
            self._drawn.update(dict.fromkeys(self._reader.of(part).changes, drawn))

    def _distributions_made_by(self, part: cst.CSTNode) -> set[str]:
        if isinstance(part, cst.Assign) and self._makes_distribution(part.value):
            return self._reader.of(part).writes
        return set()

    def _makes_distribution(self, value: cst.BaseExpression) -> bool:
        called = self._bindings.qualified(value.func) if isinstance(value, cst.Call) else None
        return (called or "").startswith(_DISTRIBUTIONS)

    def _is_of_torch(self, draw: cst.Call) -> bool:
        """Torch's distribution draws, or torch from a tensor of probabilities."""
        owner = cst.ensure_type(draw.func, cst.Attribute)
        place = place_of(owner.value, self._reader.instance)
        known = place in self._distributions or self._makes_distribution(owner.value)
        return known or owner.attr.value == "multinomial"

    def _drawn_for(self, call: cst.Call, own: set[str]) -> cst.Call | None:
        """The draw that an argument of a call goes back to."""
        found = (self._drawn_in(argument.value, own) for argument in call.args)
        return next((drawn for drawn in found if drawn is not None), None)

    def _drawn_in(self, node: cst.CSTNode, own: set[str]) -> cst.Call | None:
        for call in calls_in(node):
            if self._is_draw(call, own):
                return call
        reads = self._reader.of(node).reads
        return next((self._drawn[place] for place in reads if place in self._drawn), None)

    def _is_draw(self, call: cst.Call, own: set[str]) -> bool:
        """A distribution of the slice draws, neither a module nor what stays outside of forward."""
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in _DRAWS:
            return False
        if self._modules.is_trainable(func.value):
            return False
        reads = self._reader.of(call).reads
        return not (own.isdisjoint(reads) and self._outside.is_of_inputs_only(call))

    def _computes(self, call: cst.Call, computed: set[str]) -> bool:
        """What is called is torch's, a module, or a method of what the step has computed."""
        func = call.func
        owner = func.value if isinstance(func, cst.Attribute) else None
        if isinstance(owner, cst.Call):
            return self._computes(owner, computed)
        if (self._bindings.qualified(func) or "").startswith("torch."):
            return True
        if self._modules.evidence(func) is not None:
            return True
        if owner is None:
            return False
        root = root_place(owner, self._reader.instance)
        return root is None or root in computed or self._modules.is_trainable(owner)
