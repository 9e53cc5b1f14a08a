"""Whether the modules of a step are still what its graphs were made for."""

from __future__ import annotations

import types
from collections.abc import Collection, Hashable, Sequence
from typing import Any, Callable, Optional

from torch import Tensor, nn

from . import tree
from .attributes import Attribute, Holders, State
from .reasons import Reason
from .watch import Watch

# The state of the modules, the number of that state, and what in it rules a graph out.
Guarded = tuple[Watch, int, Optional[Reason]]


class Guards:
    """Watches the modules that one wrapper holds.

    Attributes:
        state: the number of the state that they are in; equal states have one number.
        obstacle: what in them rules a graph out, None if nothing.
    """

    def __init__(self, trust: bool, on_change: Callable[[], None]) -> None:
        """
        Args:
            trust: take them for unchanged once they have been looked at.
            on_change: called when they are other modules, parameters or buffers than before.
        """
        self.state = 0
        self.obstacle: Reason | None = None
        self._trust = trust
        self._on_change = on_change
        self._watch: Watch | None = None
        self._states: dict[Hashable, int] = {}
        self._attributes: tuple[Attribute, ...] = ()
        self._holders: Holders | None = None
        self._all_parts = False

    def attach(self, wrapper: nn.Module, known: Guarded | None) -> None:
        """Watches the modules of `wrapper` from now on, of which this may be known already."""
        self.detach()
        if known is not None:
            self._watch, self.state, self.obstacle = known
            self._holders = Holders(wrapper, self._attributes)
            self._on_change()

    def detach(self) -> None:
        """Lets go of the modules."""
        self._watch = self._holders = None

    def known(self) -> Guarded | None:
        """What is known of the modules, which it holds; None if nothing is yet."""
        watch = self._watch
        return None if watch is None else (watch, self.state, self.obstacle)

    def look(self, wrapper: nn.Module, learn: bool, code: Sequence[Any] = ()) -> Watch:
        """What the modules are now.

        Args:
            wrapper: what holds them.
            learn: whether a new state gets a number, so that graphs can be made for it.
            code: functions, and classes of objects, that forward is given as arguments.
        """
        watch, given = self._watch, _apart(code) if code else ()
        if watch is not None and watch.covers(given) and (self._trust or watch.unchanged()):
            return watch
        self._holders = holders = Holders(wrapper, self._attributes)
        self._watch = watch = Watch(tree.flatten((wrapper,)), holders.names, given, self._all_parts)
        # Hashing the whole of it at each call would cost more than the guards.
        if learn:
            self._states.setdefault(watch.key, len(self._states))
        self.state = self._states.get(watch.key, -1)
        roots = (wrapper, *watch.outside)
        self.obstacle = next(filter(None, map(tree.obstacle, roots)), watch.obstacle)
        self._on_change()
        return watch

    def hold(self, attributes: Collection[Attribute]) -> bool:
        """Gives these attributes to the graphs, which forward sets, instead of guarding them.

        Returns:
            False if it did so already.
        """
        new = [one for one in attributes if one not in self._attributes]
        if new:
            self._attributes = (*self._attributes, *new)
            self.detach()
        return bool(new)

    @property
    def unread(self) -> frozenset[int]:
        """The ids of the modules that forward does not get at, as far as the code tells."""
        return frozenset() if self._watch is None else self._watch.unread

    def read_all_parts(self) -> None:
        """Guards all modules from now on: forward gets at one that no code names."""
        self._all_parts = True
        self.detach()

    def held(self) -> State:
        """What these attributes hold now."""
        return {} if self._holders is None else self._holders.read()

    def follow(self, buffers: Sequence[tuple[dict[str, Tensor | None], str]]) -> None:
        """Takes tensors that a graph has put in the place of buffers for what was there before."""
        if self._watch is not None:
            for table, name in buffers:
                self._watch.follow(table, name)

    @property
    def generators(self) -> Sequence[Any]:
        """What forward can draw random numbers from, global ones excluded."""
        return () if self._watch is None else tuple(self._watch.generators)

    def change_by_forward(self) -> Reason | None:
        """What the call that has just run changed beside modules: a graph would leave it alone."""
        watch = self._watch
        if watch is None or watch.unchanged() or watch.again().key == watch.key:
            return None
        return Reason(f"forward changes {watch.first_change()}")


def _apart(code: Sequence[Any]) -> tuple[Any, ...]:
    """Each function and class once; a bound method, made anew whenever it is named, in two."""
    found: dict[int, Any] = {}
    for one in code:
        bound = isinstance(one, types.MethodType)
        for part in (one.__func__, one.__self__) if bound else (one,):
            found[id(part)] = part
    return tuple(found.values())
