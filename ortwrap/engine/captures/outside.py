"""Which expressions of a slice are evaluated before the call and passed in as values."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.asked import Asked, asked_about
from ortwrap.engine.captures.batch_questions import asks_the_batch
from ortwrap.engine.captures.chance import is_drawn_first
from ortwrap.engine.captures.counters import Counters, is_option_name
from ortwrap.engine.captures.decisions import Decisions
from ortwrap.engine.captures.randomness import makes_random_tensor, moves_a_generator
from ortwrap.engine.captures.scopes import is_global
from ortwrap.engine.captures.staying import has_to_stay, is_arithmetic, stays_with_its_object
from ortwrap.engine.captures.walked import Guard, Walked
from ortwrap.engine.effects.statement import overlap, place_of, root_place
from ortwrap.engine.evidence.unwrapping import is_fact, is_unwrapping
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in, descendants

# Methods of inputs that move data, or give Python values.
_METHODS = frozenset("to cuda cpu size item tolist numpy detach numel dim nelement get".split())
_CASTS = frozenset("long int float half double bool to cuda cpu".split())
_BUILTINS = frozenset(["len", "float", "int"])
_COMPUTED_FROM_TENSORS = frozenset("T mT real imag grad".split())
NEVER_FILLED = frozenset("shape device dtype data ndim".split())
_CONFIGURES = re.compile(r"(?:^|[._])(?:parse_args|(?:load|get)_(?:config|args|options))$")
# What these compute is the same wherever it is computed.
_KNOWN = ("torch.", "numpy.", "math.", "time.", "collections.", "itertools.", "functools.")
_FACTORIES = re.compile(
    r"^torch\.(?:tensor|zeros|ones|full|arange|eye|empty|linspace|zeros_like|ones_like|full_like"
    r"|rand|randn|randint|rand_like|randn_like|FloatTensor|LongTensor|Tensor|from_numpy|as_tensor)$"
)


class Outside:
    """Answers for expressions of one slice, as far as the walk has come."""

    def __init__(self, analyses: Analyses, found: LossSlice, walked: Walked) -> None:
        self._analyses = analyses
        self._pieces = found.pieces
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._helpers = analyses.helpers
        self._objects = analyses.objects
        self._counters = Counters(analyses)
        self._decisions = Decisions(analyses, self._counters)
        self._asked = Asked(analyses, found)
        self._walked = walked

    def is_outside(self, node: cst.BaseExpression) -> bool:
        """An expression over inputs that is better evaluated before the call.

        Raises:
            Refuse: it would have to run before the model, and its order matters.
        """
        if self.is_only_asked(node):
            return True
        if isinstance(node, cst.Attribute) and self._is_fact_of_wrapped(node):
            return not self._reads_computed(node)
        if self._flow.is_data_of_module(node):
            fresh = self._flow.is_static_data(node) or not self._walked.ran_module
            return fresh and not self._reads_computed(node)
        if self.is_drawn_first(node):
            return True
        if self._is_random_constant(node):
            return not self._walked.ran_module and not self._walked.guards
        if not self.is_over_inputs(node):
            return False
        known = self._is_passed(node)
        if self._walked.guards and not (known or self.is_option(node)):
            return self._is_guarded(node)
        if self._may_be_filled(node):
            return False
        if known:
            return True
        if isinstance(node, cst.Subscript):
            return self._is_access(node) or self._picks_a_batch(node)
        if isinstance(node, cst.Attribute):
            return self._is_plain(node)
        if isinstance(node, cst.Call) and self._is_outside_call(node):
            return True
        if isinstance(node, cst.IfExp) and self._chooses_outside(node):
            return True
        return self._is_asked_before(node)

    def _chooses_outside(self, node: cst.IfExp) -> bool:
        """`to_tensor(np.array(a)) if a[0].dtype == np.int64 else to_tensor(np.vstack(a))`."""
        arms = (node.body, node.orelse)
        asks = any(isinstance(inner, cst.Call) for inner in descendants(node.test))
        return not asks and all(isinstance(arm, cst.Call) and self.is_outside(arm) for arm in arms)

    def is_only_asked(self, node: cst.BaseExpression) -> bool:
        """`self.teacher is None`, of what is there before the call, whichever branch is taken."""
        if not self._asked.is_only_asked(node) or self._reads_computed(node):
            return False
        subject = asked_about(node)
        if subject is None or self._flow.is_data_of_module(subject):
            return False
        if not self._reads_from_outside(subject):
            return False
        surely = not self._walked.guards or self._place(subject) is not None
        return surely or self.is_option(subject)

    def _reads_from_outside(self, node: cst.BaseExpression) -> bool:
        reads = self._reader.of(node).reads.values()
        readers = [reader for found in reads for reader in found]
        inside = any(reader not in self._walked.free for reader in readers)
        return not inside and not all(is_global(reader, self._bindings) for reader in readers)

    def is_drawn_first(self, test: cst.CSTNode) -> bool:
        """The slice branches by a number that can be drawn before the call."""
        return is_drawn_first(test, self._pieces, self._analyses)

    def _is_fact_of_wrapped(self, node: cst.Attribute) -> bool:
        """`unwrap_model(unet).config.in_channels`, whole."""
        owner: cst.CSTNode = node
        while isinstance(owner, cst.Attribute):
            if is_fact(owner, self._bindings, self._modules):
                return is_unwrapping(owner.value, self._bindings, self._modules)
            owner = owner.value
        return False

    def _is_passed(self, node: cst.BaseExpression) -> bool:
        """The call is given its value already."""
        return self._tree.source(node) in self._walked.inputs

    def _is_guarded(self, node: cst.BaseExpression) -> bool:
        """A number or a batch that a branch reads: it is there before the call if that is taken."""
        if any(guard is None for guard in self._walked.guards):
            return False
        if self._is_asked_before(node):
            return True
        if isinstance(node, cst.Subscript) and self._picks_a_batch(node):
            return True
        called = isinstance(node, cst.Call) and self._counters.takes_numbers(node)
        return called and self._is_outside_call(cst.ensure_type(node, cst.Call))

    def _is_asked_before(self, node: cst.BaseExpression) -> bool:
        """What a branch is taken on, and numbers of counts and schedules."""
        return (
            self._counters.computes(node) or self._decisions.is_one(node) or self.asks_batch(node)
        )

    def asks_batch(self, node: cst.BaseExpression) -> bool:
        """`mask.any()`, of what is there before the call and no model fills."""
        asks = asks_the_batch(node, self._bindings, self._modules.values)
        if not asks or not self.is_over_inputs(node):
            return False
        methods = {call.func for call in calls_in(node)}
        return not any(
            isinstance(inner, cst.BaseExpression) and self._may_be_filled(inner)
            for inner in descendants(node)
            if inner not in methods
        )

    def can_be_asked(self, node: cst.BaseExpression) -> bool:
        """It can be computed before the call whether or not the branch that reads it is taken."""
        return self._counters.compares_given(node)

    def guard(self, test: cst.BaseExpression, wanted: bool) -> Guard | None:
        """A condition of a branch as it reads before the call; None if it is only known inside."""
        calls = any(isinstance(inner, cst.Call) for inner in descendants(test))
        effects = self._reader.of(test)
        if calls or effects.writes or self._reads_computed(test):
            return None
        readers = [reader for found in effects.reads.values() for reader in found]
        held = any(
            self._modules.evidence(self._modules.run_by(reader)) is not None for reader in readers
        )
        if held or not self._walked.called.isdisjoint(effects.reads):
            return None
        return Guard(test, wanted)

    def is_over_inputs(self, node: cst.BaseExpression) -> bool:
        """At least one input, no value of the slice, no module, nothing bound inside `node`."""
        effects = self._reader.of(node)
        if effects.writes or effects.mutates:
            return False
        inputs = 0
        for place, readers in effects.reads.items():
            for reader in readers:
                if place in self._walked.defined or reader not in self._walked.free:
                    return False
                known = self._modules.evidence(self._modules.run_by(reader))
                if known is not None and not self._detached(node):
                    return False
                if known is None and is_global(reader, self._bindings):
                    continue
                inputs += 1
        return inputs > 0

    def is_of_inputs_only(self, node: cst.CSTNode) -> bool:
        """A value taken out of inputs alone is computed before the call."""
        if not isinstance(node, cst.BaseExpression) or self._reads_computed(node):
            return False
        return not self._flow.module_uses(node)

    def has_to_follow(self, call: cst.Call) -> bool:
        """A function of another file that runs after the model, where it may draw numbers as well,
        or in a block that may be one without gradients or of another precision."""
        qualified = self._bindings.qualified(call.func) or ""
        known = not qualified or f"{qualified}.".startswith(_KNOWN)
        return bool(self._walked.ran_module or self._walked.blocks) and not known

    def _is_outside_call(self, node: cst.Call) -> bool:
        func = node.func
        if self._helpers.of_object(func) is not None:
            return False
        changed = self._changed_by(func)
        if changed is not None:
            # Once per step, as ever.
            self._check_is_read_later(node, changed)
            self._check_draws_nothing(node, changed)
            return True
        method = self._modules.objects.method(func)
        first = not (self._walked.ran_module or self._walked.blocks)
        if first and stays_with_its_object(method, self._tree.code(func), self._helpers):
            return True
        if isinstance(func, cst.Attribute) and func.attr.value in _METHODS:
            return self._is_access(func.value) or self.is_outside(func.value)
        if isinstance(func, cst.Name) and func.value in _BUILTINS:
            return self._bindings.resolve(func) is None
        qualified = self._bindings.qualified(func) or ""
        if qualified and not qualified.startswith("torch."):
            # Nothing is known about it, or it computes with Python numbers: let it run as ever.
            return self._counters.takes_numbers(node) or not self.has_to_follow(node)
        helper = self._helpers.called(func)
        if is_arithmetic(helper, self._bindings):
            return True
        if (
            helper is not None
            and not self._walked.blocks
            and has_to_stay(helper, self._tree.code(func), self._helpers, self._bindings)
        ):
            return True
        if not _FACTORIES.match(qualified):
            return False
        if self._is_filled_later(node) and not makes_random_tensor(func, self._bindings):
            return False
        if makes_random_tensor(func, self._bindings) and self._walked.ran_module:
            raise Refuse(
                "OW203",
                node,
                code=self._tree.brief(node),
                why="it draws random numbers after the model has run",
            )
        return True

    def _is_filled_later(self, made: cst.Call) -> bool:
        """`loss = torch.zeros(1, device=device)`, and then `loss += term` or `loss[i] = term`.

        Made outside it would be an argument that forward changes.
        """
        value: cst.CSTNode = made
        while isinstance(self._tree.parents[value], (cst.Attribute, cst.Call)):
            # `torch.zeros(length, size).to(device)`
            value = self._tree.parents[value]
        assignment = self._tree.parents[value]
        if not isinstance(assignment, cst.Assign) or len(assignment.targets) > 1:
            return False
        place = self._place(assignment.targets[0].target)
        return any(place in self._reader.of(piece.node).mutates for piece in self._pieces)

    def _changed_by(self, func: cst.BaseExpression) -> cst.BaseExpression | None:
        """The object that `schedule.step()` or `annealed()` changes, and no model is part of."""
        if isinstance(func, cst.Attribute) and self._objects.changes(func) is not None:
            return func.value
        changed = self._objects.is_apart(func) and self._objects.changed_by_a_call(func)
        return func if changed else None

    def _check_is_read_later(self, call: cst.Call, owner: cst.BaseExpression) -> None:
        """Refuse a change that would come before what reads the object as it was."""
        unit = self._tree.unit_of(call)
        before = [piece for piece in self._pieces if piece.index < unit.index]
        read = set[str]().union(*(self._reader.of(piece.node).reads for piece in before))
        root = root_place(owner, self._reader.instance)
        tied = self._analyses.aliases.closure(set() if root is None else {root})
        for name in sorted(overlap(tied, read)):
            why = f"it changes `{root}`, which is read before as `{name}`"
            raise Refuse("OW203", call, code=self._tree.brief(call), why=why)

    def _check_draws_nothing(self, call: cst.Call, owner: cst.BaseExpression) -> None:
        """Refuse a call that would draw before the model what it draws after it."""
        if isinstance(call.func, cst.Attribute) and owner is call.func.value:
            run = [method for method, _ in self._objects.methods(call.func)]
        else:
            run = [
                m for made in self._objects.made(owner) for m in self._objects.run_by_a_call(made)
            ]
        drawn = (moves_a_generator(each.func, self._bindings) for m in run for each in calls_in(m))
        if self._walked.ran_module and any(drawn):
            why = "it draws random numbers after the model has run"
            raise Refuse("OW203", call, code=self._tree.brief(call), why=why)

    def _is_random_constant(self, node: cst.BaseExpression) -> bool:
        """`torch.randn(64, 100)`: ORT would draw it from a generator of its own."""
        drawn = isinstance(node, cst.Call) and makes_random_tensor(node.func, self._bindings)
        return drawn and not self._reads_computed(node)

    def _may_be_filled(self, node: cst.BaseExpression) -> bool:
        """An item of a container that the model was given whole, and may have added to."""
        inner = node.value if isinstance(node, cst.Subscript) else node
        if isinstance(inner, cst.Attribute) and inner.attr.value in NEVER_FILLED:
            return False
        if not isinstance(node, (cst.Attribute, cst.Subscript)) or not self._walked.ran_module:
            return False
        return root_place(node, self._reader.instance) in self._walked.whole

    def _picks_a_batch(self, node: cst.Subscript) -> bool:
        """`data[start:start + size]`, `state[0][index]`: other data at every step."""
        data = node.value
        while isinstance(data, cst.Call) and isinstance(data.func, cst.Attribute):
            if data.func.attr.value not in _CASTS:
                return False
            data = data.func.value
        if not self._is_access(data):
            return False
        return any(
            not is_global(reader, self._bindings)
            for element in node.slice
            for readers in self._reader.of(element).reads.values()
            for reader in readers
        )

    def is_option(self, node: cst.BaseExpression) -> bool:
        """`args.model.alpha`: can be read whether or not the branch that reads it is taken."""
        if not isinstance(node, cst.Attribute):
            return False
        owner = node.value
        while isinstance(owner, cst.Attribute) and self._place(owner) is None:
            owner = owner.value
        if isinstance(owner, cst.Name) and owner.value == self._reader.instance:
            return owner is node.value
        place = self._place(owner)
        if place is None or f"hasattr({place}," in self._tree.text:
            return False
        return is_option_name(place.split(".")[-1]) or self._is_configuration(owner)

    def _is_configuration(self, node: cst.BaseExpression) -> bool:
        """What a parser of the command line or of a file gives, by whatever name."""
        values = self._modules.values(node)
        calls = [value.func for value in values if isinstance(value, cst.Call)]
        return bool(calls) and all(
            _CONFIGURES.search(self._tree.code(func)) is not None for func in calls
        )

    def _place(self, node: cst.CSTNode) -> str | None:
        return place_of(node, self._reader.instance)

    def _is_plain(self, node: cst.Attribute) -> bool:
        """`x.T` of a tensor is computed in forward; `args.T` is a number."""
        return node.attr.value not in _COMPUTED_FROM_TENSORS or self.is_option(node)

    def _is_access(self, node: cst.BaseExpression) -> bool:
        """`batch`, `batch["x"]`, `args.lr`, `pair[0]`: a way to a value, no computation."""
        if self._place(node) is not None:
            return True
        if isinstance(node, cst.Attribute):
            return self._is_plain(node) and self._is_access(node.value)
        if isinstance(node, cst.Subscript) and len(node.slice) == 1:
            index = node.slice[0].slice
            simple = isinstance(index, cst.Index) and isinstance(
                index.value, (cst.SimpleString, cst.Integer, cst.UnaryOperation)
            )
            return simple and self._is_access_or_shape(node.value)
        return False

    def _is_access_or_shape(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            return node.func.attr.value == "size" and self._is_access(node.func.value)
        return self._is_access(node)

    def _detached(self, node: cst.BaseExpression) -> bool:
        """`generator(noise).detach()` runs a module outside, as an input without gradient.

        Once another module has run it keeps its place after that one, inside of forward.
        """
        return _is_detach(node) and not self._walked.ran_module

    def _reads_computed(self, node: cst.BaseExpression) -> bool:
        return bool(set(self._reader.of(node).reads) & self._walked.defined)


def _is_detach(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value == "detach"
    )
