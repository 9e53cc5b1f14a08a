"""Which statements may move into forward, where they run once and are replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.computed import comes_from_model
from ortwrap.engine.captures.contexts import Contexts
from ortwrap.engine.captures.draws import Draws
from ortwrap.engine.captures.names import RESERVED
from ortwrap.engine.captures.outside import Outside
from ortwrap.engine.captures.reports import Reports
from ortwrap.engine.captures.walked import Walked
from ortwrap.engine.effects.bare_layers import layer_with_drawn_weights
from ortwrap.engine.effects.facts import asks_for_facts
from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.randomness import BESIDE_TORCH
from ortwrap.engine.effects.statement import place_of, root_place
from ortwrap.engine.evidence.counts import counts_elements, is_size
from ortwrap.engine.evidence.flags import is_flag
from ortwrap.engine.evidence.own_functions import is_own_function
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.constants import is_constant
from ortwrap.engine.reasons.library_methods import check_is_read
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import children, descendants
from ortwrap.engine.text.tree import Unit
from ortwrap.engine.writing.deletions import targets_of

_DO_MORE_THAN_COMPUTE = (
    cst.Return, cst.Break, cst.Continue, cst.Yield, cst.Await, cst.Del, cst.FunctionDef,
    cst.ClassDef, cst.Import, cst.ImportFrom, cst.Try, cst.While, cst.Global, cst.Nonlocal,
)  # fmt: skip
_FILLS = ("append", "extend", "update", "insert", "add")
_LIBRARIES = ("numpy.", "random.")


class StatementCheck:
    """Refuses what a statement of the slice does besides computing."""

    def __init__(
        self, analyses: Analyses, found: LossSlice, walked: Walked, outside: Outside
    ) -> None:
        self._analyses = analyses
        self._found = found
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._objects = analyses.objects
        self._walked = walked
        self._outside = outside
        self._contexts = Contexts(analyses)
        self._draws = Draws(analyses, walked, outside)
        self._loss = analyses.tree.brief(found.loss)
        self._statements = [piece.node for piece in found.pieces]
        # What the slice itself makes, it may also fill.
        self._made_here = self._made(found.pieces)
        self._numbers = _names_of_numbers(found.pieces, analyses.bindings)

    def _made(self, pieces: tuple[Unit, ...]) -> set[str]:
        """Places that the pieces bind, but for second names of what was there before."""
        made = set[str]().union(*(self._reader.of(piece.node).writes for piece in pieces))
        for piece in pieces:
            node = piece.node if isinstance(piece.node, cst.Assign) else None
            if node is None or not isinstance(node.value, (cst.Name, cst.Attribute, cst.Subscript)):
                continue
            root = root_place(node.value, self._reader.instance)
            if root is not None and root not in made:
                places = (place_of(item.target, self._reader.instance) for item in node.targets)
                made -= set(filter(None, places))
        return made

    def check(self, piece: Unit) -> None:
        """Look at one piece, before the walk takes what it defines for known.

        Raises:
            Refuse: it has an effect, decides by computed values, or takes a value out of the graph.
        """
        self._draws.check(piece.node)
        layer = layer_with_drawn_weights(piece.node, self._bindings)
        if layer is not None:
            raise Refuse("OW307", layer, code=self._code(layer))
        if not RESERVED.isdisjoint(self._reader.of(piece.node).writes):
            # In forward it is the wrapper that goes by the name.
            raise Refuse("OW105", piece.node, code=self._code(piece.node))
        for node in descendants(piece.node):
            if isinstance(node, _DO_MORE_THAN_COMPUTE) and not self._stays_inside(node, piece):
                raise Refuse("OW105", node, code=self._code(node))
            if isinstance(node, cst.With) and not self._contexts.only_compute(node):
                raise Refuse("OW105", node, code=self._code(node))
            if isinstance(node, cst.Call):
                self._check_call(node, self._reader.of(piece.node).writes)
            if isinstance(node, cst.Expr) and not self._builds_a_value(node.value):
                raise Refuse("OW105", node, code=self._code(node))
            if isinstance(node, (cst.Assign, cst.AnnAssign, cst.AugAssign)):
                self._check_targets(node)
            self._check_branch(node, piece.node)
            if isinstance(node, (cst.For, cst.CompFor)):
                self._check_source(node)
        code = piece.node.body if isinstance(piece.node, cst.FunctionDef) else piece.node
        for baked in self._flow.baked(code, self._walked.defined):
            reported = Reports(self._tree, self._bindings, self._statements).holds(baked)
            if not reported and not self._outside.is_of_inputs_only(baked):
                drawn = self._draws.behind(baked)
                why, place = ("OW301", baked) if drawn is None else ("OW306", drawn)
                raise Refuse(why, place, code=self._code(place))

    def _stays_inside(self, node: cst.CSTNode, piece: Unit) -> bool:
        """Nothing outside of forward could tell that the statement ran."""
        if isinstance(node, cst.FunctionDef) and node is piece.node:
            return is_own_function(piece, self._found, self._analyses)
        if isinstance(node, cst.Return):
            return self._tree.enclosing(node) is piece.node
        if isinstance(node, cst.Del):
            above = self._tree.units[node].block.units[: self._tree.units[node].index]
            bound = set[str]().union(
                *(surely_binds(unit, self._tree, self._reader) for unit in above)
            )
            names = (place_of(target, self._reader.instance) for target in targets_of(node))
            return all(name in bound and name in self._made_here for name in names)
        return _adds_dimensions(node)

    def _check_call(self, call: cst.Call, own: set[str]) -> None:
        """Look at one call, in a piece that binds `own`."""
        reads = set(self._reader.of(call).reads)
        name = self._bindings.qualified(call.func) or ""
        if not (self._outside.is_over_inputs(call) and not _draws(name)):
            self.check_stays(call)
        if name == "torch.from_numpy" and not self._walked.defined.isdisjoint(reads):
            # A value of the step has been in NumPy, which a graph would keep for good.
            raise Refuse("OW301", call, code=self._code(call))
        if not isinstance(call.func, cst.Attribute):
            return
        check_is_read(call.func, self._analyses)
        method = call.func.attr.value
        if method in ("register_hook", "retain_grad"):
            raise Refuse(
                "OW302", call, code=self._code(call), name=self._tree.code(call.func.value)
            )

    def check_stays(self, call: cst.Call) -> None:
        """What NumPy or `random` computes cannot be computed in forward, but for constants."""
        name = self._bindings.qualified(call.func) or ""
        known = is_constant(call, self._bindings) or counts_elements(call, self._bindings)
        known = known or any(map(self._outside.is_drawn_first, self._comparisons_around(call)))
        if name.startswith(_LIBRARIES) and not known:
            raise Refuse("OW304", call, code=self._code(call))

    def _comparisons_around(self, call: cst.Call) -> Iterator[cst.Comparison]:
        return (node for node in self._tree.ancestors(call) if isinstance(node, cst.Comparison))

    def _check_branch(self, node: cst.CSTNode, piece: cst.CSTNode) -> None:
        """A branch on what the model computed would be taken the same way for good."""
        computed = self._walked.defined | self._reader.of(piece).writes
        for test in _tests(node):
            if self._reads_values(test, computed):
                by_model = comes_from_model(test, self._statements, self._analyses)
                what = "the model computed" if by_model else "the step computes"
                raise Refuse("OW305", test, code=self._code(test), what=what)

    def _check_source(self, loop: cst.For | cst.CompFor) -> None:
        """The batches of a loader that forward goes through would be those of the export."""
        loader = self._objects.loader_among(loop.iter)
        if loader is not None:
            raise Refuse("OW113", loop, loss=self._loss, name=self._code(loader))

    def _reads_values(self, test: cst.CSTNode, computed: set[str]) -> bool:
        """A condition depends on values of what was computed, not on its kind or shape alone."""
        stack = [test]
        while stack:
            node = stack.pop()
            if asks_for_facts(node):
                continue
            place = place_of(node, self._reader.instance)
            if place is not None:
                known = place in self._numbers or is_flag(node, self._bindings)
                if place in computed and not known:
                    return True
                continue
            stack.extend(children(node))
        return False

    def _builds_a_value(self, value: cst.BaseExpression) -> bool:
        """An expression statement that only adds to a container which the slice itself makes."""
        if isinstance(value, (cst.SimpleString, cst.ConcatenatedString, cst.Ellipsis)):
            return True
        if not (isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute)):
            return False
        name = value.func.attr.value
        root = root_place(value.func.value, self._reader.instance)
        return root in self._made_here and (name in _FILLS or name.endswith("_"))

    def _check_targets(self, node: cst.Assign | cst.AnnAssign | cst.AugAssign) -> None:
        targets = (
            [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
        )
        for target in _each_target(targets):
            if not isinstance(target, (cst.Subscript, cst.Attribute)):
                continue
            if place_of(target, self._reader.instance) is not None:
                continue
            if root_place(target, self._reader.instance) not in self._made_here:
                raise Refuse("OW105", node, code=self._code(node))

    def _code(self, node: cst.CSTNode) -> str:
        return self._tree.brief(node)


def _adds_dimensions(node: cst.CSTNode) -> bool:
    """`while x.ndim < y.ndim: ...`: of as many rounds in each step of one exported graph."""
    if not isinstance(node, cst.While) or not isinstance(node.test, cst.Comparison):
        return False
    sides = (node.test.left, *(item.comparator for item in node.test.comparisons))
    leaves = any(isinstance(inner, (cst.Break, cst.Continue)) for inner in descendants(node))
    return not leaves and all(map(_is_rank, sides))


def _is_rank(node: cst.BaseExpression) -> bool:
    """`len(x.shape)`, `x.ndim`, `x.dim()`, or a number."""
    if isinstance(node, cst.Attribute):
        return node.attr.value == "ndim"
    if not isinstance(node, cst.Call):
        return isinstance(node, cst.Integer)
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value == "dim" and not node.args
    length = isinstance(node.func, cst.Name) and node.func.value == "len" and len(node.args) == 1
    of = node.args[0].value if length else None
    return isinstance(of, cst.Attribute) and of.attr.value == "shape"


def _each_target(targets: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Targets one by one, those of `loss, states[i] = ...` too."""
    for target in targets:
        if isinstance(target, (cst.Tuple, cst.List)):
            yield from _each_target([element.value for element in target.elements])
        else:
            yield target


def _names_of_numbers(pieces: tuple[Unit, ...], bindings: Bindings) -> set[str]:
    """Names that the slice binds to nothing but sizes and positions.

    `batch, channels = x.shape`, and `i` of `for i, x in enumerate(outputs)`.
    """
    bound: dict[str, bool] = {}
    for piece in pieces:
        for node in descendants(piece.node):
            if isinstance(node, cst.AssignTarget):
                continue
            sizes = isinstance(node, cst.Assign) and is_size(node.value, bindings)
            position = _position(node, bindings)
            for target in _targets(node):
                bound[target] = bound.get(target, True) and (sizes or target == position)
    return {name for name, number in bound.items() if number}


def _position(node: cst.CSTNode, bindings: Bindings) -> str | None:
    """The name that counts the rounds of a loop over `enumerate`."""
    if not isinstance(node, (cst.For, cst.CompFor)) or not isinstance(node.iter, cst.Call):
        return None
    func, target = node.iter.func, node.target
    if not isinstance(func, cst.Name) or not isinstance(target, cst.Tuple):
        return None
    if func.value != "enumerate" or bindings.resolve(func) is not None:
        return None
    first = target.elements[0].value
    return first.value if isinstance(first, cst.Name) else None


def _targets(node: cst.CSTNode) -> list[str]:
    """Names that a node of any kind binds."""
    targets: list[cst.CSTNode] = []
    if isinstance(node, cst.Assign):
        targets = [item.target for item in node.targets]
    elif isinstance(node, (cst.AugAssign, cst.AnnAssign, cst.NamedExpr, cst.For, cst.CompFor)):
        targets = [node.target]
    return [
        inner.value
        for target in targets
        for inner in descendants(target)
        if isinstance(inner, cst.Name)
    ]


def _tests(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """The conditions that a node decides by."""
    if isinstance(node, (cst.If, cst.IfExp, cst.Assert)):
        return [node.test]
    if isinstance(node, cst.CompFor):
        return [item.test for item in node.ifs]
    if isinstance(node, cst.Match):
        return [node.subject]
    if isinstance(node, cst.MatchCase):
        return [] if node.guard is None else [node.guard]
    return [node.left] if isinstance(node, cst.BooleanOperation) else []


def _draws(name: str) -> bool:
    """The model may draw such numbers too, and has to do so first."""
    return name.startswith(BESIDE_TORCH)
