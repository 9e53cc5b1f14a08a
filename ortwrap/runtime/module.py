"""`ort_module`: the user's step as a module that trains on ONNX Runtime."""

from __future__ import annotations

import operator
import types
import weakref
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Callable, Union

from torch import nn

from . import churn, report, settings, tree
from .ambient import wants_gradients
from .dispatch import Dispatcher
from .distribution import Distribution
from .memo import is_alive, keeps_a_part, key_of
from .pins import pin, pinned
from .reasons import Reason, warn
from .whole import step_of

Part = Union[nn.Module, Callable[..., Any]]

_WRAPPERS: dict[Hashable, _Kept] = {}
_ANEW = Reason(
    "a part of it, such as a criterion with a weight, is made anew for every call or two"
)
_HOW = (
    "ort_module takes the class of a step and the modules it is made of, "
    "ort_module(ModuleWithLoss, model, criterion), or one module that returns its loss, "
    "ort_module(ModuleWithLoss(model, criterion))"
)
_SAVE = "save the model; ort_module makes its wrapper again"


def ort_module(wrapper_class: type[nn.Module] | nn.Module, *modules: Part) -> TrainingStep:
    """A training step that runs on ONNX Runtime where that gives what eager gives.

    The same wrapper is returned for the same class and modules as long as these live, so that it
    may be called once an epoch or once a step. The modules are not changed: they keep their
    names, modes, hooks, state_dict keys and checkpoints.

    Args:
        wrapper_class: its `__init__` takes the modules, its `forward` returns the loss, alone or
            followed by other values. Or, alone, a module whose `forward` does so.
        modules: models and criteria; a criterion may be any callable.

    Returns:
        A module that takes what `wrapper_class.forward` takes and returns what it returns;
        `.report()` says what ran.

    Raises:
        TypeError: it is called in neither of these ways.
    """
    if isinstance(wrapper_class, nn.Module) and not modules:
        kind, modules = step_of(type(tree.original(wrapper_class))), (wrapper_class,)
    elif isinstance(wrapper_class, type) and issubclass(wrapper_class, nn.Module):
        kind = wrapper_class
    else:
        raise TypeError(_HOW)
    key = key_of(kind, modules, _forget_dead)
    kept = _WRAPPERS.get(key)
    if kept is None:
        _make_room(kind)
        _WRAPPERS[key] = kept = _Kept(kind, modules)
        if churn.times(key) >= settings.MAX_GRAPHS:
            kept.dispatcher.give_up(_ANEW)
    return kept.step(modules)


class TrainingStep(nn.Module):
    """What `ort_module` returns.

    It owns none of the user's modules: its `parameters()` and `modules()` are empty, also to a
    module that it is an attribute of. `train()`, `eval()` and `zero_grad()` are those of the
    modules that it works on.
    """

    _dispatcher: Dispatcher
    _kept: _Kept
    _work: _Work
    _wrapper: nn.Module
    _warned: bool

    def __init__(self, kept: _Kept, work: _Work) -> None:
        """
        Args:
            kept: what all steps of the same class and modules share.
            work: what this one works on.
        """
        super().__init__()
        own = self.__dict__
        own["_kept"] = kept
        own["_dispatcher"], own["_wrapper"] = kept.dispatcher, work.wrapper
        own["_work"] = work
        own["_warned"] = False

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Takes and returns what the wrapper class's forward does."""
        work = self._work
        self._kept.take_up(self, work)
        mode = self.training
        for wrapper in (work.wrapper, work.eager):
            if wrapper.training is not mode:
                wrapper.training = mode
        work.distribution.follow_mode()
        if not wants_gradients():
            return work.eager(*args, **kwargs)
        return self._dispatcher.call(args, kwargs)

    def report(self) -> dict[str, Any]:
        """What ran, per signature: `ort` or `eager`, with the reason."""
        return report.of_wrapper(self._dispatcher)

    def train(self, mode: bool | None = None) -> TrainingStep:
        """Sets the modules to train.

        With a `mode` it does nothing: that is how torch goes over the attributes of a module, and
        the modules of a step may be others that it does not own.
        """
        if mode is None:
            self._set_mode(True)
        elif mode is not self.training:
            self._warn(f"leaves the mode of its modules alone in train({mode})")
        return self

    def eval(self) -> TrainingStep:
        """Sets the modules to evaluate."""
        self._set_mode(False)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of the modules."""
        for module in self._work.modules:
            module.zero_grad(set_to_none)

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """None: those of the modules stay theirs."""
        if recurse:
            self._warn("has no parameters of its own: ask its modules for theirs")
        return super().parameters(recurse)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing, as a part of another module's.

        Raises:
            TypeError: it is to be saved by itself.
        """
        if not args and "destination" not in kwargs:
            raise TypeError(_SAVE)
        return super().state_dict(*args, **kwargs)

    def __deepcopy__(self, memo: Any) -> TrainingStep:
        raise TypeError("copy the model and call ort_module with the copy")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(_SAVE)

    def _set_mode(self, mode: bool) -> None:
        for module in self._work.modules:
            module.train(mode)

    def _warn(self, text: str) -> None:
        if not self._warned:
            self.__dict__["_warned"] = True
            warn(self._dispatcher.name, text)


def _training(step: TrainingStep) -> bool:
    work = step.__dict__.get("_work")
    return True if work is None or not work.modules else bool(work.modules[0].training)


def _ignore_training(step: TrainingStep, mode: bool) -> None:
    """The mode is the model's: whoever sets the wrapper's means something else."""


# nn.Module.__init__ assigns `training`; a property follows the first module's instead.
TrainingStep.training = property(_training, _ignore_training)  # type: ignore[assignment]


@dataclass(frozen=True)
class _Work:
    """The modules and callables that one step works on.

    Attributes:
        given: which they are.
        parts: the same for those that are left when what wraps them is taken off.
        modules: the modules among those given.
        leader: the first module among the parts.
        namespace: the attributes of the wrapper around the parts.
        wrapper: an instance of the wrapper class, which holds them while the step is taken up.
        eager: the same around the modules as they were given, compiled ones for example.
        distribution: what happens around each call of `wrapper`.
    """

    given: Hashable
    parts: Hashable
    modules: tuple[nn.Module, ...]
    leader: nn.Module | None
    namespace: dict[str, Any]
    wrapper: nn.Module
    eager: nn.Module
    distribution: Distribution


class _Kept:
    """What outlives a wrapper between two calls of `ort_module`.

    Attributes:
        dispatcher: knows how to run each call of the steps of one class and equal modules.
    """

    def __init__(self, wrapper_class: type[nn.Module], modules: tuple[Part, ...]) -> None:
        self._wrapper_class = wrapper_class
        names = tuple(map(_class_name, modules))
        self.dispatcher = Dispatcher(wrapper_class, names, report.write)
        self._steps: list[weakref.ref[TrainingStep]] = []
        self._current: Callable[[], TrainingStep | None] = lambda: None
        self._leader: Callable[[], nn.Module | None] = lambda: None
        self._parts: Hashable = ()
        self._slept = False
        self._shell = nn.Module.__new__(wrapper_class)
        report.register(self.dispatcher)

    @property
    def in_use(self) -> bool:
        """Whether the script holds a step."""
        return any(step() is not None for step in self._steps)

    def step(self, modules: tuple[Part, ...]) -> TrainingStep:
        """The step of these very modules that is in use, or a new one.

        Two criteria that are equal now are two: the script may change one of them.
        """
        given = tuple(map(_identity, modules))
        for reference in self._steps:
            step = reference()
            if step is not None and step._work.given == given:
                return step
        step = TrainingStep(self, self._work_on(modules))
        self._steps = [one for one in self._steps if one() is not None]
        self._steps.append(weakref.ref(step))
        weakref.finalize(step, self._sleep).atexit = False
        self.take_up(step, step._work)
        return step

    def _work_on(self, modules: tuple[Part, ...]) -> _Work:
        plain = tuple(map(tree.original, modules))
        unwrapped = all(map(operator.is_, plain, modules))
        return _Work(
            tuple(map(_identity, modules)),
            tuple(map(_identity, plain)),
            tuple(part for part in modules if isinstance(part, nn.Module)),
            next((part for part in plain if isinstance(part, nn.Module)), None),
            self._wrapper_class(*plain).__dict__,
            self._shell,
            self._shell if unwrapped else self._wrapper_class(*modules),
            Distribution(plain),
        )

    def take_up(self, step: TrainingStep, work: _Work) -> None:
        """Works on the modules of a step from now on."""
        if self._current() is step:
            return
        if self._current() is not None:
            self._let_go()
        self._current = weakref.ref(step)
        self._parts = work.parts
        self._leader = (lambda: None) if work.leader is None else weakref.ref(work.leader)
        object.__setattr__(self._shell, "__dict__", work.namespace)
        known = None if work.leader is None else pinned(work.leader, (id(self), work.parts))
        self.dispatcher.attach(self._shell, work.eager, work.distribution, known)

    def _sleep(self) -> None:
        """Lets go of the modules if their step is gone; the exported graphs stay."""
        if self._current() is None:
            self._let_go()

    def _let_go(self) -> None:
        """Forgets the modules that it works on.

        A script that makes its wrapper anew at each step must not have its modules searched anew
        as often: from the second time on they keep what is known of them themselves.
        """
        leader, known = self._leader(), self.dispatcher.guarded()
        if self._slept and leader is not None and known is not None:
            pin(leader, (id(self), self._parts), known)
        self._slept = True
        object.__setattr__(self._shell, "__dict__", {})
        self.dispatcher.detach()


def _identity(part: Part) -> Hashable:
    if isinstance(part, types.MethodType):
        return (id(part.__func__), id(part.__self__))
    return id(part)


def _class_name(part: Part) -> str:
    kind = part if hasattr(part, "__qualname__") else type(part)
    return str(getattr(kind, "__qualname__", kind))


def _make_room(kind: type[nn.Module]) -> None:
    """Drops the oldest graphs of a class that live on with a part, such as a list, made anew."""
    lasting = [key for key in list(_WRAPPERS) if _is_of(kind, key) and keeps_a_part(key)]
    for key in lasting[: 1 - settings.MAX_GRAPHS]:
        kept = _WRAPPERS.get(key)
        if kept is not None and not kept.in_use:
            _forget(key)


def _is_of(kind: type[nn.Module], key: Hashable) -> bool:
    return isinstance(key, tuple) and key[0] is kind


def _forget_dead() -> None:
    """Drops the graphs of modules that have been collected.

    The garbage collector may call it at any moment, while it runs itself too.
    """
    for key in [key for key in list(_WRAPPERS) if not is_alive(key)]:
        _forget(key)


def _forget(key: Hashable) -> None:
    kept = _WRAPPERS.pop(key, None)
    if kept is not None:
        churn.note(key, kept.dispatcher.calls)
        report.retire(kept.dispatcher)
