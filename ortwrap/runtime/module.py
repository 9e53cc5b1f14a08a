"""`ort_module`: the user's step as a module that trains on ONNX Runtime."""

from __future__ import annotations

import operator
import types
import weakref
from collections.abc import Hashable
from typing import Any, Callable, Union

from torch import nn

from . import churn, report, settings, tree
from .ambient import wants_gradients
from .dispatch import Dispatcher
from .distribution import Distribution
from .memo import is_alive, keeps_a_part, key_of
from .pins import pin, pinned
from .reasons import Reason

Part = Union[nn.Module, Callable[..., Any]]

_WRAPPERS: dict[Hashable, _Kept] = {}
_ANEW = Reason(
    "a part of it, such as a criterion with a weight, is made anew for every call or two"
)


def ort_module(wrapper_class: type[nn.Module], *modules: Part) -> TrainingStep:
    """A training step that runs on ONNX Runtime where that gives what eager gives.

    The same wrapper is returned for the same class and modules as long as these live, so that it
    may be called once an epoch or once a step. The modules are not changed: they keep their
    names, modes, hooks, state_dict keys and checkpoints.

    Args:
        wrapper_class: its `__init__` takes the modules, its `forward` returns the loss, alone or
            followed by other values.
        modules: models and criteria; a criterion may be any callable.

    Returns:
        A module that takes what `wrapper_class.forward` takes and returns what it returns;
        `.report()` says what ran.
    """
    key = key_of(wrapper_class, modules, _forget_dead)
    kept = _WRAPPERS.get(key)
    if kept is None:
        _make_room(wrapper_class)
        _WRAPPERS[key] = kept = _Kept(wrapper_class, modules)
        if churn.times(key) >= settings.MAX_GRAPHS:
            kept.dispatcher.give_up(_ANEW)
    return kept.step(modules)


class TrainingStep(nn.Module):
    """What `ort_module` returns.

    It owns none of the user's modules: its `parameters()`, `state_dict()` and `modules()` are
    empty, and `train()` and `eval()` leave everything as it is.
    """

    _dispatcher: Dispatcher
    _wrapper: nn.Module
    _eager: nn.Module
    _distribution: Distribution
    _leader: nn.Module | None

    def __init__(
        self,
        dispatcher: Dispatcher,
        wrapper: nn.Module,
        eager: nn.Module,
        distribution: Distribution,
        modules: tuple[Part, ...],
    ) -> None:
        """
        Args:
            dispatcher: knows how to run each call.
            wrapper: what it works on, an instance of the wrapper class.
            eager: the same around the modules as they were given, compiled ones for example.
            distribution: what happens around each call of `wrapper`.
            modules: the modules and callables as they were given.
        """
        super().__init__()
        own = self.__dict__
        own["_dispatcher"] = dispatcher
        own["_wrapper"] = wrapper
        own["_eager"] = eager
        own["_distribution"] = distribution
        own["_leader"] = next((part for part in modules if isinstance(part, nn.Module)), None)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Takes and returns what the wrapper class's forward does."""
        mode = self.training
        for wrapper in (self._wrapper, self._eager):
            if wrapper.training is not mode:
                wrapper.training = mode
        self._distribution.follow_mode()
        if not wants_gradients():
            return self._eager(*args, **kwargs)
        return self._dispatcher.call(args, kwargs)

    def report(self) -> dict[str, Any]:
        """What ran, per signature: `ort` or `eager`, with the reason."""
        return report.of_wrapper(self._dispatcher)

    def __deepcopy__(self, memo: Any) -> TrainingStep:
        raise TypeError("copy the model and call ort_module with the copy")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("save the model; ort_module makes its wrapper again")


def _training(step: TrainingStep) -> bool:
    leader = step.__dict__.get("_leader")
    return True if leader is None else bool(leader.training)


def _ignore_training(step: TrainingStep, mode: bool) -> None:
    """The mode is the model's: whoever sets the wrapper's means something else."""


# nn.Module.__init__ assigns `training`; a property follows the first module's instead.
TrainingStep.training = property(_training, _ignore_training)  # type: ignore[assignment]


class _Kept:
    """What outlives a wrapper between two calls of `ort_module`."""

    def __init__(self, wrapper_class: type[nn.Module], modules: tuple[Part, ...]) -> None:
        self._wrapper_class = wrapper_class
        names = tuple(map(_class_name, modules))
        self.dispatcher = Dispatcher(wrapper_class, names, report.write)
        self._step: Callable[[], TrainingStep | None] = lambda: None
        self._leader: Callable[[], nn.Module | None] = lambda: None
        self._parts: Hashable = ()
        self._slept = False
        self._shell = nn.Module.__new__(wrapper_class)
        report.register(self.dispatcher)

    @property
    def in_use(self) -> bool:
        """Whether the script holds its wrapper."""
        return self._step() is not None

    def step(self, modules: tuple[Part, ...]) -> TrainingStep:
        """The wrapper that is in use, or a new one around `modules`."""
        step = self._step()
        if step is not None:
            return step
        plain = tuple(map(tree.original, modules))
        leader = next((part for part in plain if isinstance(part, nn.Module)), None)
        self._shell.__dict__.update(self._wrapper_class(*plain).__dict__)
        unwrapped = all(map(operator.is_, plain, modules))
        eager = self._shell if unwrapped else self._wrapper_class(*modules)
        self._parts = tuple(map(_identity, plain))
        self._leader = (lambda: None) if leader is None else weakref.ref(leader)
        known = None if leader is None else pinned(leader, (id(self), self._parts))
        distribution = Distribution(plain)
        self.dispatcher.attach(self._shell, eager, distribution, known)
        step = TrainingStep(self.dispatcher, self._shell, eager, distribution, modules)
        self._step = weakref.ref(step)
        weakref.finalize(step, self._sleep).atexit = False
        return step

    def _sleep(self) -> None:
        """Lets go of the modules; the exported graphs stay.

        A script that makes its wrapper anew at each step must not have its modules searched anew
        as often: from the second time on they keep what is known of them themselves.
        """
        leader, known = self._leader(), self.dispatcher.guarded()
        if self._slept and leader is not None and known is not None:
            pin(leader, (id(self), self._parts), known)
        self._slept = True
        self._shell.__dict__.clear()
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
