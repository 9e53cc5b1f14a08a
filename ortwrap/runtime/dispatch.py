"""Which graph, or eager, a call goes to: the guards, and what has been learned so far."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any, Callable

from torch import nn

from . import changing, notes, settings, signature, specialise
from .ambient import ambient_key, obstacle
from .arrays import Arrays
from .backend import unavailable
from .distribution import Distribution
from .eager import EagerCall, run_eagerly
from .family import Family
from .first_backward import watch_first_backward
from .generators import position
from .guards import Guarded, Guards
from .judge import compare_again
from .labels import LabelBatch, look_at
from .operators.loss_rows import rows_left_out
from .passing import Passing
from .plans import Call, EagerPlan, GraphPlan, Plan, describe_call
from .reasons import Reason, warn
from .script_errors import raise_if_signalled
from .structure import Leaves
from .turns import own_turn

_MAX_DEFERRALS = 3
_CHANGING = Reason(f"its calls keep changing: more than {settings.MAX_SIGNATURES} signatures")
_ASKED_FOR = Reason("ORTWRAP_BACKEND=eager")
# What ends like this is part of running on ONNX Runtime: `ortwrap verify` counts by it.
_FIRST = "the first call, to compare"
_NEW = "new sizes or numbers, to compare"
LATER = "a later call is the one to compare"
_OTHER_THREAD = Reason(f"another thread exports or compares a step; {LATER}")
_NEW_ARRAY = Reason(f"an argument is a numpy.ndarray that no call before had; {LATER}")
_OTHER_MEANS = Reason(f"forward gets at a module that no code names; {LATER}")
_OTHER_KIND = Reason(f"an attribute that forward sets becomes something else; {LATER}")


class Dispatcher:
    """Learns, for one wrapper, how each signature of a call is to be run.

    Attributes:
        name: the wrapper class's.
        modules: the names of the classes of the modules in it.
    """

    def __init__(
        self,
        wrapper_class: type[nn.Module],
        modules: tuple[str, ...],
        on_change: Callable[[], None],
    ) -> None:
        """
        Args:
            wrapper_class: the class of the step.
            modules: the names of the classes of the modules in it.
            on_change: called whenever a new plan has been made.
        """
        self.name = wrapper_class.__name__
        self._wrapper_class = wrapper_class
        self.modules = modules
        self._on_change = on_change
        self._families: dict[Hashable, Family] = {}
        self._outside: dict[Reason, EagerPlan] = {}
        asked = settings.read()
        self._given_up = EagerPlan(_ASKED_FOR) if asked.eager else None
        self._exports = 0
        self._deferrals = 0
        self._arrays = Arrays()
        self._warned: set[Reason] = set()
        self._refused: Counter[Reason] = Counter()
        self._guards = Guards(asked.trust, self._bind)
        self._wrapper: nn.Module | None = None
        self._eager: Callable[..., Any] = _detached
        self._distribution = Distribution(())
        noted = None if asked.eager else notes.recall(wrapper_class)
        if noted is not None:
            self.give_up(Reason(f"its backward failed on ONNX Runtime in an earlier run: {noted}"))

    def attach(
        self,
        wrapper: nn.Module,
        eager: Callable[..., Any],
        distribution: Distribution,
        guarded: Guarded | None = None,
    ) -> None:
        """Works on the modules that `wrapper` holds from now on.

        Args:
            wrapper: an instance of the wrapper class around the modules themselves.
            eager: the same around the modules as they were given, compiled ones for example.
            distribution: what happens around each call of `wrapper`, but not of `eager`.
            guarded: what was known of these very modules when they were let go of.
        """
        self._wrapper = wrapper
        self._eager = eager
        self._distribution = distribution
        self._guards.attach(wrapper, guarded)

    def guarded(self) -> Guarded | None:
        """What is known of the modules, which it holds; None if nothing is yet."""
        return self._guards.known()

    def detach(self) -> None:
        """Lets go of the user's modules."""
        self._wrapper = None
        self._guards.detach()
        self._eager = _detached
        self._distribution = Distribution(())
        for plan in self.plans():
            if isinstance(plan, GraphPlan):
                plan.unbind()

    def plans(self) -> Iterator[Plan]:
        """Every plan made so far."""
        seen: set[int] = set()
        families = self._families.values()
        made = (plan for one in families for plan in (*one.plans.values(), *one.retired))
        for plan in (*made, *self._outside.values(), self._given_up):
            if plan is not None and id(plan) not in seen:
                seen.add(id(plan))
                yield plan

    @property
    def calls(self) -> int:
        """How many calls it has run."""
        return sum(plan.calls for plan in self.plans())

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the step, by a graph where that is exact."""
        wrapper = self._wrapper
        assert wrapper is not None, "a wrapper that is called holds its modules"
        if self._given_up is not None and not self._exports:
            return self._run_given_up(args, kwargs)
        hindrance = obstacle()
        if hindrance is not None:
            self._warn(hindrance)
            return self._run_outside(hindrance, args, kwargs)
        leaves = Leaves(arrays=self._arrays.may_repeat)
        try:
            structure = signature.of_arguments(args, kwargs, leaves)
            watch = self._guards.look(wrapper, self._given_up is None, leaves.code)
            state = self._guards.held()
            if state:
                structure = (structure, signature.of_state(state, leaves))
        except signature.NoSignature as found:
            if not found.is_rare:
                self._warn(found.reason)
            return self._run_outside(found.reason, args, kwargs)
        call = Call(args, kwargs, leaves.tensors, leaves.numbers, state)
        structure = (structure, signature.repeated(leaves.tensors))
        family = self._family(wrapper, (structure, *watch.of_parameters()))
        if family is None:
            return self._run_given_up(args, kwargs)
        if leaves.arrays and self._arrays.are_new(family):
            return self._run_outside(_NEW_ARRAY, args, kwargs)
        plan = family.plans.get(family.key(call))
        if plan is None:
            return self._learn(wrapper, family, call)
        return self._follow(wrapper, family, plan, call)

    def _family(self, wrapper: nn.Module, structure: Hashable) -> Family | None:
        key = (structure, self._guards.state, ambient_key(), self._declared(wrapper))
        family = self._families.get(key)
        if family is None and self._given_up is None:
            if len(self._families) >= settings.MAX_SIGNATURES:
                self.give_up(_CHANGING)
            else:
                self._families[key] = family = Family()
        return family

    def _declared(self, wrapper: nn.Module) -> Hashable:
        """What the user says that the graph depends on besides what the guards see."""
        declared = getattr(self._wrapper_class, "graph_depends_on", None)
        return None if declared is None else declared(wrapper)

    def _bind(self, current: Plan | None = None) -> None:
        """Lets every graph look up its modules anew, but for one that is up to date."""
        for plan in self.plans():
            if isinstance(plan, GraphPlan) and plan is not current:
                plan.bind()

    def _follow(self, wrapper: nn.Module, family: Family, plan: Plan, call: Call) -> Any:
        if isinstance(plan, EagerPlan):
            plan.calls += 1
            return self._run_eagerly(call)
        labels = look_at(plan.uses, call.tensors)
        objection = plan.objection(call, labels)
        if objection is not None:
            plan.calls += 1
            plan.note_labels(labels)
            plan.eager_calls[objection] += 1
            return self._run_eagerly(call)
        if plan.is_unproved(call):
            return self._alone(lambda: self._prove(wrapper, family, plan, call), call)
        self._distribution.before()
        return self._distribution.after(self._run(wrapper, family, plan, call, labels))

    def _alone(self, learn: Callable[[], Any], call: Call) -> Any:
        """Runs a call that something is learned from, if it is the turn of this thread."""
        with own_turn() as mine:
            if not mine:
                return self._run_outside(_OTHER_THREAD, call.args, call.kwargs)
            self._distribution.before()
            return self._distribution.after(learn())

    def _run(
        self, wrapper: nn.Module, family: Family, plan: GraphPlan, call: Call, labels: LabelBatch
    ) -> Any:
        try:
            with rows_left_out() as left_out:
                result = plan.run(call)
        except Exception as error:
            raise_if_signalled(error)
            # What eager raises too is the batch's fault, not the graph's.
            result = self._run_beside(wrapper, call)
            reason = Reason.of_failure("ONNX Runtime failed in forward", error)
            self._settle(family, call, EagerPlan(reason), 1)
            return result
        if plan.replaces:
            self._guards.follow(plan.replaces)
            self._bind(plan)
        plan.calls += 1
        plan.note_labels(labels, sum(left_out))
        return result

    def _prove(self, wrapper: nn.Module, family: Family, plan: GraphPlan, call: Call) -> Any:
        """Compares a graph in which a size was fixed with eager, for a size that is new to it."""
        with Passing(call.tensors) as passing:
            eager = run_eagerly(wrapper, call, self._guards.unread)
        if self._reads_more(eager):
            return eager.result
        text = compare_again(wrapper, plan, call, eager)
        if text is not None and not family.fix(plan):
            self._settle(family, call, EagerPlan(Reason(f"other than exported: {text}")), 1)
            return eager.result
        if text is None:
            plan.prove(call, passing.complaints)
        plan.calls += 1
        plan.eager_calls[_NEW] += 1
        return eager.result

    def _learn(self, wrapper: nn.Module, family: Family, call: Call) -> Any:
        if self._given_up is None:
            self._give_up_on_many(family)
        if self._given_up is not None:
            return self._run_given_up(call.args, call.kwargs)
        hindrance = self._guards.obstacle or unavailable()
        if hindrance is not None:
            self._warn(hindrance)
            return self._run_outside(hindrance, call.args, call.kwargs)
        return self._alone(lambda: self._try(wrapper, family, call), call)

    def _try(self, wrapper: nn.Module, family: Family, call: Call) -> Any:
        """Runs the call eagerly and, if that can be, on ONNX Runtime beside it."""
        generators = self._guards.generators
        before = [position(generator) for generator in generators]
        eager = run_eagerly(wrapper, call, self._guards.unread)
        if self._reads_more(eager):
            return eager.result
        impurity = eager.impurity or self._news(eager) or self._guards.change_by_forward()
        if [position(generator) for generator in generators] != before:
            impurity = Reason("forward draws from a generator of its own")
        if impurity is not None:
            self._defer(impurity)
            return eager.result
        if not family.seen and not eager.keeps_kind_of(call.state):
            # As a rule the first call of a sequence, or one that fills a cache.
            family.seen = True
            self._count_outside(_OTHER_KIND)
            return eager.result
        text = self._distribution.objection()
        if text is not None:
            self.give_up(Reason(text))
            return eager.result
        family.generalise(call)
        try:
            plan = self._attempt(wrapper, family, call, eager)
        except specialise.Deferred as deferred:
            self._defer(deferred.reason)
            return eager.result
        self._settle(family, call, plan, 1)
        if isinstance(plan, GraphPlan):
            give_back = functools.partial(self._give_back_to_eager, family, plan)
            watch_first_backward(eager.result, call.tensors, eager.state, give_back)
        return eager.result

    def _give_back_to_eager(self, family: Family, plan: GraphPlan, reason: Reason) -> None:
        """Runs eagerly what no graph can serve, of which the first backward has told."""
        instead = EagerPlan(reason)
        instead.signature = plan.signature
        family.replace(plan, instead)
        self.give_up(reason)

    def _reads_more(self, eager: EagerCall) -> bool:
        """Whether the call got at modules that were not guarded, as the next ones will be."""
        if eager.read_unread:
            self._guards.read_all_parts()
            self._count_outside(_OTHER_MEANS)
        return eager.read_unread

    def _news(self, eager: EagerCall) -> Reason | None:
        """Attributes that the call is the first to set: the next one can be given them."""
        names = sorted({one.name for one in eager.attributes})
        new = self._guards.hold(eager.attributes)
        return Reason(f"forward sets {', '.join(names[:3])}") if new else None

    def _attempt(self, wrapper: nn.Module, family: Family, call: Call, eager: EagerCall) -> Plan:
        attempt = specialise.Attempt(wrapper, call, eager, self._note_backward)
        try:
            return attempt.plan(family.general)
        except specialise.NeedsNumbers:
            family.fix_numbers()
            return attempt.plan(family.general)

    def _give_up_on_many(self, family: Family) -> None:
        """Makes no more plans where there are as many as one wrapper may have."""
        if self._exports >= settings.MAX_GRAPHS:
            what = changing.clue(list(self._families))
            reason = f"its calls keep changing{what}: {self._exports} graphs were exported"
            self.give_up(Reason(reason))
        elif len(family.plans) >= settings.MAX_SIGNATURES:
            self.give_up(_CHANGING)

    def _defer(self, reason: Reason) -> None:
        self._count_outside(_later(reason))
        self._deferrals += 1
        if self._deferrals >= _MAX_DEFERRALS:
            self.give_up(reason)

    def _settle(self, family: Family, call: Call, plan: Plan, calls: int) -> None:
        plan.calls = calls
        plan.signature = describe_call(call)
        if isinstance(plan, GraphPlan):
            plan.eager_calls[_FIRST] += 1
            self._exports += 1
            self._deferrals = 0
        else:
            self._warn(plan.reason)
            self._refused[plan.reason] += 1
        family.settle(call, plan)
        self._on_change()
        if isinstance(plan, EagerPlan) and self._refused[plan.reason] >= settings.MAX_GRAPHS:
            # Each further signature, as of a teacher that moves, would be tried in vain as well.
            self.give_up(plan.reason)

    def give_up(self, reason: Reason) -> None:
        """Runs every signature that has no plan yet eagerly, from now on."""
        self._given_up = EagerPlan(reason)
        self._warn(reason)
        self._on_change()

    def _run_given_up(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        assert self._given_up is not None
        self._given_up.calls += 1
        return self._eager(*args, **kwargs)

    def _run_eagerly(self, call: Call) -> Any:
        return self._eager(*call.args, **call.kwargs)

    def _run_beside(self, wrapper: nn.Module, call: Call) -> Any:
        """Runs eagerly a call around which everything has been done already."""
        run = wrapper if self._distribution else self._eager
        return run(*call.args, **call.kwargs)

    def _run_outside(self, reason: Reason, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs eagerly a call that no signature is made of."""
        self._count_outside(reason)
        return self._eager(*args, **kwargs)

    def _count_outside(self, reason: Reason) -> None:
        plan = self._outside.get(reason)
        if plan is None:
            self._outside[reason] = plan = EagerPlan(reason)
            self._on_change()
        plan.calls += 1

    def _warn(self, reason: Reason) -> None:
        if reason not in self._warned:
            self._warned.add(reason)
            warn(self.name, f"runs eagerly: {reason}")

    def _note_backward(self, error: BaseException) -> None:
        notes.remember(self._wrapper_class, error)


def _later(reason: Reason) -> Reason:
    return Reason(f"{reason.text}; {LATER}", reason.place)


def _detached(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("the modules of this step have been collected")
