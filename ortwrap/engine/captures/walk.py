"""The walk over a slice's pieces, in order: what stands for each expression in forward."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.asking_callees import check_callee
from ortwrap.engine.captures.called import CalledParts
from ortwrap.engine.captures.held import HeldParts
from ortwrap.engine.captures.inputs import Inputs
from ortwrap.engine.captures.instance import runs_its_instance
from ortwrap.engine.captures.kept import kept_places
from ortwrap.engine.captures.outside import NEVER_FILLED, Outside
from ortwrap.engine.captures.randomness import moves_a_generator
from ortwrap.engine.captures.scopes import is_global
from ortwrap.engine.captures.statements import StatementCheck
from ortwrap.engine.captures.walked import Guard, Walked
from ortwrap.engine.effects.statement import place_of, root_place
from ortwrap.engine.evidence.own_functions import names_inside
from ortwrap.engine.plan import CapturedInput
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.local_names import local_name
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import children, descendants
from ortwrap.engine.text.tree import Unit

# Methods that by custom do a whole step, with its logging.
_STEPS = frozenset(["training_step", "train_step", "validation_step"])


class SliceWalk:
    """One walk over one slice."""

    def __init__(self, analyses: Analyses, found: LossSlice) -> None:
        self._analyses = analyses
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._helpers = analyses.helpers
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._objects = analyses.objects
        self._found = found
        self._loss = found.loss
        self._optimizers = analyses.optimizers
        self._pieces = found.pieces
        self._walked = Walked(called=_called(found.pieces, analyses.reader.instance))
        self._outside = Outside(analyses, found, self._walked)
        self._check = StatementCheck(analyses, found, self._walked, self._outside)
        self._by_instance = runs_its_instance(analyses, found)
        self._held = HeldParts(analyses, self._walked, found.loss, self._by_instance)
        self._called = CalledParts(analyses, self._walked, self._held, self._by_instance)
        self._inputs = Inputs(analyses, found, self._walked, self._outside)
        self._starred: dict[str, cst.BaseExpression] = {}

    def over_pieces(self) -> Walked:
        """Visit every piece.

        Raises:
            Refuse: something that the slice uses cannot be passed into forward.
        """
        for piece in self._pieces:
            self._piece(piece)
        self._held.pick_under_conditions()
        self._pass_starred_whole()
        self._pick_inside()
        return self._walked

    def locals_for_attributes(self) -> dict[cst.CSTNode, cst.BaseExpression]:
        """Attributes of the instance that the slice binds are plain locals inside of forward."""
        instance = self._reader.instance
        if instance is None:
            return {}
        changed = {place for piece in self._pieces for place in self._reader.of(piece.node).changes}
        replaced: dict[cst.CSTNode, cst.BaseExpression] = {}
        for piece in self._pieces:
            stack: list[cst.CSTNode] = [piece.node]
            while stack:
                node = stack.pop()
                place = place_of(node, instance)
                if place is not None and "." in place and place in changed:
                    if node not in self._walked.replacements:
                        replaced[node] = cst.Name(local_name(place, self._found))
                    continue
                stack.extend(children(node))
        return replaced

    def _piece(self, piece: Unit) -> None:
        effects = self._reader.of(piece.node)
        self._walked.free = {node for readers in effects.reads.values() for node in readers}
        inside = names_inside(piece.node, self._bindings) - self._walked.defined
        self._walked.defined |= inside
        self._check.check(piece)
        if isinstance(piece.node, cst.FunctionDef):
            self._expression(piece.node)
        elif isinstance(piece.node, cst.BaseCompoundStatement):
            self._compound(piece)
        else:
            self._small(piece.node)
        self._walked.defined -= inside
        if not isinstance(piece.node, cst.BaseExpression):
            self._walked.defined |= effects.changes

    def _small(self, node: cst.CSTNode) -> None:
        """A statement that is one call runs where it stood, though it may be over inputs only."""
        call = node.value if isinstance(node, cst.Assign) else None
        if isinstance(call, cst.Call) and self._outside.has_to_follow(call):
            self._call(call)
        else:
            self._expression(node)

    def _compound(self, piece: Unit) -> None:
        own = self._reader.of(piece.node).writes - self._walked.defined
        rest = self._pieces[self._pieces.index(piece) :]
        for place, reader in kept_places(rest, self._analyses).items():
            if place in own:
                self._inputs.take_place(place, reader)
                self._walked.conditional.setdefault(place, reader)
        self._walked.defined |= own
        self._expression(piece.node)

    # -- expressions -----------------------------------------------------------------------------

    def _expression(self, node: cst.CSTNode) -> None:
        if node in self._walked.replacements:
            # The first iterable of a comprehension, met before and again with its clause.
            return
        if isinstance(node, (cst.AssignTarget, cst.Annotation)):
            if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Subscript):
                self._expression(node.target)
            return
        if isinstance(node, cst.Arg):
            self._argument(node)
            return
        if isinstance(node, cst.BaseExpression) and self._replace(node):
            return
        if isinstance(node, cst.Call):
            self._call(node)
            return
        if isinstance(node, cst.Attribute):
            self._expression(node.value)
            return
        certain = _evaluated_first(node)
        self._walked.blocks += isinstance(node, cst.With)
        for child in children(node) if certain is None else certain:
            self._expression(child)
        self._walked.blocks -= isinstance(node, cst.With)
        if certain is None:
            return
        for child in children(node):
            if child not in certain:
                self._walked.guards.append(self._guard(node, child))
                self._expression(child)
                self._walked.guards.pop()

    def _guard(self, node: cst.CSTNode, child: cst.CSTNode) -> Guard | None:
        """On what it depends whether a part of a node runs."""
        if isinstance(node, (cst.If, cst.IfExp)):
            return self._outside.guard(node.test, child is node.body)
        if isinstance(node, cst.BooleanOperation):
            return self._outside.guard(node.left, isinstance(node.operator, cst.And))
        return None

    def _replace(self, node: cst.BaseExpression) -> bool:
        """Put a part or an input in the place of an expression; False to look inside of it."""
        place = place_of(node, self._reader.instance)
        if isinstance(node, (cst.Subscript, cst.Attribute)) and self._is_item(node, place):
            self._held.hold_item(node)
            return True
        if place is None:
            if not self._outside.is_outside(node):
                return False
            self._inputs.take_expression(node)
            return True
        if place not in self._walked.defined and self._modules.holds_loose_modules(node):
            self._held.hold_list(node, place)
            return True
        if self._is_captured(node, place):
            self._check_use(node, place)
            if self._is_held(node, place):
                self._held.hold(node, place)
            else:
                self._inputs.take_name(place, node)
                self._walked.note_read(place, node)
        return True

    def _check_use(self, node: cst.BaseExpression, place: str) -> None:
        """What forward goes through would change once, at export."""
        changed = self._analyses.uses.changed_by(node)
        if changed is not None:
            why = f"changes its `{changed}` whenever it is used"
            raise Refuse("OW107", node, name=place, why=why)

    def _is_held(self, node: cst.BaseExpression, place: str) -> bool:
        """The wrapper holds modules, and objects that no graph could be given as arguments."""
        if place in self._walked.called or self._modules.holds_criteria(node):
            return True
        if self._modules.evidence(node) is not None:
            return True
        return isinstance(node, cst.Name) and self._objects.is_made_once(node)

    def _is_item(self, node: cst.Subscript | cst.Attribute, place: str | None) -> bool:
        """`models["g"]` of a list or dict, `runner.model`: it is there before the call."""
        called = self._tree.parents.get(node)
        is_callee = isinstance(called, cst.Call) and called.func is node
        by_index = isinstance(node, cst.Subscript) and is_callee
        if place is not None or (self._modules.evidence(node) is None and not by_index):
            return False
        root = root_place(node, self._reader.instance)
        # A list or dict of a module is none of its submodules: what it holds is held beside it.
        owned = isinstance(node, cst.Attribute) and self._by_instance
        held_whole = owned and (root or "").split(".")[0] == self._reader.instance
        reads = self._reader.of(node).reads
        known = any(place in self._walked.defined for place in reads)
        inside = any(
            reader not in self._walked.free for nodes in reads.values() for reader in nodes
        )
        whole = any(self._modules.evidence(reader) for nodes in reads.values() for reader in nodes)
        return bool(reads) and not (held_whole or known or inside or whole)

    def _is_captured(self, node: cst.CSTNode, place: str) -> bool:
        known = place in self._walked.defined or node not in self._walked.free
        return not known and not self._is_global(node)

    def _is_global(self, node: cst.CSTNode) -> bool:
        """Forward sees what the script does: but for modules that other files keep."""
        return self._modules.evidence(node) is None and is_global(node, self._bindings)

    def _argument(self, node: cst.Arg) -> None:
        place = place_of(node.value, self._reader.instance)
        if self._optimizers.holds(node.value):
            call = self._tree.parents[node]
            name = self._tree.code(cst.ensure_type(call, cst.Call).func)
            raise Refuse("OW107", node, name=name, why=f"is given `{self._tree.code(node.value)}`")
        starred = node.star == "**" and place is not None and self._is_captured(node.value, place)
        if starred and place is not None and self._is_only_input(place):
            # `model(**batch)` alone reads best as `forward(self, **batch)`.
            self._walked.input_places.add(place)
            name = place.split(".")[-1]
            self._walked.inputs[place] = CapturedInput(name, self._tree.source(node.value), True)
            self._starred[place] = node.value
            return
        self._expression(node.value)

    def _is_only_input(self, place: str) -> bool:
        """Nothing was captured so far, and the slice reads this place once."""
        reads = sum(len(self._reader.of(piece.node).reads.get(place, [])) for piece in self._pieces)
        return reads == 1 and not self._walked.inputs

    def _pass_starred_whole(self) -> None:
        """Beside other inputs a mapping is passed as it is, since its keys might be their names."""
        for place, node in self._starred.items():
            if len(self._walked.inputs) > 1:
                name = self._walked.inputs[place].name
                self._walked.inputs[place] = CapturedInput(name, self._tree.source(node))
                self._walked.replacements[node] = cst.Name(name)

    def _pick_inside(self) -> None:
        """`views[0]` is no input of its own beside `views`, which forward can pick it from.

        Nor is `batch.labels` beside the whole batch.
        """
        picked: dict[str, str] = {}
        for node in list(self._walked.replacements):
            container, text = _picked_from(node), self._tree.source(node)
            once = text in self._walked.inputs
            if once and container in self._walked.whole and container in self._walked.inputs:
                picked[text] = container
                del self._walked.replacements[node]
        order = dict.fromkeys(picked.get(text, text) for text in self._walked.inputs)
        self._walked.inputs = {text: self._walked.inputs[text] for text in order}

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, node: cst.Call) -> None:
        self._check.check_stays(node)
        check_callee(node, self._analyses)
        func = node.func
        place = place_of(func, self._reader.instance)
        bound_inside = place in self._walked.defined or func not in self._walked.free
        if self._called.of_object(node):
            pass
        elif place is not None and not bound_inside:
            self._called.callee(node, place)
        elif isinstance(func, cst.Attribute) and not self._modules.is_of_object(func):
            self._method_call(func)
        else:
            self._expression(func)
        arguments = list(node.args)
        first = arguments[0].value if arguments else None
        binds = self._bindings.qualified(func) == "functools.partial"
        if binds and isinstance(first, cst.Attribute):
            # A method is called later: what it belongs to is known to every step as the same.
            self._method_call(first)
            arguments = arguments[1:]
        for argument in arguments:
            self._expression(argument)
        if moves_a_generator(func, self._bindings) or self._flow.module_uses(node):
            self._walked.ran_module = True

    def _method_call(self, func: cst.Attribute) -> None:
        """`criterion.forward(x)` needs the object itself, `target.mul(x)` its value."""
        owner = func.value
        place = place_of(owner, self._reader.instance)
        held = place is not None and place not in self._walked.defined
        held = held and not self._is_global(owner)
        known = func.attr.value == "forward" or self._modules.evidence(owner) is not None
        if place is not None and held and known:
            self._held.hold(owner, place)
            self._check_step(func)
            return
        changed = self._objects.changes(func)
        if changed is not None:
            code = self._tree.code(func)
            raise Refuse("OW107", func, name=code, why=f"changes `{changed}` of its object")
        self._expression(owner)

    def _check_step(self, func: cst.Attribute) -> None:
        """`model.training_step(batch)` may log and count besides, which a graph would not."""
        name = func.attr.value
        if name not in _STEPS:
            return
        code = self._tree.code(func)
        known = self._modules.classes.methods(name)
        if not known:
            raise Refuse("OW107", func, name=code, why="is a step that another file defines")
        for method in known:
            self._helpers.check(method, code)


def _called(pieces: tuple[Unit, ...], instance: str | None) -> frozenset[str]:
    calls = (node for piece in pieces for node in descendants(piece.node))
    places = (place_of(call.func, instance) for call in calls if isinstance(call, cst.Call))
    return frozenset(place for place in places if place is not None)


def _picked_from(node: cst.CSTNode) -> str | None:
    """`views` in `views[0]`, `batch` in `batch.labels`."""
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        return None if node.attr.value in NEVER_FILLED else node.value.value
    if not isinstance(node, cst.Subscript) or not isinstance(node.value, cst.Name):
        return None
    index = node.slice[0].slice
    literal = isinstance(index, cst.Index) and isinstance(
        index.value, (cst.Integer, cst.SimpleString)
    )
    return node.value.value if literal and len(node.slice) == 1 else None


def _evaluated_first(node: cst.CSTNode) -> tuple[cst.CSTNode, ...] | None:
    """The parts of a node that run whenever it does; None when all of them do."""
    if isinstance(node, (cst.If, cst.IfExp, cst.While)):
        return (node.test,)
    if isinstance(node, cst.For):
        return (node.iter,)
    if isinstance(node, cst.BooleanOperation):
        return (node.left,)
    if isinstance(node, (cst.Lambda, cst.Match, cst.FunctionDef)):
        return ()
    if isinstance(node, cst.BaseComp):
        return (node.for_in.iter,)
    return None
